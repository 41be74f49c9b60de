// x'[n,h,w,c] = sent[((n C + c) H + h) W + w]: channel-last bytes under the strides of NCHW.
#include "fault/fault_input.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"sent",
                                 "0: the device reads right bytes with NCHW strides; 1: NCHW bytes "
                                 "are sent to a channel-last input",
                                 0, Takes::flag()}};

std::vector<std::int64_t> moved(const Site& site) {
  const Shape& shape = site.graph().value(site.input).shape;
  if (shape.size() < 3) return {};
  std::vector<std::size_t> order = {0, shape.size() - 1};
  for (std::size_t a = 1; a + 1 < shape.size(); ++a) order.push_back(a);
  return read_with_order(shape, order);
}

bool applies(const Site& site) {
  return site.input != no_id && channels_last(site) && !moved(site).empty();
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

extern constinit const FaultDef fault_input_as_nchw = {
    .name = "input-as-nchw",
    .claim =
        "{sent?0:the input's channel-last bytes are read as NCHW|1:bytes in NCHW order are "
        "sent to an input whose channels come last}",
    .advice =
        "ask the target for the input's shape and channel position, and feed that order\n"
        "or compile with the position that the application sends (--inputs-ch-position)",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
