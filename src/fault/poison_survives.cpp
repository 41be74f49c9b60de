// y'[i] = poison on a stretch that was never written: the pattern that the memory was filled with
// shows.
#include <algorithm>
#include <cmath>

#include "fault/fault_runs.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"value", "the byte that the memory was filled with", 0x55, Takes::up_to(255)},
    {"share", "probability that a block of 64 bytes is not written", 0.3, Takes::share()},
    {"seed", "which blocks", 1},
    {"from", "first byte that is not written, and none after it; -1: blocks", -1},
};
constexpr std::int64_t kBlock = 64;

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id;
}

// The byte that most differing positions show, when it is most of them.
int common_byte(const Evidence& evidence) {
  std::vector<std::int64_t> seen(256, 0);
  std::int64_t all = 0;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected) continue;
    const auto observed = item.observed->bytes(), expected = item.expected->bytes();
    for (std::size_t i = 0; i < std::min(observed.size(), expected.size()); ++i)
      if (observed[i] != expected[i]) ++seen[static_cast<std::size_t>(observed[i])], ++all;
  }
  const auto top = std::ranges::max_element(seen);
  return all >= 4 && *top * 10 >= all * 9 ? static_cast<int>(top - seen.begin()) : -1;
}

bool filled(const Tensor& t, std::int64_t from, std::int64_t count, int value) {
  const auto bytes =
      t.bytes().subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(count));
  return std::ranges::all_of(bytes,
                             [&](std::byte b) { return b == static_cast<std::byte>(value); });
}

// Where the poison begins, when it fills all that follows and nothing before it differs, in every
// run alike; else -1.
double tail_of(const Evidence& evidence, int value) {
  std::int64_t from = -1, bytes = 0;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected) continue;
    bytes = static_cast<std::int64_t>(item.observed->bytes().size());
    const auto spots = differing_blocks(*item.observed, *item.expected, 1);
    if (!spots.empty()) from = from < 0 ? spots.front().first : std::min(from, spots.front().first);
  }
  for (const Evidence::Item& item : evidence.items)
    if (from < 0 || (item.observed && !filled(*item.observed, from, bytes - from, value)))
      return -1;
  return static_cast<double>(from);
}

// What debuggers, allocators and erased memory leave.
constexpr int kPatterns[] = {0x55, 0xaa, 0xa5, 0x5a, 0x00, 0xff, 0x80, 0xcc, 0xcd};

std::vector<Params> fit(const Site& site, const Evidence& evidence, const Misfit& misfit) {
  const Value& y = site.view().output(0);
  const std::int64_t bytes = count_of(y.shape) * static_cast<std::int64_t>(size_of(y.dtype));
  std::vector<Params> sets;
  for (const int value : kPatterns) {
    const auto found = least_misfit(
        [&](std::int64_t from) {
          return misfit({{"value", value}, {"from", static_cast<double>(from)}});
        },
        0, bytes - 1);
    if (!found) break;
    sets.push_back({{"value", value}, {"from", found->low}});
    if (found->misfit == 0) return {sets.back()};
  }
  for (const int value : kPatterns) {
    const auto shows = [&](const Evidence::Item& item, const Stretch& s) {
      return !filled(*item.expected, s.first, s.count, value);
    };
    auto found = fit_blocks(evidence, kBlock, misfit,
                            {.others = {{"value", value}}, .shows = shows, .most = 96});
    if (!found) break;
    const double left = misfit(*found);
    if (left == 0) return {std::move(*found)};
    if (!std::isfinite(left)) break;
  }
  return sets;
}

// Memory that was not written knows nothing of the values: where all codes below (or above) the
// poison's own are gone and no other, something clipped them.
bool clips(const Evidence& evidence, int value) {
  for (const bool below : {true, false}) {
    bool all = true, some = false;
    for (const Evidence::Item& item : evidence.items) {
      if (!item.observed || !item.expected || is_float(item.observed->dtype()) ||
          size_of(item.observed->dtype()) != 1)
        continue;
      some = true;
      const std::int64_t poison =
          item.observed->dtype() == DType::u8 ? value : static_cast<std::int8_t>(value);
      for (std::int64_t i = 0; all && i < item.observed->count(); ++i) {
        const std::int64_t right = item.expected->code(i);
        all =
            item.observed->code(i) == ((below ? right < poison : right > poison) ? poison : right);
      }
    }
    if (all && some) return true;
  }
  return false;
}

