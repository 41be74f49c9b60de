// y'[to .. to + count) = the bytes of another live tensor: two buffers overlap in the pool.
#include <algorithm>
#include <cstring>

#include "fault/fault_other.h"
#include "fault/fault_runs.h"
#include "fault/fault_search.h"
#include "fault/fault_work.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"other", "the tensor that overwrites, by its number in the graph; -1: the nearest before", -1},
    {"to", "first byte that is overwritten", 0},
    {"from", "byte of the other tensor that lands there", 0},
    {"count", "bytes that are overwritten; 0: a tenth", 0},
};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id &&
         other_tensor(site, {}, 1) != no_id;
}

std::vector<ValueId> reads(const Site& site, const Params& p) {
  const ValueId id = other_tensor(site, p, 1);
  return id == no_id ? std::vector<ValueId>{} : std::vector<ValueId>{id};
}

struct Seen {
  std::span<const std::byte> observed, other;
  std::int64_t first = 0, end = 0;  // the differing bytes lie within; equal when none differ
};

// Whether bytes first .. end of the output hold those of the other tensor `shift` further on, in
// every run.
bool holds(const std::vector<Seen>& seen, std::int64_t first, std::int64_t end,
           std::int64_t shift) {
  for (const Seen& s : seen) {
    if (s.first == s.end)
      continue;  // nothing shows in this run; what is equal may lie there by chance
    if (first + shift < 0 || end + shift > static_cast<std::int64_t>(s.other.size())) return false;
    if (std::memcmp(s.observed.data() + first, s.other.data() + first + shift,
                    static_cast<std::size_t>(end - first)) != 0)
      return false;
  }
  return true;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::int64_t first = -1, end = 0, shown = 0;
  for (const Evidence::Item& i : evidence.items) {
    if (!i.observed || !i.expected) continue;
    const auto spots = differing_blocks(*i.observed, *i.expected, 1);
    if (spots.empty()) continue;
    first = first < 0 ? spots.front().first : std::min(first, spots.front().first);
    end = std::max(end, spots.back().first + spots.back().count);
    shown += total(spots);
  }
  if (first < 0 || shown < 4) return {};  // too few to recognize another tensor by
  std::vector<Params> sets;
  const Params none;
  for (const ValueId id : other_tensors(site, end - first)) {
    std::vector<Seen> seen;
    for (const Evidence::Item& i : evidence.items) {
      if (!i.observed || !i.expected) continue;
      const Replay r{site, none, i.in, {}, nullptr, nullptr, nullptr, i.find, 0};
      const Tensor* other = contents_of(r, id);
      if (!other) break;
      const bool differs = !(*i.observed == *i.expected);
      seen.push_back({i.observed->bytes(), other->bytes(), 0, differs ? 1 : 0});
    }
    if (seen.empty() || sets.size() >= 4) continue;
    const auto size = static_cast<std::int64_t>(seen[0].other.size());
    if (!spend(2 * work_of_element * static_cast<double>(size))) break;
    for (std::int64_t from = 0; from + (end - first) <= size; ++from)
      if (holds(seen, first, end, from - first)) {
        sets.push_back({{"other", id},
                        {"to", static_cast<double>(first)},
                        {"from", static_cast<double>(from)},
                        {"count", static_cast<double>(end - first)}});
        break;
      }
  }
  return sets;
}

// Unobserved: how much of the begin of a tensor made before lands on the begin of this one, or on
// its end.
std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  constexpr std::size_t most_others = 6;
  const auto bytes_of = [&](const Value& v) {
    return count_of(v.shape) * static_cast<std::int64_t>(size_of(v.dtype));
  };
  const std::int64_t bytes = bytes_of(site.view().output(0));
  std::vector<Params> sets;
  std::size_t tried = 0;
  for (const ValueId id : other_tensors(site, 1)) {
    if (site.graph().value(id).producer >= site.node || tried++ == most_others) break;
    const std::int64_t most = std::min(bytes, bytes_of(site.graph().value(id)));
    for (const bool at_end : {false, true}) {
      const auto with = [&](std::int64_t count) -> Params {
        return {{"other", id},
                {"to", at_end ? static_cast<double>(bytes - count) : 0.0},
                {"from", 0},
                {"count", static_cast<double>(count)}};
      };
      const auto found =
          least_misfit([&](std::int64_t count) { return misfit(with(count)); }, 1, most);
      if (!found) return sets;
      sets.push_back(with(static_cast<std::int64_t>(found->low)));
      if (found->misfit == 0) return {sets.back()};
    }
  }
  return sets;
}

Result<void> replay(Replay& r) {
  const ValueId id = other_tensor(r.site, r.params, 1);
  const Tensor* other = contents_of(r, id);
  if (!other)
    return Error{r.site.view().where(), "the other tensor is not at hand",
                 "one that is made before the node", ""};
  const auto bytes = static_cast<std::int64_t>(r.out[0].bytes().size()),
             size = static_cast<std::int64_t>(other->bytes().size());
  const auto to = static_cast<std::int64_t>(param(params, r.params, "to")),
             from = static_cast<std::int64_t>(param(params, r.params, "from"));
  auto count = static_cast<std::int64_t>(param(params, r.params, "count"));
  if (count <= 0) count = std::max<std::int64_t>(bytes / 10, 16);
  if (to < 0 || from < 0 || to >= bytes || from >= size)
    return Error{"fault buffers-overlap",
                 "to=" + std::to_string(to) + ", from=" + std::to_string(from),
                 "bytes inside the two tensors", ""};
  count = std::min({count, bytes - to, size - from});
  std::memcpy(r.out[0].bytes().data() + to, other->bytes().data() + from,
              static_cast<std::size_t>(count));
  return {};
}

}  // namespace

extern constinit const FaultDef fault_buffers_overlap = {
    .name = "buffers-overlap",
    .claim =
        "{count?0:a tenth of the output is|:{count#byte} of the output, from byte {to} on, "
        "are} overwritten by tensor {other}: their buffers overlap",
    .advice =
        "compare the addresses and sizes of the two buffers in the memory map\n"
        "test with a larger pool, without in-place operation, or with the tensor kept as an output",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .reads = reads,
    .fit = fit,
};

}  // namespace lockstep
