// y'[i] = y[i + by]: the output is stored off its place; what is not written stays as in the run
// before, or 0.
#include <algorithm>
#include <array>
#include <cstring>

#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"by", "elements by which the output lies too early (negative: too late)", 4}};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id;
}

Result<void> replay(Replay& r) {
  Tensor& y = r.out[0];
  const auto by = static_cast<std::int64_t>(param(params, r.params, "by"));
  const auto width = static_cast<std::int64_t>(size_of(y.dtype())), count = y.count();
  Tensor out = shifted(y, by);
  if (r.previous_shown && r.previous_shown->count() == count) {
    const std::int64_t first = by > 0 ? std::max<std::int64_t>(0, count - by) : 0,
                       end = by > 0 ? count : std::min(count, -by);
    std::memcpy(out.bytes().data() + first * width,
                r.previous_shown->bytes().data() + first * width,
                static_cast<std::size_t>((end - first) * width));
  }
  y = std::move(out);
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  const Shape& shape = site.view().output(0).shape;
  for (std::int64_t by = 1; by <= 64 && by < count_of(shape); ++by)
    for (const std::int64_t sign : {1, -1})
      sets.push_back({{"by", static_cast<double>(by * sign)}});
  for (std::size_t a = 1; a <= shape.size(); ++a) {
    const std::int64_t row = count_of({shape.end() - static_cast<std::ptrdiff_t>(a), shape.end()});
    if (row > 64 && row < count_of(shape))
      for (const std::int64_t sign : {1, -1})
        sets.push_back({{"by", static_cast<double>(row * sign)}});
  }
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_output_shifted = {
    .name = "output-shifted",
    .claim = "the output lies {by#element} too {by?<0:late|:early}",
    .advice =
        "check the alignment of the output buffer: vector stores drop the low bits of an address\n"
        "check row offset and stride in the output's descriptor",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
