// y[i] = x[i] where condition[i], else z[i]; the three are stretched against each other
#include <cstring>

#include "base/text.h"
#include "op/op_move.h"
#include "op/op_qlinear.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"condition"}, {"x"}, {"z"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"rows", "0", "1: a condition of one axis chooses along the outermost axis"}};
constexpr Rule rules[] = {
    {"the condition is boolean",
     [](const NodeView& n) { return n.input(0).dtype == DType::boolean; }},
    {"x and z have one type",
     [](const NodeView& n) { return n.input(1).dtype == n.input(2).dtype; }},
    // TFLite copies codes whatever their scales, which its converter leaves apart in 16 bits.
    {"x, z and y have the same scale and zero point (but in files of ONNX and TFLite)",
     [](const NodeView& n) {
       const std::string_view format = n.graph.format();
       return format == "tflite" || format == "onnx" ||
              (same_codes(n.input(1), n.output(0)) && same_codes(n.input(2), n.output(0)));
     }},
};

// The condition's shape as it is stretched.
Shape condition_shape(const NodeView& n) {
  Shape shape = n.input(0).shape;
  if (n.attrs().integer("rows", 0) != 0 && shape.size() == 1 && n.input(1).shape.size() > 1)
    shape.resize(n.input(1).shape.size(), 1);
  return shape;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value &x = n.input(1), &z = n.input(2);
  const auto values = broadcast(x.shape, z.shape);
  const auto y = values ? broadcast(*values, condition_shape(n)) : std::nullopt;
  if (!y)
    return Error{
        n.where(),
        shape_text(n.input(0).shape) + ", " + shape_text(x.shape) + " and " + shape_text(z.shape),
        "shapes that stretch to one", ""};
  return std::vector<Facts>{
      {x.dtype, *y, x.quant == z.quant && !x.quant.per_channel() ? x.quant : QuantParams{}}};
}

Result<void> eval(EvalContext& c) {
  Tensor& y = c.out[0];
  Tensor condition(DType::boolean, y.shape()), z(y.dtype(), y.shape());
  copy_strided(*c.in[0], y.shape(), broadcast_strides(condition_shape(c.view), y.shape()), 0,
               condition);
  copy_strided(*c.in[1], y.shape(), broadcast_strides(c.in[1]->shape(), y.shape()), 0, y);
  copy_strided(*c.in[2], y.shape(), broadcast_strides(c.in[2]->shape(), y.shape()), 0, z);
  const std::size_t size = size_of(y.dtype());
  for (std::size_t i = 0; i < condition.bytes().size(); ++i)
    if (condition.bytes()[i] == std::byte{0})
      std::memcpy(y.bytes().data() + i * size, z.bytes().data() + i * size, size);
  return {};
}

Result<void> from_select(const ForeignNode& f, GraphBuilder& graph) {
  Attrs canonical;
  canonical.set("rows", std::int64_t{1});
  return add_like(f, graph, "Where", f.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::onnx, "Where"},
                            {Format::onnx, "com.microsoft:QLinearWhere", from_qlinear_where},
                            {Format::tflite, "SELECT", from_select},
                            {Format::tflite, "SELECT_V2"}};

}  // namespace

extern constinit const OpDef op_where = {
    .name = "Where",
    .meaning =
        "y[i] = x[i] where condition[i], else z[i]; the three are stretched against each other",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
