// y[i0, i1, ...] = x[i0 mod n0, i1 mod n1, ...], n the extents of x; y's are n[d] * repeats[d]
#include <algorithm>

#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"repeats"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Foreign from[] = {{Format::onnx, "Tile"}, {Format::tflite, "TILE"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1>},
    {codes_rule, first_keeps_codes},
};

constexpr std::int64_t longest = std::int64_t{1} << 27;  // an axis is a list of places

Result<Sources> sources_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const auto repeats = integers_of(*n.constant(1));
  LOCKSTEP_CHECK(checked_count(repeats, n.where()));
  if (repeats.size() != x.size())
    return Error{n.where(), "repeats " + shape_text(repeats),
                 std::to_string(x.size()) + " of them, one per axis", ""};
  Shape y = x;
  for (std::size_t d = 0; d < y.size(); ++d) {
    LOCKSTEP_TRY(y[d], checked_count({y[d], repeats[d]}, n.where()));
  }
  LOCKSTEP_CHECK(checked_count(y, n.where()));
  if (const auto most = std::ranges::max_element(y); most != y.end() && *most > longest)
    return Error{n.where(), "a result of extent " + std::to_string(*most), "at most 2^27", ""};
  Sources sources(x.size());
  for (std::size_t d = 0; d < x.size(); ++d)
    for (std::int64_t i = 0; i < y[d]; ++i) sources[d].push_back(i % x[d]);
  return sources;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Sources sources, sources_of(n));
  const Value& x = n.input(0);
  return std::vector<Facts>{
      {x.dtype, shape_of_sources(sources), quant_of_sources(x.quant, sources)}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Sources sources, sources_of(c.view));
  copy_from_sources(*c.in[0], sources, c.out[0]);
  return {};
}

}  // namespace

extern constinit const OpDef op_tile = {
    .name = "Tile",
    .meaning =
        "y[i0, i1, ...] = x[i0 mod n0, i1 mod n1, ...], n the extents of x; y's are n[d] * "
        "repeats[d]",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
