#include "fault/fault.h"

namespace lockstep {

const FaultDef* find_fault(std::string_view name) {
  for (const FaultDef* fault : fault_table())
    if (fault->name == name) return fault;
  return nullptr;
}

double param(std::span<const ParamSpec> specs, const Params& params, std::string_view name) {
  if (const auto it = params.find(name); it != params.end()) return it->second;
  for (const ParamSpec& spec : specs)
    if (spec.name == name) return spec.fallback;
  return 0;
}

std::vector<Site> sites_of(const Executor& reference, const FaultDef& fault) {
  std::vector<Site> sites;
  const Graph& g = reference.graph();
  if (fault.stage == Stage::input) {
    for (const ValueId id : g.inputs())
      if (const Site site{reference, no_id, id}; fault.applies(site)) sites.push_back(site);
    return sites;
  }
  for (std::size_t n = 0; n < g.nodes().size(); ++n)
    if (const Site site{reference, static_cast<NodeId>(n), no_id}; fault.applies(site))
      sites.push_back(site);
  return sites;
}

}  // namespace lockstep
