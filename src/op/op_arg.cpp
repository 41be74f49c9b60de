#include "op/op_arg.h"

namespace lockstep {
namespace {

Result<std::size_t> axis_of(const NodeView& n) {
  return normal_axis(n, integer_at(n, 1, "axis", 0), n.input(0).shape.size());
}

template <class T>
std::int64_t best_index(const T* x, std::int64_t count, std::int64_t stride, bool greatest,
                        bool last) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < count; ++i) {
    const T a = x[i * stride], b = x[best * stride];
    if ((greatest ? a > b : a < b) || (last && a == b)) best = i;
  }
  return best;
}

}  // namespace

Result<std::vector<Facts>> arg_infer(const NodeView& n) {
  const Value& x = n.input(0);
  LOCKSTEP_TRY(const std::size_t axis, axis_of(n));
  if (x.shape[axis] == 0) return Error{n.where(), "an axis without elements", "one or more", ""};
  Shape y = x.shape;
  if (n.attrs().integer("keepdims", 1) != 0)
    y[axis] = 1;
  else
    y.erase(y.begin() + static_cast<std::ptrdiff_t>(axis));
  return std::vector<Facts>{
      {dtype_named(n.attrs().text("to", "int64")).value_or(DType::i64), std::move(y), {}}};
}

Result<void> arg_eval(EvalContext& c, bool greatest) {
  LOCKSTEP_TRY(const std::size_t axis, axis_of(c.view));
  const Tensor& x = *c.in[0];
  const bool last = c.view.attrs().integer("select_last_index", 0) != 0;
  const std::int64_t extent = x.shape()[axis], inner = strides_of(x.shape())[axis];
  with_type(x.dtype(), [&](auto type) {
    const auto* elements = x.as<decltype(type)>().data();
    for (std::int64_t i = 0; i < c.out[0].count(); ++i) {
      const std::int64_t start = i / inner * inner * extent + i % inner;
      c.out[0].set_code(i, best_index(elements + start, extent, inner, greatest, last));
    }
  });
  return {};
}

Result<void> arg_from_tflite(const ForeignNode& f, GraphBuilder& graph, std::string_view op) {
  Attrs canonical;
  canonical.set("keepdims", std::int64_t{0});
  canonical.set("to", std::string(f.attrs.text("output_type", "") == "INT32" ? "int32" : "int64"));
  return add_like(f, graph, op, f.inputs, std::move(canonical));
}

}  // namespace lockstep
