#include "op/op_quantization.h"

#include "base/text.h"
#include "num/ort_codes.h"

namespace lockstep {

Result<ScaleLayout> scale_layout(const NodeView& n, const Shape& shape, const Shape& scale) {
  ScaleLayout layout;
  if (count_of(scale) == 1 && n.attrs().integer("block_size", 0) == 0) return layout;
  if (count_of(scale) == 1 && scale.size() < 2)
    return Error{n.where(),
                 "attribute block_size " + std::to_string(n.attrs().integer("block_size", 0)) +
                     " with one scale for the whole tensor",
                 "block_size 0, or as many scales as there are blocks",
                 "runtimes refuse it too: quantize the model again"};
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::int64_t axis = n.attrs().integer("axis", 1);
  if (axis < -rank || axis >= rank)
    return Error{n.where(), "axis " + std::to_string(axis),
                 std::to_string(-rank) + " .. " + std::to_string(rank - 1), ""};
  if (axis < 0) axis += rank;
  layout.axis = axis;
  layout.extent = shape[static_cast<std::size_t>(axis)];
  for (std::size_t i = static_cast<std::size_t>(axis) + 1; i < shape.size(); ++i)
    layout.inner *= shape[i];
  layout.block = n.attrs().integer("block_size", 0);
  if (layout.block < 0 || layout.block > (std::int64_t{1} << 31))
    return Error{n.where(), "block_size " + std::to_string(layout.block), "0 .. 2^31", ""};
  if (layout.block == 0) {
    if (scale.size() == 1 && scale[0] == layout.extent) return layout;
    return Error{
        n.where(), "scale of shape " + shape_text(scale),
        "one element, or " + std::to_string(layout.extent) + " along axis " + std::to_string(axis),
        ""};
  }
  if (scale.size() != shape.size())
    return Error{n.where(),
                 "block_size " + std::to_string(layout.block) + " with a scale of shape " +
                     shape_text(scale),
                 "a scale of the tensor's own rank " + std::to_string(rank),
                 "block_size belongs to blocked scales only"};
  layout.blocks = scale[static_cast<std::size_t>(axis)];
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t want = i == static_cast<std::size_t>(axis)
                                  ? (shape[i] + layout.block - 1) / layout.block
                                  : shape[i];
    if (scale[i] != want)
      return Error{n.where(), "scale of shape " + shape_text(scale),
                   std::to_string(want) + " along axis " + std::to_string(i), ""};
  }
  return layout;
}

QuantParams quant_of(const NodeView& n, const Tensor* scale, const Tensor* zero, std::size_t rank) {
  QuantParams q;
  if (!scale || (n.has_input(2) && !zero) || n.attrs().integer("block_size", 0) != 0) return q;
  for (std::int64_t i = 0; i < scale->count(); ++i) {
    q.scale.push_back(scale->number(i));
    q.zero.push_back(zero ? static_cast<std::int32_t>(zero->code(zero->count() > 1 ? i : 0)) : 0);
    if (!(q.scale.back() > 0) || q.scale.back() > 1e30) return {};
  }
  if (q.per_channel()) {
    q.axis = static_cast<int>(n.attrs().integer("axis", 1));
    if (q.axis < 0) q.axis += static_cast<int>(rank);
  }
  return q;
}

const QuantizePolicy& quantize_policy(const Numerics& num) {
  return num.quantize ? *num.quantize : ort_quantize;
}

}  // namespace lockstep
