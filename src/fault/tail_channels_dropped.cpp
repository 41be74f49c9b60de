// y'[c] = fill for c from the last multiple on: the channels that do not fill a vector are not
// computed.
#include <algorithm>

#include "fault/fault_nodes.h"
#include "fault/fault_tail.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"first", "first channel that is not computed; -1: the last multiple of 8 below the end", -1},
    {"fill", "0: zero bytes stand there; 1: the zero point; 2: what was read a run earlier", 0,
     Takes::up_to(2)},
};

std::int64_t channels_of(const NodeView& n) {
  const Shape& y = n.output(0).shape;
  return y.empty() ? 0 : y[channel_axis(n, y)];
}

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id && channels_of(site.view()) > 1;
}

Result<void> replay(Replay& r) {
  const NodeView n = r.site.view();
  const std::int64_t channels = channels_of(n);
  auto first = static_cast<std::int64_t>(param(params, r.params, "first"));
  if (first < 0) first = (channels - 1) / 8 * 8 > 0 ? (channels - 1) / 8 * 8 : channels / 2;
  fill_tail(r, channel_axis(n, r.out[0].shape()), first, param(params, r.params, "fill"));
  return {};
}

// Where nothing is known of this place: the rest of a vector, or any of few channels.
std::vector<Params> unseen(const NodeView& n) {
  constexpr std::int64_t few = 8;
  const QuantParams& q = n.output(0).quant;
  std::vector<Params> sets = {
      {{"first", -1}, {"fill", 0}}, {{"first", -1}, {"fill", 1}}, {{"first", -1}, {"fill", 2}}};
  for (std::int64_t first = 1; channels_of(n) <= few && first < channels_of(n); ++first)
    for (const double fill : {0.0, 1.0})
      if (first != channels_of(n) / 2 && (fill == 0 || (q.quantized() && q.zero_at(0) != 0)))
        sets.push_back({{"first", static_cast<double>(first)}, {"fill", fill}});
  return sets;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  const bool seen = std::ranges::any_of(
      evidence.items, [](const Evidence::Item& i) { return i.observed && i.expected; });
  if (!seen) return unseen(n);
  const std::int64_t first = first_wrong_along(site, evidence, channel_axis(n, n.output(0).shape));
  if (first == 0 || first >= channels_of(n)) return {};
  std::vector<Params> sets;
  for (const double fill : {0.0, 1.0, 2.0})
    sets.push_back({{"first", static_cast<double>(first)}, {"fill", fill}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_tail_channels_dropped = {
    .name = "tail-channels-dropped",
    .claim =
        "{first?-1:the channels behind the last whole group of 8|:channels from {first} on} "
        "are not computed: {fill?0:zero bytes stand there|1:the zero point stands "
        "there|2:what was read there a run earlier stays}",
    .advice = "pad the channels to a multiple of 8 or 16, or use another kernel or version",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
