// y'[.., first + i, ..] = y[.., second + i, ..] and the other way round, i < count: blocks of
// channels change places; or y'[.., i, ..] = y[.., i + turn, ..] around all channels: operands
// joined in another order.
#include <algorithm>

#include "fault/fault_channels.h"
#include "fault/fault_input.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"first", "first channel of one block", 0},
    {"second", "first channel of the other", 1},
    {"count", "channels of a block", 1},
    {"turn",
     "in place of two blocks: channels by which all turn around, as two operands joined the other "
     "way round do; 0: none",
     0},
};

bool applies(const Site& site) {
  return moves_channels(site, 2);
}

bool fit_in(const Channels& c, std::int64_t first, std::int64_t second, std::int64_t count) {
  const std::int64_t low = std::min(first, second), high = std::max(first, second);
  return count >= 1 && low >= 0 && low + count <= high && high + count <= c.count;
}

Result<void> replay(Replay& r) {
  const Channels c = channels_of(r.site);
  if (const auto turn = static_cast<std::int64_t>(param(params, r.params, "turn")); turn != 0) {
    if (turn < 0 || turn >= c.count)
      return Error{"fault output-channels-exchanged", "turn " + std::to_string(turn),
                   "1 .. " + std::to_string(c.count - 1), ""};
    gather(r.out[0], from_channels(c, r.out[0].count(), [&](std::int64_t channel) {
             return (channel + turn) % c.count;
           }));
    return {};
  }
  const auto first = static_cast<std::int64_t>(param(params, r.params, "first"));
  const auto second = static_cast<std::int64_t>(param(params, r.params, "second"));
  const auto count = static_cast<std::int64_t>(param(params, r.params, "count"));
  if (!fit_in(c, first, second, count))
    return Error{"fault output-channels-exchanged",
                 "channels " + std::to_string(first) + " and " + std::to_string(second),
                 "two blocks that do not overlap among " + std::to_string(c.count) + " channels",
                 ""};
  const auto from = [&](std::int64_t channel) {
    if (channel >= first && channel < first + count) return channel - first + second;
    return channel >= second && channel < second + count ? channel - second + first : channel;
  };
  gather(r.out[0], from_channels(c, r.out[0].count(), from));
  return {};
}

// Whether channel `a` shows what channel `b` should hold, in every run.
bool shows(const Evidence& evidence, const Channels& c, std::int64_t a, std::int64_t b) {
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected) continue;
    for (std::int64_t i = 0; i < item.expected->count(); ++i)
      if (c.of(i) == b &&
          !(item.observed->number(i + (a - b) * c.stride) == item.expected->number(i)))
        return false;
  }
  return true;
}

bool is_observed(const Evidence& evidence) {
  return std::ranges::any_of(evidence.items,
                             [](const Evidence::Item& i) { return i.observed && i.expected; });
}

// Where two operands are joined along the channels: by how much they turn when they change places;
// else 0.
std::int64_t join_of(const Site& site, const Channels& c) {
  const NodeView n = site.view();
  if (n.node.op != "Concat" || n.node.inputs.size() < 2 || !n.has_input(0)) return 0;
  const Shape& shape = n.input(0).shape;
  const std::int64_t own = shape.size() < 2 ? 0 : shape[*joined_axis(site)];
  return own < c.count ? own : 0;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const Channels c = channels_of(site);
  const auto turn = [](std::int64_t by) -> Params { return {{"turn", static_cast<double>(by)}}; };
  const auto set = [](std::int64_t first, std::int64_t second, std::int64_t count) -> Params {
    return {{"first", static_cast<double>(first)},
            {"second", static_cast<double>(second)},
            {"count", static_cast<double>(count)}};
  };
  if (!is_observed(evidence)) {
    std::vector<Params> sets;
    if (c.count % 2 == 0 && c.count > 2) sets.push_back(set(0, c.count / 2, c.count / 2));
    if (const std::int64_t by = join_of(site, c); by > 0 && 2 * by != c.count)
      sets.push_back(turn(by));
    return sets;
  }
  std::vector<std::int64_t> moved;
  for (std::int64_t i = 0; i < c.count; ++i)
    if (!shows(evidence, c, i, i)) moved.push_back(i);
  if (moved.size() < 2) return {};
  const std::int64_t first = moved.front();
  for (std::int64_t second = first + 1; second < c.count; ++second) {
    std::int64_t count = 0, needed = 0;  // channels that are alike may stand within a block
    while (fit_in(c, first, second, count + 1) &&
           shows(evidence, c, first + count, second + count) &&
           shows(evidence, c, second + count, first + count)) {
      ++count;
      if (std::ranges::binary_search(moved, first + count - 1) ||
          std::ranges::binary_search(moved, second + count - 1))
        needed = count;
    }
    const auto covered = [&](std::int64_t i) {
      return (i >= first && i < first + needed) || (i >= second && i < second + needed);
    };
    if (needed > 0 && std::ranges::all_of(moved, covered)) return {set(first, second, needed)};
  }
  for (std::int64_t by = 1; by < c.count; ++by) {
    std::int64_t i = 0;
    while (i < c.count && shows(evidence, c, i, (i + by) % c.count)) ++i;
    if (i == c.count) return {turn(by)};
  }
  return {};
}

}  // namespace

extern constinit const FaultDef fault_output_channels_exchanged = {
    .name = "output-channels-exchanged",
    .claim =
        "{turn?0:{count?1:channels {first} and {second}|:{count} channels from {first} on "
        "and as many from {second} on} stand in each other's place|:all channels, or what is "
        "joined, are turned "
        "around by {turn}, as where two operands are joined the other way round}",
    .advice =
        "compare the order of the parts that are written into this tensor: concatenation, groups, "
        "split convolutions\n"
        "look for an order of channels that the compiler changed and that a later operation does "
        "not know of",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
