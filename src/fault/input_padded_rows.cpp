// x' = rows of x padded to a multiple, then read as if they were dense.
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"multiple", "elements to a multiple of which rows are padded", 16},
    {"fill", "what lies in the padding", 0},
};

std::int64_t row_of(const Site& site) {
  const Shape& shape = site.graph().value(site.input).shape;
  return shape.empty() ? 0 : shape.back();
}

bool applies(const Site& site) {
  return site.input != no_id && row_of(site) > 0 && row_of(site) % 64 != 0 &&
         count_of(site.graph().value(site.input).shape) > row_of(site);
}

Result<void> replay(Replay& r) {
  const auto multiple = static_cast<std::int64_t>(param(params, r.params, "multiple"));
  if (multiple < 1)
    return Error{"fault input-padded-rows", "multiple " + std::to_string(multiple), "at least 1",
                 ""};
  r.out[0] = with_padded_rows(r.out[0], multiple,
                              static_cast<std::int64_t>(param(params, r.params, "fill")));
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence&) {
  std::vector<Params> sets;
  for (const std::int64_t multiple : {4, 8, 16, 32, 64})
    if (row_of(site) % multiple != 0)
      sets.push_back({{"multiple", static_cast<double>(multiple)}, {"fill", 0}});
  return sets;
}

}  // namespace

extern constinit const FaultDef fault_input_padded_rows = {
    .name = "input-padded-rows",
    .claim =
        "rows of the input are padded to multiples of {multiple} elements and read as if they were "
        "dense",
    .advice = "send the rows with the stride that the input's descriptor names",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
