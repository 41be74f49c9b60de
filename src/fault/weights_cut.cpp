// y' = op(x, w up to a point, one byte from there on): only the first part of the weights is
// present.
#include <algorithm>

#include "fault/fault_search.h"
#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"from", "first element that is missing; -1: the middle", -1},
    {"byte", "what the missing bytes read as: 0 or 255", 0, Takes::up_to(255)},
};

bool applies(const Site& site) {
  return has_weights(site) && count_of(site.view().input(kWeights).shape) > 1;
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  Tensor& w = node.changed(kWeights);
  const double from = param(params, r.params, "from");
  const std::int64_t first = from < 0 ? w.count() / 2 : static_cast<std::int64_t>(from);
  if (first >= w.count())
    return Error{"fault weights-cut", "from " + std::to_string(first), "an element of the weights",
                 ""};
  const auto byte = static_cast<std::byte>(static_cast<int>(param(params, r.params, "byte")) & 255);
  std::ranges::fill(w.bytes().subspan(static_cast<std::size_t>(first) * size_of(w.dtype())), byte);
  return node.eval_into(r);
}

// The channel in which the differences begin, counted as the weights lie in memory; -1 when none.
std::int64_t first_wrong_channel(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  const Shape& y = n.output(0).shape;
  const std::size_t axis = channel_axis(n, y);
  std::int64_t first = -1;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected || item.observed->count() != item.expected->count())
      continue;
    for (std::int64_t i = 0; i < item.observed->count(); ++i) {
      if (item.observed->number(i) == item.expected->number(i)) continue;
      const std::int64_t c = index_along(y, axis, i);
      if (first < 0 || c < first) first = c;
    }
  }
  return first;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  const std::int64_t count = count_of(n.input(kWeights).shape), channels = weight_channels(n);
  const std::int64_t first = first_wrong_channel(site, evidence);
  if (first < 0 || channels < 1) return {};
  const std::int64_t each = count / channels;
  const bool contiguous = each == 1 || weight_channel(n, each - 1) == 0;
  // Within the first wrong channel: its start, and every 16th of it or 4 elements; else by
  // sixteenths.
  const std::int64_t begin = contiguous ? first * each : 0, end = contiguous ? begin + each : count;
  const std::int64_t step = std::max<std::int64_t>(1, (end - begin) / 16);
  std::vector<Params> sets;
  for (std::int64_t from = begin; from < end; from += step)
    for (const double byte : {0.0, 255.0})
      sets.push_back({{"from", static_cast<double>(from)}, {"byte", byte}});
  if (count / 2 >= begin && count / 2 < end)
    for (const double byte : {0.0, 255.0})
      sets.push_back({{"from", static_cast<double>(count / 2)}, {"byte", byte}});
  auto best = best_sets(site, evidence, std::move(sets), replay, 1);
  if (best.empty() || step == 1) return best;
  // Then every element around the best one.
  std::vector<Params> finer;
  const auto near = static_cast<std::int64_t>(best[0].at("from"));
  const std::int64_t fine = std::max<std::int64_t>(1, step / 32);
  for (std::int64_t from = std::max(begin, near - step); from <= std::min(end - 1, near + step);
       from += fine)
    finer.push_back({{"from", static_cast<double>(from)}, {"byte", best[0].at("byte")}});
  finer.push_back(best[0]);
  return best_sets(site, evidence, std::move(finer), replay, 1);
}

std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  std::vector<Params> sets;
  const std::int64_t count = count_of(site.view().input(kWeights).shape);
  for (const double byte : {0.0, 255.0})
    if (const auto found = least_misfit(
            [&](std::int64_t from) {
              return misfit({{"from", static_cast<double>(from)}, {"byte", byte}});
            },
            0, count - 1))
      sets.push_back({{"from", found->low}, {"byte", byte}});
  return sets;
}

}  // namespace

extern constinit const FaultDef fault_weights_cut = {
    .name = "weights-cut",
    .claim =
        "the weights are missing from {from?-1:the middle|:element {from}} on and read as "
        "{byte}",
    .advice =
        "compare the size of the programmed weight image with the file: the end is missing\n"
        "check that the flash window covers the whole image",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