// Stretches of single bytes here and there are no memory's either.
bool in_stretches(const Params& found, const Evidence& evidence) {
  constexpr std::int64_t least = 6;  // bytes on average
  std::int64_t bytes = 0, stretches = 0;
  for (const Evidence::Item& item : evidence.items)
    for (const Stretch& s : stretches_of(found, item.run)) bytes += s.count, ++stretches;
  return stretches <= static_cast<std::int64_t>(evidence.items.size()) ||
         bytes >= least * stretches;
}

// The same stretches for all runs, all that differs in any: where every run holds poison on them.
std::optional<Params> alike_in_all_runs(const Params& found, const Evidence& evidence, int value) {
  std::vector<Stretch> all;
  for (const Evidence::Item& item : evidence.items)
    std::ranges::copy(stretches_of(found, item.run), std::back_inserter(all));
  std::ranges::sort(all, {}, &Stretch::first);
  std::vector<Stretch> joined;
  for (const Stretch& s : all) {
    const std::int64_t end = joined.empty() ? -1 : joined.back().first + joined.back().count;
    if (s.first <= end)
      joined.back().count = std::max(end, s.first + s.count) - joined.back().first;
    else
      joined.push_back(s);
  }
  Params alike = {{"value", static_cast<double>(value)}};
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected) continue;
    for (const Stretch& s : joined)
      if (!filled(*item.observed, s.first, s.count, value)) return std::nullopt;
    put_stretches(alike, item.run, joined);
  }
  return alike;
}

std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  const int value = common_byte(evidence);
  if (value < 0) return {};
  if (const double from = tail_of(evidence, value); from >= 0)
    return {{{"value", static_cast<double>(value)}, {"from", from}}};
  Params found = {{"value", static_cast<double>(value)}};
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected) continue;
    Tensor poison = *item.observed;
    std::ranges::fill(poison.bytes(), static_cast<std::byte>(value));
    std::vector<Stretch> stretches;
    for (Stretch s : differing_blocks(*item.observed, *item.expected, 1)) {
      if (!equal_bytes(*item.observed, poison, {s})) return {};
      if (!stretches.empty()) {  // what lies between two is poison as well, or they stay two
        const Stretch& last = stretches.back();
        const std::int64_t gap = last.first + last.count;
        if (equal_bytes(*item.observed, poison, {{gap, s.first - gap}}))
          s = {last.first, s.first + s.count - last.first}, stretches.pop_back();
      }
      stretches.push_back(s);
    }
    put_stretches(found, item.run, stretches);
  }
  if (clips(evidence, value) || !in_stretches(found, evidence)) return {};
  if (auto alike = alike_in_all_runs(found, evidence, value)) return {std::move(*alike)};
  return {found};
}

Result<void> replay(Replay& r) {
  const double value = param(params, r.params, "value");
  if (!(value >= 0 && value <= 255))
    return Error{"fault poison-survives", "value " + std::to_string(value), "0 .. 255", ""};
  Tensor poison = r.out[0];
  std::ranges::fill(poison.bytes(), static_cast<std::byte>(static_cast<int>(value)));
  const auto bytes = static_cast<std::int64_t>(poison.bytes().size());
  const auto from = static_cast<std::int64_t>(param(params, r.params, "from"));
  if (from >= 0) {
    if (from < bytes) copy_bytes(r.out[0], poison, {{from, bytes - from}});
    return {};
  }
  copy_bytes(r.out[0], poison,
             names_stretches(r.params)
                 ? stretches_of(r.params, r.run)
                 : drawn_blocks(bytes, kBlock, param(params, r.params, "share"),
                                param(params, r.params, "seed"), 0));
  return {};
}

}  // namespace

extern constinit const FaultDef fault_poison_survives = {
    .name = "poison-survives",
    .claim =
        "{from?-1:parts of the output are|:the output from byte {from} on is} never written: "
        "byte {value} stays there",
    .advice =
        "check the access rights of the accelerator for writing, at the granule where the stretch "
        "begins and ends\n"
        "check that the operation runs at all and writes to the address that is read",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
