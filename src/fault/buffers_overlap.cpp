// y'[to .. to + count) = the bytes of another live tensor: two buffers overlap in the pool.
#include <algorithm>
#include <cstring>

#include "fault/fault_other.h"
#include "fault/fault_runs.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"other", "the tensor that overwrites, by its number in the graph; -1: the nearest before", -1},
    {"to", "first byte that is overwritten", 0},
    {"from", "byte of the other tensor that lands there", 0},
    {"count", "bytes that are overwritten; 0: a tenth", 0},
};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id && other_tensor(site, {}, 1) != no_id;
}

std::vector<ValueId> reads(const Site& site, const Params& p) {
  const ValueId id = other_tensor(site, p, 1);
  return id == no_id ? std::vector<ValueId>{} : std::vector<ValueId>{id};
}

// Where `needle` occurs in `hay`, -1 when nowhere.
std::int64_t find_bytes(std::span<const std::byte> hay, std::span<const std::byte> needle) {
  const auto at = std::search(hay.begin(), hay.end(), needle.begin(), needle.end());
  return at == hay.end() ? -1 : at - hay.begin();
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const Evidence::Item* item = nullptr;
  for (const Evidence::Item& i : evidence.items)
    if (!item && i.observed && i.expected && i.find && !differing_blocks(*i.observed, *i.expected, 1).empty()) item = &i;
  if (!item) return {};
  const auto spots = differing_blocks(*item->observed, *item->expected, 1);
  const std::int64_t to = spots.front().first, count = spots.back().first + spots.back().count - to;
  if (count < 8) return {};  // too short to recognize another tensor by
  std::vector<Params> sets;
  const auto needle = item->observed->bytes().subspan(static_cast<std::size_t>(to), static_cast<std::size_t>(count));
  const Params none;
  for (const ValueId id : other_tensors(site, count)) {
    const Replay r{site, none, item->in, {}, nullptr, nullptr, nullptr, item->find, 0};
    const Tensor* other = contents_of(r, id);
    const std::int64_t from = other ? find_bytes(other->bytes(), needle) : -1;
    if (from < 0 || sets.size() >= 4) continue;
    sets.push_back({{"other", id}, {"to", static_cast<double>(to)}, {"from", static_cast<double>(from)}, {"count", static_cast<double>(count)}});
  }
  return sets;
}

Result<void> replay(Replay& r) {
  const ValueId id = other_tensor(r.site, r.params, 1);
  const Tensor* other = contents_of(r, id);
  if (!other) return Error{r.site.view().where(), "the other tensor is not at hand", "one that is made before the node", ""};
  const auto bytes = static_cast<std::int64_t>(r.out[0].bytes().size()), size = static_cast<std::int64_t>(other->bytes().size());
  const auto to = static_cast<std::int64_t>(param(params, r.params, "to")), from = static_cast<std::int64_t>(param(params, r.params, "from"));
  auto count = static_cast<std::int64_t>(param(params, r.params, "count"));
  if (count <= 0) count = std::max<std::int64_t>(bytes / 10, 16);
  if (to < 0 || from < 0 || to >= bytes || from >= size)
    return Error{"fault buffers-overlap", "to=" + std::to_string(to) + ", from=" + std::to_string(from), "bytes inside the two tensors", ""};
  count = std::min({count, bytes - to, size - from});
  std::memcpy(r.out[0].bytes().data() + to, other->bytes().data() + from, static_cast<std::size_t>(count));
  return {};
}

}  // namespace

extern constinit const FaultDef fault_buffers_overlap = {
    .name = "buffers-overlap",
    .claim = "{count} bytes of the output are overwritten by tensor {other}: their buffers overlap",
    .advice = "compare the addresses and sizes of the two buffers in the memory map\n"
              "test with a larger pool, without in-place operation, or with the tensor kept as an output",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .reads = reads,
};

}  // namespace lockstep
