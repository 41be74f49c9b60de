// y'[a + j] = y[a + j - shift] from the middle of some 64-byte blocks on: a burst slipped on the bus.
#include <algorithm>
#include <cmath>

#include "fault/fault_runs.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"shift", "bytes by which the rest of a burst slips", 2},
    {"size", "bytes of a burst", 64},
    {"share", "probability that a burst slips", 0.2},
    {"seed", "which bursts", 1},
};

bool applies(const Site& site) { return site.node != no_id && site.view().node.outputs[0] != no_id; }

// The second half of every block in `blocks` slips by `shift`.
Tensor slipped(const Tensor& y, const std::vector<Stretch>& blocks, std::int64_t size, std::int64_t shift) {
  Tensor out = y;
  for (const Stretch& s : blocks)
    for (std::int64_t first = s.first; first < s.first + s.count; first += size) {
      const std::int64_t middle = first + size / 2, end = std::min(first + size, s.first + s.count);
      for (std::int64_t i = middle; i < end; ++i)
        if (i - shift >= first) out.bytes()[static_cast<std::size_t>(i)] = y.bytes()[static_cast<std::size_t>(i - shift)];
    }
  return out;
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
        return !equal_bytes(slipped(*item.expected, {s}, size, shift), *item.expected, {s});
      };
      const Params others = {{"shift", static_cast<double>(shift)}, {"size", static_cast<double>(size)}};
      auto found = fit_blocks(evidence, size, misfit, {.others = others, .shows = shows, .most = most_bursts});
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
  if (size < 2 || shift < 1) return Error{"fault lost-bursts", "a burst of " + std::to_string(size), "size 2 and shift 1 at least", ""};
  const auto bytes = static_cast<std::int64_t>(r.out[0].bytes().size());
  const auto blocks = names_stretches(r.params) ? stretches_of(r.params, r.run)
                                                : drawn_blocks(bytes, size, param(params, r.params, "share"),
                                                               param(params, r.params, "seed"), r.run);
  r.out[0] = slipped(r.out[0], blocks, size, shift);
  return {};
}

}  // namespace

extern constinit const FaultDef fault_lost_bursts = {
    .name = "lost-bursts",
    .claim = "bursts slip on the memory bus: the rest of a block of {size} bytes is {shift#byte} "
             "late",
    .advice = "halve the clock of the external memory and run again; repeat equal inputs and compare\n"
              "move activations into internal memory; check timing, drive strength and errata of the memory interface",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
