// y = x with the rows that the indices name replaced by the updates.
#include <cstring>

#include "base/text.h"
#include "op/op_binary.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"indices"}, {"updates"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"reduction", "none", "none: an update replaces what was there; or add, mul, max, min"}};
constexpr Rule rules[] = {
    {"indices are int32 or int64, the updates have the type of x, which is not float16 or bool "
     "where they are reduced",
     [](const NodeView& n) {
       const DType x = n.input(0).dtype, i = n.input(1).dtype;
       const std::string how = n.attrs().text("reduction", "none");
       const bool known = how == "add" || how == "mul" || how == "max" || how == "min";
       return (i == DType::i64 || i == DType::i32) && n.input(2).dtype == x &&
              (how == "none" || (known && x != DType::f16 && x != DType::boolean));
     }},
    {"x and updates have the same scale and zero point when quantized",
     [](const NodeView& n) { return n.input(2).quant == n.input(0).quant; }},
};

// Into zeros of a constant shape, where updates of one place are added.
Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_TRY(const Tensor* const shape, constant_input(f, graph, 2, "shape"));
  if (!shape || !has_input(f, 1))
    return Error{f.where, "no shape", "indices, updates and a constant shape", ""};
  const Value updates = input_of(f, graph, 1);
  const Shape extents = integers_of(*shape);
  LOCKSTEP_TRY(const std::int64_t count, checked_count(extents, f.where));
  if (count > (std::int64_t{1} << 29) / static_cast<std::int64_t>(size_of(updates.dtype)))
    return Error{f.where, "a result " + shape_text(extents), "at most 512 MiB", ""};
  const ValueId zeros = add_constant(f, graph, "zeros", Tensor(updates.dtype, extents));
  graph.value(zeros).quant = updates.quant;
  Attrs a;
  a.set("reduction", std::string("add"));
  return add_like(f, graph, "ScatterND", {zeros, f.inputs[0], f.inputs[1]}, std::move(a));
}

constexpr Foreign from[] = {{Format::onnx, "ScatterND"},
                            {Format::tflite, "SCATTER_ND", from_tflite}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Shape &x = n.input(0).shape, &indices = n.input(1).shape;
  const std::int64_t depth = indices.empty() ? 0 : indices.back();
  if (depth < 1 || depth > std::ssize(x))
    return Error{n.where(), "indices of shape " + shape_text(indices),
                 "a last axis of 1 .. " + std::to_string(x.size()), ""};
  Shape want(indices.begin(), indices.end() - 1);
  want.insert(want.end(), x.begin() + depth, x.end());
  if (n.input(2).shape != want)
    return Error{n.where(), "updates of shape " + shape_text(n.input(2).shape), shape_text(want),
                 ""};
  return std::vector<Facts>{{n.input(0).dtype, x, n.input(0).quant}};
}

// y = join(y, update) for `count` elements from `at` on; updates from `first` on.
void reduce_row(EvalContext& c, std::size_t at, std::size_t first, std::size_t count,
                const std::string& how) {
  with_type(c.in[0]->dtype(), [&](auto type) {
    using T = decltype(type);
    const auto y = c.out[0].as<T>().subspan(at, count);
    const auto u = c.in[2]->as<T>().subspan(first, count);
    for (std::size_t i = 0; i < count; ++i)
      y[i] = how == "add"   ? wrapping_add(y[i], u[i])
             : how == "mul" ? wrapping_mul(y[i], u[i])
             : how == "max" ? std::max(y[i], u[i])
                            : std::min(y[i], u[i]);
  });
}

Result<void> eval(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  const Shape strides = strides_of(shape);
  const auto depth = static_cast<std::size_t>(c.in[1]->shape().back());
  LOCKSTEP_CHECK(copy_whole(c));
  const std::size_t block = static_cast<std::size_t>(count_of(Shape(
                                shape.begin() + static_cast<std::ptrdiff_t>(depth), shape.end()))) *
                            size_of(c.in[0]->dtype());
  if (block == 0) return {};
  const std::string how = c.view.attrs().text("reduction", "none");
  for (std::size_t row = 0; row < static_cast<std::size_t>(c.in[1]->count()) / depth; ++row) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < depth; ++d) {
      const std::int64_t index = c.in[1]->code(static_cast<std::int64_t>(row * depth + d));
      if (index < -shape[d] || index >= shape[d])
        return Error{c.view.where(), "index " + std::to_string(index),
                     std::to_string(-shape[d]) + " .. " + std::to_string(shape[d] - 1), ""};
      at += (index < 0 ? index + shape[d] : index) * strides[d];
    }
    if (how != "none") {
      reduce_row(c, static_cast<std::size_t>(at), row * block / size_of(c.in[0]->dtype()),
                 block / size_of(c.in[0]->dtype()), how);
      continue;
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
