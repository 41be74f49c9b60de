#include "fault/fault_places.h"

namespace lockstep {

std::vector<FaultPlace> places_of(const Site& site, const FaultDef& fault, const Params& params) {
  std::vector<FaultPlace> places = {{site, params}};
  if (site.node != no_id || !fault.reads) return places;
  for (const ValueId other : fault.reads(site, params))
    places.push_back(
        {{site.reference, no_id, other}, {{"other", static_cast<double>(site.input)}}});
  return places;
}

}  // namespace lockstep
