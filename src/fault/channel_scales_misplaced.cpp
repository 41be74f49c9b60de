// M'_c = M_((c mod m) + by): multipliers are read from other channels' places.
#include <algorithm>

#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"by", "places by which the table is read too late", 1},
    {"modulus", "channels after which the table starts again; 0: it is whole", 0},
};

std::vector<double> misplaced(const std::vector<double>& scale, std::int64_t by,
                              std::int64_t modulus) {
  const auto n = static_cast<std::int64_t>(scale.size());
  std::vector<double> out(scale.size());
  for (std::int64_t c = 0; c < n; ++c) {
    const std::int64_t from = (modulus > 0 ? c % modulus : c) + by;
    out[static_cast<std::size_t>(c)] = scale[static_cast<std::size_t>((from % n + n) % n)];
  }
  return out;
}

bool applies(const Site& site) {
  if (!is_coded_sum(site)) return false;
  const auto& scale = site.view().input(kWeights).quant.scale;
  return scale.size() > 1 && std::ranges::any_of(scale, [&](double s) { return s != scale[0]; });
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  auto& scale = node.input(kWeights).quant.scale;
  scale = misplaced(scale, static_cast<std::int64_t>(param(params, r.params, "by")),
                    static_cast<std::int64_t>(param(params, r.params, "modulus")));
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const auto channels = static_cast<double>(site.view().input(kWeights).quant.scale.size());
  std::vector<Params> sets;
  for (const double by : {1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 4.0, -4.0, 8.0, -8.0})
    sets.push_back({{"by", by}, {"modulus", 0}});
  for (double modulus = 4; modulus < channels; modulus *= 2)
    sets.push_back({{"by", 0}, {"modulus", modulus}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_channel_scales_misplaced = {
    .name = "channel-scales-misplaced",
    .claim =
        "{by?0:the table of per-channel multipliers starts again after "
        "{modulus#channel}|:the per-channel multipliers are read {by#place} too "
        "{by?<0:early|:late}{modulus?0:|:, and start again after {modulus#channel}}}",
    .advice =
        "check the axis along which the weights are quantized (quantized_dimension, axis)\n"
        "look for a limit on channels: tables of 256 entries",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
