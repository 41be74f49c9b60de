// x'[h,w] = sent[w H + h] in every plane: the two spatial axes change places, the bytes stay.
#include "fault/fault_input.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"sent", "0: the device reads right bytes with swapped strides; 1: swapped bytes are sent", 0,
     Takes::flag()}};

std::vector<std::int64_t> moved(const Site& site) {
  const Shape& shape = site.graph().value(site.input).shape;
  if (shape.size() == 3) return read_with_order(shape, {0, 2, 1});
  if (shape.size() != 4) return {};
  return channels_last(site) ? read_with_order(shape, {0, 2, 1, 3})
                             : read_with_order(shape, {0, 1, 3, 2});
}

bool applies(const Site& site) {
  return site.input != no_id && !moved(site).empty();
}

std::vector<Params> candidates(const Site& site, const Evidence&) {
  const auto source = moved(site);
  if (source == inverse(source)) return {Params{}};
  return {Params{{"sent", 0}}, Params{{"sent", 1}}};
}

Result<void> replay(Replay& r) {
  const auto source = moved(r.site);
  gather(r.out[0], param(params, r.params, "sent") != 0 ? inverse(source) : source);
  return {};
}

}  // namespace

extern constinit const FaultDef fault_input_axes_swapped = {
    .name = "input-axes-swapped",
    .claim =
        "the two spatial axes of the input are swapped {sent?0:where the device reads "
        "them|1:where they are sent}",
    .advice =
        "compare the input shape that the target reports with the one that is sent: height first\n"
        "test with a picture that changes along one axis only",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
