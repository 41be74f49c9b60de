// y'[a + j] = y[a + j - shift] from some place of some 64-byte blocks on: a burst slipped on the
// bus; or, with shift 0, y'[a + j] = y(run - 1)[a + j]: a burst did not arrive.
#include <algorithm>
#include <cmath>
#include <optional>

#include "fault/fault_runs.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"shift",
     "bytes by which the rest of a burst slips; 0: the burst is lost, what was there a run earlier "
     "stays",
     2},
    {"size", "bytes of a burst", 64},
    {"at", "share of a burst that is in place, before what slips", 0.5, Takes::share()},
    {"share", "probability that a burst slips", 0.2, Takes::share()},
    {"seed", "which bursts", 1},
};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id;
}

// From share `at` of every block in `blocks` on the bytes slip by `shift`.
Tensor slipped(const Tensor& y, const std::vector<Stretch>& blocks, std::int64_t size,
               std::int64_t shift, double at = 0.5) {
  Tensor out = y;
  for (const Stretch& s : blocks)
    for (std::int64_t first = s.first; first < s.first + s.count; first += size) {
      const auto begin = first + static_cast<std::int64_t>(static_cast<double>(size) * at);
      const std::int64_t end = std::min(first + size, s.first + s.count);
      for (std::int64_t i = std::max(begin, shift); i < end; ++i)
        out.bytes()[static_cast<std::size_t>(i)] = y.bytes()[static_cast<std::size_t>(i - shift)];
    }
  return out;
}

// Whether slipping by `shift` from its middle on changes this block.
bool changes(const Tensor& y, const Stretch& block, std::int64_t size, std::int64_t shift) {
  const auto bytes = y.bytes();
  for (std::int64_t i = std::max(block.first + size / 2, shift); i < block.first + block.count; ++i)
    if (bytes[static_cast<std::size_t>(i)] != bytes[static_cast<std::size_t>(i - shift)])
      return true;
  return false;
}

// Of every block that differs, what lies behind its first differing byte, if it is late by `shift`
// to the block's end.
std::optional<std::vector<Stretch>> late_ends(const Evidence::Item& item, std::int64_t size,
                                              std::int64_t shift) {
  std::vector<Stretch> found;
  const auto was = item.expected->bytes(), is = item.observed->bytes();
  const auto bytes = static_cast<std::int64_t>(std::min(was.size(), is.size()));
  for (std::int64_t first = 0; first < bytes; first += size) {
    const std::int64_t end = std::min(first + size, bytes);
    std::int64_t at = first;
    while (at < end && was[static_cast<std::size_t>(at)] == is[static_cast<std::size_t>(at)]) ++at;
    if (at == end) continue;
    if (at - shift < first) return std::nullopt;
    for (std::int64_t i = at; i < end; ++i)
      if (is[static_cast<std::size_t>(i)] != was[static_cast<std::size_t>(i - shift)])
        return std::nullopt;
    found.push_back({at, end - at});
  }
  return found;
}

// Bursts that slipped behind any place of theirs; the widest block in which every end is late.
std::vector<Params> late_anywhere(const Evidence& evidence) {
  for (const std::int64_t size : {64, 128, 32, 16})
    for (const std::int64_t shift : {2, 1, 4, 8}) {
      Params found = {
          {"shift", static_cast<double>(shift)}, {"size", static_cast<double>(size)}, {"at", 0}};
      bool all = shift * 2 <= size, some = false;
      for (const Evidence::Item& item : evidence.items) {
        if (!all || !item.observed || !item.expected) continue;
        const auto ends = late_ends(item, size, shift);
        all = ends.has_value();
        some = some || (ends && !ends->empty());
        if (ends) put_stretches(found, item.run, *ends);
      }
      if (all && some) return {std::move(found)};
    }
  return {};
}

