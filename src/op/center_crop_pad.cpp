// y = the middle of x, or x in the middle of zeros, on each axis: floor of half the difference
// before x
#include <algorithm>

#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"shape"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"axes", "0, 1, ...", "the axes whose extents `shape` gives"}};
constexpr Foreign from[] = {{Format::onnx, "CenterCropPad"}};
constexpr Rule rules[] = {
    {constant_rule, constants_if_there<1>},
    {codes_rule, first_keeps_codes},
};

Result<Sources> sources_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const Shape wanted = integers_of(*n.constant(1));
  LOCKSTEP_CHECK(checked_count(wanted, n.where()));
  const auto asked = n.attrs().integers("axes", index_run(0, static_cast<std::int64_t>(x.size())));
  LOCKSTEP_TRY(const auto axes, normal_axes(n, asked, x.size()));
  if (wanted.size() != axes.size())
    return Error{n.where(), "shape " + shape_text(wanted),
                 std::to_string(axes.size()) + " extents, one per axis", ""};
  Sources sources = all_of(x);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t extent = x[axes[i]];
    if (wanted[i] < 0 || wanted[i] > std::int64_t{1} << 27)
      return Error{n.where(), "extent " + std::to_string(wanted[i]), "0 .. 2^27", ""};
    const std::int64_t cut = std::max<std::int64_t>(extent - wanted[i], 0) / 2;
    const std::int64_t before = std::max<std::int64_t>(wanted[i] - extent, 0) / 2;
    auto& source = sources[axes[i]];
    source = index_run(cut - before, wanted[i]);
    for (std::int64_t& index : source)
      if (index < 0 || index >= extent) index = no_source;
  }
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
  std::ranges::fill(c.out[0].bytes(), std::byte{0});
  copy_from_sources(*c.in[0], sources, c.out[0]);
  return {};
}

}  // namespace

extern constinit const OpDef op_center_crop_pad = {
    .name = "CenterCropPad",
    .meaning = "y = the middle of x, or x in the middle of zeros, on each axis",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
