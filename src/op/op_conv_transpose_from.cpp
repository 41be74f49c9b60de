#include <algorithm>

#include "base/text.h"
#include "op/op_codes.h"
#include "op/op_conv_transpose.h"

namespace lockstep {
namespace {

// Pads and extents of y from output_shape, auto_pad or pads, as ONNX has them.
Result<void> set_geometry(const ForeignNode& f, const Shape& x, const Shape& w, Attrs& a) {
  const std::size_t rank = x.size() - 2;
  const auto ones = std::vector<std::int64_t>(rank, 1), zeros = std::vector<std::int64_t>(rank, 0);
  const auto strides = f.attrs.integers("strides", ones),
             dilations = f.attrs.integers("dilations", ones);
  const auto extra = f.attrs.integers("output_padding", zeros),
             wish = f.attrs.integers("output_shape");
  auto pads = f.attrs.integers("pads", std::vector<std::int64_t>(2 * rank, 0));
  const std::string rule = f.attrs.text("auto_pad", "NOTSET");
  const auto wrong = [&](const char* name) {
    return Error{f.where, std::string("attribute '") + name + "'",
                 "small numbers, one per spatial axis", ""};
  };
  const auto fits = [&](const std::vector<std::int64_t>& list, std::size_t count) {
    return list.size() == count &&
           std::ranges::all_of(list, [](std::int64_t v) { return v >= 0 && v <= (1 << 20); });
  };
  if (!fits(strides, rank)) return wrong("strides");
  if (!fits(dilations, rank)) return wrong("dilations");
  if (!fits(extra, rank)) return wrong("output_padding");
  if (!fits(pads, 2 * rank)) return wrong("pads");
  if (!wish.empty() && wish.size() != rank && wish.size() != rank + 2) return wrong("output_shape");
  std::vector<std::int64_t> shape(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    if (x[i + 2] > (1 << 24) || w[i + 2] > (1 << 20)) return wrong("kernel_shape");
    const std::int64_t full =
        strides[i] * (x[i + 2] - 1) + extra[i] + (w[i + 2] - 1) * dilations[i] + 1;
    const bool same = rule == "SAME_UPPER" || rule == "SAME_LOWER";
    if (!wish.empty())
      shape[i] = wish[wish.size() - rank + i];
    else if (same)
      shape[i] = x[i + 2] * strides[i];
    else if (rule == "VALID")
      shape[i] = full;
    else
      shape[i] = full - pads[i] - pads[rank + i];
    if (shape[i] < 1 || shape[i] > (1 << 24))
      return Error{f.where, "an output of extent " + std::to_string(shape[i]), "a positive extent",
                   ""};
    if (wish.empty() && !same) {
      if (rule == "VALID") pads[i] = pads[rank + i] = 0;
      continue;
    }
    const std::int64_t total = std::max<std::int64_t>(0, full - shape[i]);
    if (wish.empty()) shape[i] = full - total;  // a stride beyond the window leaves nothing to cut
    pads[i] = rule == "SAME_UPPER" ? total / 2 : total - total / 2;
    pads[rank + i] = total - pads[i];
  }
  a.set("strides", strides);
  a.set("dilations", dilations);
  a.set("pads", std::move(pads));
  a.set("shape", std::move(shape));
  return {};
}

// The shape of y: a constant operand, or what the file says of y where the operand is fed.
Result<Shape> wished_shape(const ForeignNode& f, GraphBuilder& graph) {
  const Shape known =
      f.outputs.empty() || f.outputs[0] == no_id ? Shape{} : graph.value(f.outputs[0]).shape;
  const bool settled =
      known.size() == 4 && std::ranges::all_of(known, [](std::int64_t e) { return e > 0; });
  if (settled && !input_of(f, graph, 0).constant) return known;
  LOCKSTEP_TRY(const Tensor* const wish, constant_input(f, graph, 0, "output_shape"));
  Shape y;
  for (std::int64_t i = 0; i < wish->count(); ++i) y.push_back(wish->code(i));
  return y;
}

}  // namespace

Result<void> conv_transpose_from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"auto_pad", "dilations", "group", "kernel_shape",
                                      "output_padding", "output_shape", "pads", "strides"}));
  if (!has_input(f, 0) || !has_input(f, 1))
    return foreign_error(f, std::to_string(f.inputs.size()) + " inputs", "input, weights and bias");
  const Shape x = input_of(f, graph, 0).shape, w = input_of(f, graph, 1).shape;
  if (x.size() < 3 || w.size() != x.size())
    return foreign_error(f, "x " + shape_text(x) + ", w " + shape_text(w),
                         "as many axes on both, three at least");
  const std::vector<std::int64_t> kernel(w.begin() + 2, w.end());
  if (f.attrs.integers("kernel_shape", kernel) != kernel)
    return foreign_error(f, "kernel_shape " + shape_text(f.attrs.integers("kernel_shape")),
                         shape_text(kernel) + " as the weights have");
  Attrs a;
  a.set("layout", "NCHW");
  a.set("group", f.attrs.integer("group", 1));
  LOCKSTEP_CHECK(set_geometry(f, x, w, a));
  return add_like(f, graph, "ConvTranspose", f.inputs, std::move(a));
}