// Short bursts that hold what was there a run earlier: more than a cache line at a time is not a
// burst.
std::vector<Params> not_arrived(const Evidence& evidence) {
  if (!stale_blocks(evidence, 32).empty()) return {};
  for (const std::int64_t size : {16, 8, 4, 2}) {
    auto sets = stale_blocks(evidence, size);
    std::erase_if(sets, [](const Params& p) { return p.contains("shown"); });
    for (Params& p : sets) p["shift"] = 0, p["size"] = static_cast<double>(size), p["at"] = 0;
    if (!sets.empty()) return sets;
  }
  return {};
}

std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const std::int64_t size : {16, 32, 64, 128})
    for (const std::int64_t shift : {1, 2, 4, 8}) {
      Params found = {{"shift", static_cast<double>(shift)}, {"size", static_cast<double>(size)}};
      bool all = shift * 2 <= size, some = false;
      for (const Evidence::Item& item : evidence.items) {
        if (!all || !item.observed || !item.expected) continue;
        const auto blocks = differing_blocks(*item.observed, *item.expected, size);
        some = some || !blocks.empty();
        all = equal_bytes(slipped(*item.expected, blocks, size, shift), *item.observed, blocks);
        put_stretches(found, item.run, blocks);
      }
      if (all && some) sets.push_back(std::move(found));
    }
  if (sets.empty()) sets = late_anywhere(evidence);
  const auto lost = not_arrived(evidence);
  sets.insert(sets.end(), lost.begin(), lost.end());
  return sets;
}

// Unobserved: which bursts slipped, for each size and shift, where few could have.
std::vector<Params> fit(const Site&, const Evidence& evidence, const Misfit& misfit) {
  constexpr std::size_t most_bursts = 192;
  std::vector<Params> sets;
  for (const std::int64_t size : {64, 32, 128, 16})
    for (const std::int64_t shift : {2, 4, 1, 8}) {
      if (shift * 2 > size) continue;
      const auto shows = [&](const Evidence::Item& item, const Stretch& s) {
        return changes(*item.expected, s, size, shift);
      };
      const Params others = {{"shift", static_cast<double>(shift)},
                             {"size", static_cast<double>(size)}};
      auto found = fit_blocks(evidence, size, misfit,
                              {.others = others, .shows = shows, .most = most_bursts});
      if (!found) continue;
      const double left = misfit(*found);
      if (left == 0) return {std::move(*found)};
      if (!std::isfinite(left)) return sets;
      sets.push_back(std::move(*found));
    }
  if (sets.size() > 2) sets.resize(2);
  return sets;
}

Result<void> replay(Replay& r) {
  const auto size = static_cast<std::int64_t>(param(params, r.params, "size"));
  const auto shift = static_cast<std::int64_t>(param(params, r.params, "shift"));
  const double at = param(params, r.params, "at");
  if (size < 2 || shift < 0 || !(at >= 0 && at < 1))
    return Error{"fault lost-bursts",
                 "a burst of " + std::to_string(size) + " from " + std::to_string(at),
                 "size 2 at least, shift 0 or more, a share below 1", ""};
  const auto bytes = static_cast<std::int64_t>(r.out[0].bytes().size());
  const auto blocks = names_stretches(r.params)
                          ? stretches_of(r.params, r.run)
                          : drawn_blocks(bytes, size, param(params, r.params, "share"),
                                         param(params, r.params, "seed"), r.run);
  if (shift > 0) {
    r.out[0] = slipped(r.out[0], blocks, size, shift, at);
  } else if (r.previous && r.previous->bytes().size() == r.out[0].bytes().size()) {
    copy_bytes(r.out[0], *r.previous, blocks);
  }
  return {};
}

}  // namespace

extern constinit const FaultDef fault_lost_bursts = {
    .name = "lost-bursts",
    .claim =
        "bursts {shift?0:do not arrive: what {size#byte} held a run earlier stays|:slip on the "
        "memory bus: the "
        "rest of a block of {size} bytes is {shift#byte} late}",
    .advice =
        "halve the clock of the external memory and run again; repeat equal inputs and compare\n"
        "move activations into internal memory; check timing, drive strength and errata of the "
        "memory interface",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
