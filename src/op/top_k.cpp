// y, index = the k greatest (or least) elements along the axis with their places, in order.
#include <algorithm>
#include <numeric>

#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}, {"index", Slot::optional}};
constexpr AttrSpec attrs[] = {
    {"k", "", "how many"},
    {"axis", "-1", "axis of x"},
    {"largest", "1", "0: the least"},
    {"index_type", "int64", "int64 or int32"},
};

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"axis", "k", "largest", "sorted"}));
  if (!has_input(f, 0)) return Error{f.where, "no input", "x", ""};
  LOCKSTEP_TRY(const auto k, integer_list(f, graph, "k", 1));
  const std::int64_t count = k && k->size() == 1 ? k->front() : f.attrs.integer("k", -1);
  Attrs a;
  a.set("k", count);
  a.set("axis", f.attrs.integer("axis", -1));
  a.set("largest", f.attrs.integer("largest", 1));
  return add_like(f, graph, "TopK", {f.inputs[0]}, std::move(a));
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_TRY(const Tensor* const k, constant_input(f, graph, 1, "k"));
  if (!k || k->count() != 1 || !is_integer(k->dtype()))
    return Error{f.where, "no k", "one integer", ""};
  Attrs a;
  a.set("k", k->code(0));
  a.set("index_type", std::string("int32"));
  return add_like(f, graph, "TopK", {f.inputs[0]}, std::move(a));
}

constexpr Foreign from[] = {{Format::onnx, "TopK", from_onnx},
                            {Format::tflite, "TOPK_V2", from_tflite}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(n, n.attrs().integer("axis", -1), x.shape.size()));
  const std::int64_t k = n.attrs().integer("k", -1);
  if (k < 0 || k > x.shape[axis])
    return Error{n.where(), "k " + std::to_string(k), "0 .. " + std::to_string(x.shape[axis]), ""};
  Shape y = x.shape;
  y[axis] = k;
  return std::vector<Facts>{
      {x.dtype, y, x.quant.per_channel() ? QuantParams{} : x.quant},
      {n.attrs().text("index_type", "int64") == "int32" ? DType::i32 : DType::i64, y, {}}};
}

// Of equal elements the one that stands first comes first.
Result<void> eval(EvalContext& c) {
  const Tensor& x = *c.in[0];
  if (x.dtype() == DType::f16)
    return Error{c.view.where(), "x of type float16", "another element type", ""};
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(c.view, c.view.attrs().integer("axis", -1), x.shape().size()));
  const bool largest = c.view.attrs().integer("largest", 1) != 0;
  const auto length = static_cast<std::size_t>(x.shape()[axis]),
             k = static_cast<std::size_t>(c.view.attrs().integer("k", 0));
  const auto step = static_cast<std::size_t>(
      count_of(Shape(x.shape().begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.shape().end())));
  if (x.count() == 0 || k == 0) return {};
  Tensor* const index = c.out.size() > 1 && c.view.node.outputs[1] != no_id ? &c.out[1] : nullptr;
  with_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto in = x.as<T>();
    const auto out = c.out[0].as<T>();
    std::vector<std::size_t> order(length);
    for (std::size_t row = 0; row < in.size() / length; ++row) {
      const std::size_t first = row / step * step * length + row % step;
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        const T l = in[first + a * step], r = in[first + b * step];
        return largest ? l > r : l < r;
      });
      for (std::size_t i = 0; i < k; ++i) {
        const std::size_t to = row / step * step * k + row % step + i * step;
        out[to] = in[first + order[i] * step];
        if (index) index->set_number(static_cast<std::int64_t>(to), static_cast<double>(order[i]));
      }
    }
  });
  return {};
}

}  // namespace

extern constinit const OpDef op_top_k = {
    .name = "TopK",
    .meaning = "y, index = the k greatest elements along the axis with their places",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
