// y' = op(x, w = one byte everywhere): the weights were never loaded (0) or the flash is erased
// (0xFF).
#include <algorithm>

#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"byte", "what every byte of the weights reads as: 0 or 255", 0, Takes::up_to(255)},
    {"bias", "1: the bias too", 0, Takes::flag()},
};

bool applies(const Site& site) {
  return has_weights(site);
}

Result<void> replay(Replay& r) {
  const double byte = param(params, r.params, "byte");
  if (!(byte >= 0 && byte <= 255))
    return Error{"fault weights-constant", "byte " + std::to_string(byte), "0 .. 255", ""};
  ChangedNode node(r);
  const auto fill = static_cast<std::byte>(static_cast<int>(byte));
  std::ranges::fill(node.changed(kWeights).bytes(), fill);
  if (param(params, r.params, "bias") != 0 && node.has_input(kBias))
    std::ranges::fill(node.changed(kBias).bytes(), fill);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const double byte : {0.0, 255.0}) {
    sets.push_back({{"byte", byte}, {"bias", 0}});
    if (site.view().has_input(kBias)) sets.push_back({{"byte", byte}, {"bias", 1}});
  }
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_weights_constant = {
    .name = "weights-constant",
    .claim =
        "every byte of the weights{bias?0:|1: and of the bias} reads as {byte}: they are "
        "absent",
    .advice =
        "compare a checksum of the weights in the device's memory with the file\n"
        "program the weight image at the address that it was linked for; map the external memory "
        "before the first run",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
