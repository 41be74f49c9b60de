// y' = the output with the bytes of every word in reverse, as it lies in memory.
#include "fault/fault_input.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"width", "bytes of a word: 2 or 4; 0: the output's own element, or 4 for bytes", 0},
    {"last", "1: in a memory that holds channels last, where the model holds them first", 0,
     Takes::flag()},
};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id;
}

// In the order of channels last, which element stands where; empty where the model holds them so.
std::vector<std::int64_t> channels_last_order(const Site& site, const Shape& shape) {
  if (shape.size() < 3 || channel_axis(site.view(), shape) != 1) return {};
  std::vector<std::int64_t> source(static_cast<std::size_t>(count_of(shape)));
  const std::int64_t inner = count_of({shape.begin() + 2, shape.end()}), channels = shape[1];
  if (inner < 2 || channels < 2) return {};
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    source[i] =
        (at / (inner * channels) * channels + at % channels) * inner + at / channels % inner;
  }
  return source;
}

Result<void> replay(Replay& r) {
  auto width = static_cast<std::int64_t>(param(params, r.params, "width"));
  if (width == 0)
    width =
        size_of(r.out[0].dtype()) > 1 ? static_cast<std::int64_t>(size_of(r.out[0].dtype())) : 4;
  if (width < 2 || width > 8)
    return Error{"fault byte-order", "width " + std::to_string(width), "2 .. 8 bytes", ""};
  const auto last = param(params, r.params, "last") != 0
                        ? channels_last_order(r.site, r.out[0].shape())
                        : std::vector<std::int64_t>{};
  if (!last.empty()) gather(r.out[0], last);
  swap_bytes(r.out[0], width);
  if (!last.empty()) gather(r.out[0], inverse(last));
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets = {{{"width", 2}}, {{"width", 4}}, {{"width", 8}}};
  if (!channels_last_order(site, site_value(site).shape).empty())
    for (const double width : {4.0, 8.0, 2.0}) sets.push_back({{"width", width}, {"last", 1}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_byte_order = {
    .name = "byte-order",
    .claim =
        "the bytes of every {width?0:|:{width}-byte }word of the output are "
        "reversed{last?0:|1:, in a memory that holds channels last}",
    .advice =
        "check the word size of the transfer that moves this buffer (DMA, bus bridge, external "
        "memory)",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
