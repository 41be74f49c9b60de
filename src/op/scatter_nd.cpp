// y = x with the rows that the indices name replaced by the updates.
#include <cstring>

#include "base/text.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"indices"}, {"updates"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"reduction", "none", "none: an update replaces what was there"}};
constexpr Rule rules[] = {
    {"indices are int64, the updates have the type of x, and nothing is reduced",
     [](const NodeView& n) {
       return n.input(1).dtype == DType::i64 && n.input(2).dtype == n.input(0).dtype && n.attrs().text("reduction", "none") == "none";
     }},
    {"x and updates have the same scale and zero point when quantized",
     [](const NodeView& n) { return n.input(2).quant == n.input(0).quant; }},
};
constexpr Foreign from[] = {{Format::onnx, "ScatterND"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Shape &x = n.input(0).shape, &indices = n.input(1).shape;
  const std::int64_t depth = indices.empty() ? 0 : indices.back();
  if (depth < 1 || depth > std::ssize(x))
    return Error{n.where(), "indices of shape " + shape_text(indices), "a last axis of 1 .. " + std::to_string(x.size()), ""};
  Shape want(indices.begin(), indices.end() - 1);
  want.insert(want.end(), x.begin() + depth, x.end());
  if (n.input(2).shape != want)
    return Error{n.where(), "updates of shape " + shape_text(n.input(2).shape), shape_text(want), ""};
  return std::vector<Facts>{{n.input(0).dtype, x, n.input(0).quant}};
}

Result<void> eval(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  const Shape strides = strides_of(shape);
  const auto depth = static_cast<std::size_t>(c.in[1]->shape().back());
  const auto indices = c.in[1]->as<std::int64_t>();
  LOCKSTEP_CHECK(copy_whole(c));
  const std::size_t block =
      static_cast<std::size_t>(count_of(Shape(shape.begin() + static_cast<std::ptrdiff_t>(depth), shape.end()))) * size_of(c.in[0]->dtype());
  if (block == 0) return {};
  for (std::size_t row = 0; row < indices.size() / depth; ++row) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < depth; ++d) {
      const std::int64_t index = indices[row * depth + d];
      if (index < -shape[d] || index >= shape[d])
        return Error{c.view.where(), "index " + std::to_string(index), std::to_string(-shape[d]) + " .. " + std::to_string(shape[d] - 1), ""};
      at += (index < 0 ? index + shape[d] : index) * strides[d];
    }
    std::memcpy(c.out[0].bytes().data() + static_cast<std::size_t>(at) * size_of(c.in[0]->dtype()),
                c.in[2]->bytes().data() + row * block, block);
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_scatter_nd = {
    .name = "ScatterND",
    .meaning = "y = x with the rows that the indices name replaced by the updates",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