// Operands: the shape of y, weights, x, bias. The pads are those of the convolution from y to x.
namespace {

// 16-bit codes without a bias under this option are summed in 32 bits, as under a bias of zeros
// (N99).
bool sums_in_32_bits(const ForeignNode& f, const Value& x) {
  return x.dtype == DType::i16 && f.attrs.text("quantized_bias_type", "") == "INT32";
}

}  // namespace

Result<void> conv_transpose_from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  if (!has_input(f, 0) || !has_input(f, 1) || !has_input(f, 2))
    return foreign_error(f, std::to_string(f.inputs.size()) + " inputs",
                         "shape, weights, input and bias");
  LOCKSTEP_TRY(const Shape y, wished_shape(f, graph));
  const Shape x = input_of(f, graph, 2).shape, w = input_of(f, graph, 1).shape;
  if (x.size() != 4 || w.size() != 4 || y.size() != 4)
    return foreign_error(f, "x " + shape_text(x) + ", w " + shape_text(w), "four axes each");
  Node node = node_from(f, "ConvTranspose");
  node.inputs = {f.inputs[2], f.inputs[1]};
  if (has_input(f, 3))
    node.inputs.push_back(f.inputs[3]);
  else if (sums_in_32_bits(f, graph.value(f.inputs[2])) && w[0] > 0)
    node.inputs.push_back(add_constant(f, graph, "bias", Tensor(DType::i32, {w[0]})));
  const std::vector<std::int64_t> strides{f.attrs.integer("stride_h", 0),
                                          f.attrs.integer("stride_w", 0)};
  const bool valid = f.attrs.text("padding", "SAME") == "VALID";
  std::vector<std::int64_t> shape, pads(4, 0);
  for (std::size_t a = 0; a < 2; ++a) {
    const std::int64_t out = y[a + 1], k = w[a + 1], s = strides[a];
    if (s < 1 || out < 1 || out > (1 << 24))
      return foreign_error(f, "stride " + std::to_string(s) + ", extent " + std::to_string(out),
                           "positive numbers");
    const std::int64_t steps = valid ? (out - k + s) / s : (out + s - 1) / s;
    const std::int64_t total = std::max<std::int64_t>(0, (steps - 1) * s + k - out);
    shape.push_back(out);
    pads[a] = total / 2;
    pads[a + 2] = total - total / 2;
  }
  node.attrs.set("layout", std::string("NHWC"));
  node.attrs.set("weights", std::string("OHWI"));
  node.attrs.set("strides", strides);
  node.attrs.set("pads", pads);
  node.attrs.set("shape", shape);
  // The delegate wants the shape in the file; what converters compute for an open batch is not
  // (N80).
  const Value& wish = input_of(f, graph, 0);
  const bool beyond = !valid && (w[1] < strides[0] || w[2] < strides[1]);
  if (beyond || !wish.constant || wish.folded || f.attrs.integer("filter_axis", 0) != 0)
    node.attrs.set("undelegated", std::int64_t{1});
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  graph.add_node(std::move(node));
  return {};
}

}  // namespace lockstep
