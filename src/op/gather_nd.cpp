// y[b.., i.., r..] = x[b.., k0, k1, .., r..] with (k0, k1, ..) = indices[b.., i.., :]
#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"indices"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"batch_dims", "0", "outer axes that x and indices share"}};
constexpr Foreign from[] = {{Format::onnx, "GatherND"}, {Format::tflite, "GATHER_ND"}};
constexpr Rule rules[] = {
    {"indices are int32 or int64 and no scalar",
     [](const NodeView& n) {
       const Value& indices = n.input(1);
       return (indices.dtype == DType::i32 || indices.dtype == DType::i64) &&
              !indices.shape.empty();
     }},
    {codes_rule, first_keeps_codes},
};

// Axes shared, and axes that one index names.
struct Axes {
  std::size_t batch = 0, named = 0;
};

Result<Axes> axes_of(const NodeView& n) {
  const Shape &x = n.input(0).shape, &indices = n.input(1).shape;
  const std::int64_t batch = n.attrs().integer("batch_dims", 0), named = indices.back();
  const auto rank = static_cast<std::int64_t>(x.size());
  if (batch < 0 || batch >= static_cast<std::int64_t>(indices.size()) || named < 1 ||
      named > rank - batch)
    return Error{
        n.where(),
        "indices of shape " + shape_text(indices) + " with batch_dims " + std::to_string(batch),
        "an innermost extent of 1 .. " + std::to_string(rank - batch), ""};
  if (!std::equal(x.begin(), x.begin() + batch, indices.begin()))
    return Error{n.where(), "indices of shape " + shape_text(indices),
                 "the outer extents of " + shape_text(x), ""};
  return Axes{static_cast<std::size_t>(batch), static_cast<std::size_t>(named)};
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Axes axes, axes_of(n));
  const Value &x = n.input(0), &indices = n.input(1);
  Shape y(indices.shape.begin(), indices.shape.end() - 1);
  y.insert(y.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axes.batch + axes.named),
           x.shape.end());
  return std::vector<Facts>{
      {x.dtype, std::move(y), x.quant.per_channel() ? QuantParams{} : x.quant}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Axes axes, axes_of(c.view));
  const Tensor &x = *c.in[0], &indices = *c.in[1];
  if (c.out[0].count() == 0) return {};
  const Shape strides = strides_of(x.shape());
  const auto named = static_cast<std::int64_t>(axes.named);
  const std::int64_t picks = indices.count() / named;
  std::int64_t batches = 1;
  for (std::size_t d = 0; d < axes.batch; ++d) batches *= x.shape()[d];
  const std::size_t block = c.out[0].bytes().size() / static_cast<std::size_t>(picks);
  for (std::int64_t i = 0; i < picks; ++i) {
    std::int64_t at = i / (picks / batches) * (x.count() / batches);
    for (std::int64_t k = 0; k < named; ++k) {
      const std::size_t d = axes.batch + static_cast<std::size_t>(k);
      const std::int64_t index = indices.code(i * named + k), extent = x.shape()[d];
      if (index < -extent || index >= extent)
        return Error{c.view.where(), "index " + std::to_string(index),
                     std::to_string(-extent) + " .. " + std::to_string(extent - 1), ""};
      at += strides[d] * (index < 0 ? index + extent : index);
    }
    std::memcpy(c.out[0].bytes().data() + static_cast<std::size_t>(i) * block,
                x.bytes().data() + static_cast<std::size_t>(at) * size_of(x.dtype()), block);
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_gather_nd = {
    .name = "GatherND",
    .meaning =
        "y[b.., i.., r..] = x[b.., k0, k1, .., r..] with (k0, k1, ..) = indices[b.., i.., :]",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
