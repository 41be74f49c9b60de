// y' = op(x, w with the bytes of every word in reverse): the weight image was written in another
// byte order.
#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"width", "bytes of a word: 2, 4 or 8", 4}};

bool applies(const Site& site) {
  return has_weights(site) && site.view().constant(kWeights)->bytes().size() >= 4;
}

Result<void> replay(Replay& r) {
  const auto width = static_cast<std::int64_t>(param(params, r.params, "width"));
  if (width != 2 && width != 4 && width != 8)
    return Error{"fault weights-byte-order", "width " + std::to_string(width), "2, 4 or 8", ""};
  ChangedNode node(r);
  swap_bytes(node.changed(kWeights), width);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {{{"width", 4}}, {{"width", 2}}, {{"width", 8}}}, replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_weights_byte_order = {
    .name = "weights-byte-order",
    .claim = "the bytes of every {width}-byte word of the weights are reversed",
    .advice =
        "compare the first words of the weight image in the device's memory with the file\n"
        "write the image byte by byte: a programmer that takes words may swap them",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .orders_weights = true,
};

}  // namespace lockstep
