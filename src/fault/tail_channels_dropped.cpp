// y'[c] = fill for c from the last multiple on: the channels that do not fill a vector are not computed.
#include <algorithm>

#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"first", "first channel that is not computed; -1: the last multiple of 8 below the end", -1},
    {"fill", "0: zero bytes stand there; 1: the zero point; 2: what was read a run earlier", 0},
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
  const double fill = param(params, r.params, "fill");
  Tensor& y = r.out[0];
  const std::size_t axis = channel_axis(n, y.shape());
  const bool has_earlier = fill == 2 && r.previous_shown && r.previous_shown->count() == y.count();
  const std::int64_t code = fill == 1 && is_coded(n.output(0)) ? n.output(0).quant.zero_at(0) : 0;
  for (std::int64_t i = 0; i < y.count(); ++i) {
    if (index_along(y.shape(), axis, i) < first) continue;
    if (is_float(y.dtype())) y.set_number(i, has_earlier ? r.previous_shown->number(i) : 0);
    else y.set_code(i, has_earlier ? r.previous_shown->code(i) : code);
  }
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  const std::size_t axis = channel_axis(n, n.output(0).shape);
  std::int64_t first = channels_of(n);
  const bool seen = std::ranges::any_of(evidence.items, [](const Evidence::Item& i) { return i.observed && i.expected; });
  if (!seen) return {{{"first", -1}, {"fill", 0}}, {{"first", -1}, {"fill", 1}}, {{"first", -1}, {"fill", 2}}};
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected || item.observed->count() != item.expected->count()) continue;
    for (std::int64_t i = 0; i < item.observed->count(); ++i)
      if (item.observed->number(i) != item.expected->number(i)) first = std::min(first, index_along(n.output(0).shape, axis, i));
  }
  if (first == 0 || first >= channels_of(n)) return {};
  std::vector<Params> sets;
  for (const double fill : {0.0, 1.0, 2.0}) sets.push_back({{"first", static_cast<double>(first)}, {"fill", fill}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_tail_channels_dropped = {
    .name = "tail-channels-dropped",
    .claim = "channels from {first} on are not computed",
    .advice = "pad the channels to a multiple of 8 or 16, or use another kernel or version",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
