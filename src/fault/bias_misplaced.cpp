// y' = op(x, w, b'): b'[c] = b[c + by], or no bias at all.
#include <algorithm>
#include <cstring>

#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"by", "channels that the bias is read off its place, around its end; 0: it is absent", 0}};

bool applies(const Site& site) {
  if (!has_weights(site)) return false;
  const NodeView n = site.view();
  const Tensor* bias = n.input_count() > kBias && n.has_input(kBias) ? n.constant(kBias) : nullptr;
  return bias && std::ranges::any_of(bias->bytes(), [](std::byte b) { return b != std::byte{0}; });
}

Result<void> replay(Replay& r) {
  const auto by = static_cast<std::int64_t>(param(params, r.params, "by"));
  ChangedNode node(r);
  Tensor& bias = node.changed(kBias);
  const auto bytes = bias.bytes();
  if (by == 0) {
    std::ranges::fill(bytes, std::byte{0});
    return node.eval_into(r);
  }
  const auto width = static_cast<std::int64_t>(size_of(bias.dtype())), count = bias.count();
  const std::int64_t first = ((by % count) + count) % count * width;
  std::rotate(bytes.begin(), bytes.begin() + first, bytes.end());
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets = {{{"by", 0}}};
  const std::int64_t count = count_of(site.view().input(kBias).shape);
  for (const std::int64_t by : {1, 2, 4, 8, 16})
    if (by < count)
      for (const std::int64_t sign : {1, -1})
        sets.push_back({{"by", static_cast<double>(sign * by)}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_bias_misplaced = {
    .name = "bias-misplaced",
    .claim = "the bias is read {by} channels off its place (0: it is absent)",
    .advice =
        "compare the bias in the programmed weight image with the file, and the address that the "
        "program reads it from\n"
        "check the alignment and order of weights and biases in the image",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
