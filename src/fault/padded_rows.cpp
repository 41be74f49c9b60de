// y' = rows of y padded to a multiple, then read as if they were dense.
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"multiple", "elements to a multiple of which rows are padded", 16},
    {"fill", "what lies in the padding", 0},
};

std::int64_t row_of(const Site& site) {
  const Shape& shape = site.view().output(0).shape;
  return shape.empty() ? 0 : shape.back();
}

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id && row_of(site) > 0 &&
         row_of(site) % 64 != 0 && count_of(site.view().output(0).shape) > row_of(site);
}

Result<void> replay(Replay& r) {
  const auto multiple = static_cast<std::int64_t>(param(params, r.params, "multiple"));
  if (multiple < 1)
    return Error{"fault padded-rows", "multiple " + std::to_string(multiple), "at least 1", ""};
  r.out[0] = with_padded_rows(r.out[0], multiple,
                              static_cast<std::int64_t>(param(params, r.params, "fill")));
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const Value& y = site.view().output(0);
  std::vector<Params> sets;
  for (const std::int64_t multiple : {4, 8, 16, 32, 64}) {
    if (row_of(site) % multiple == 0) continue;
    sets.push_back({{"multiple", static_cast<double>(multiple)}, {"fill", 0}});
    if (is_coded(y) && y.quant.zero_at(0) != 0)
      sets.push_back({{"multiple", static_cast<double>(multiple)}, {"fill", y.quant.zero_at(0)}});
  }
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_padded_rows = {
    .name = "padded-rows",
    .claim =
        "rows of the output are padded to multiples of {multiple} elements and read as if they "
        "were dense",
    .advice = "read the stride from the buffer's descriptor and skip the padding",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
