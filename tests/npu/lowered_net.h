#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "ir/graph.h"

namespace lockstep::test {

// A network on int8 codes, built operation by operation.
class Net {
 public:
  explicit Net(std::uint64_t seed) : random_(seed), b_("net", "onnx") {}

  ValueId input(const Shape& shape) {
    const ValueId x = value("x", shape, 0.05, -7);
    b_.add_input(x);
    return x;
  }
  ValueId conv(ValueId x, std::int64_t kernels, Shape kernel,
               const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& pads,
               std::int64_t group = 1, std::int64_t zero = -128, std::int64_t dilation = 1) {
    const Shape in = b_.value(x).shape;
    Shape w = {kernels, in[1] / group, kernel[0], kernel[1]}, y = {1, kernels, 0, 0};
    for (std::size_t a = 0; a < 2; ++a)
      y[a + 2] =
          (in[a + 2] + pads[a] + pads[a + 2] - dilation * (kernel[a] - 1) - 1) / strides[a] + 1;
    Node n = node("Conv", {x, constant(w, DType::i8, 127), constant({kernels}, DType::i32, 3000)},
                  y, zero);
    n.attrs.set("group", group);
    n.attrs.set("strides", strides);
    n.attrs.set("dilations", std::vector<std::int64_t>{dilation, dilation});
    n.attrs.set("pads", pads);
    return add(std::move(n));
  }
  ValueId add_to(ValueId a, ValueId c, const std::string& op = "Add", std::int64_t zero = 11) {
    return add(node(op, {a, c}, b_.value(a).shape, zero));
  }
  ValueId global(ValueId x) {
    return add(node("GlobalAveragePool", {x}, {1, b_.value(x).shape[1], 1, 1}, 3));
  }
  ValueId requantized(ValueId x) { return add(node("Requantize", {x}, b_.value(x).shape, 20)); }
  // Codes of a constant.
  ValueId codes(const Shape& shape, double scale, std::int64_t zero) {
    const ValueId c = value("k" + std::to_string(++count_), shape, scale, zero);
    auto t = std::make_shared<Tensor>(DType::i8, shape);
    for (std::int64_t i = 0; i < t->count(); ++i) t->set_code(i, random_.between(-128, 127));
    b_.value(c).constant = t;
    return c;
  }
  // Of two operands, the second spread over the first.
  ValueId pair(const std::string& op, ValueId a, ValueId c, const Shape& shape, double scale,
               std::int64_t zero) {
    Node n = node(op, {a, c}, shape, zero);
    b_.value(n.outputs[0]).quant.scale = {scale};
    return add(std::move(n));
  }
  ValueId transposed(ValueId x, const std::vector<std::int64_t>& perm) {
    Shape shape;
    for (const std::int64_t a : perm)
      shape.push_back(b_.value(x).shape[static_cast<std::size_t>(a)]);
    Node n = node("Transpose", {x}, shape, 0);
    n.attrs.set("perm", perm);
    b_.value(n.outputs[0]).quant = b_.value(x).quant;
    return add(std::move(n));
  }
  // A part of every axis behind the first.
  ValueId sliced(ValueId x, const Shape& starts, const Shape& ends) {
    const Shape s = b_.value(x).shape;
    Shape shape = s;
    for (std::size_t a = 0; a < starts.size(); ++a) shape[a + 1] = ends[a] - starts[a];
    Node n = node("Slice", {x}, shape, 0);
    n.attrs.set("starts", starts);
    n.attrs.set("ends", ends);
    n.attrs.set("axes", Shape{1, 2, 3});
    b_.value(n.outputs[0]).quant = b_.value(x).quant;
    return add(std::move(n));
  }
  // In two along the channels.
  std::pair<ValueId, ValueId> split(ValueId x, std::int64_t first) {
    Shape a = b_.value(x).shape, b = a;
    a[1] = first, b[1] -= first;
    Node n = node("Split", {x}, a, 0);
    n.attrs.set("axis", std::int64_t{1});
    n.attrs.set("split", Shape{a[1], b[1]});
    n.outputs.push_back(value(b_.value(n.outputs[0]).name + "_rest", b, 1, 0));
    const auto both = std::pair{n.outputs[0], n.outputs[1]};
    for (const ValueId y : n.outputs) b_.value(y).quant = b_.value(x).quant;
    b_.add_node(std::move(n));
    return both;
  }
  // Along the channels; all of one quantization.
  ValueId joined(const std::vector<ValueId>& parts) {
    Shape shape = b_.value(parts[0]).shape;
    shape[1] = 0;
    for (const ValueId x : parts) shape[1] += b_.value(x).shape[1];
    Node n = node("Concat", parts, shape, 0);
    n.attrs.set("axis", std::int64_t{1});
    b_.value(n.outputs[0]).quant = b_.value(parts[0]).quant;
    return add(std::move(n));
  }
  // The codes of x under another shape.
  ValueId reshaped(ValueId x, const Shape& shape) {
    Node n = node("Reshape", {x}, shape, 0);
    n.attrs.set("shape", shape);
    b_.value(n.outputs[0]).quant = b_.value(x).quant;
    return add(std::move(n));
  }
  ValueId max_pool(ValueId x, const std::string& activation = "none") {
    const Shape s = b_.value(x).shape;
    Node n = node("MaxPool", {x}, {1, s[1], s[2] - 1, s[3] - 1}, 0);
    n.attrs.set("kernel_shape", std::vector<std::int64_t>{2, 2});
    n.attrs.set("activation", activation);
    b_.value(n.outputs[0]).quant = b_.value(x).quant;
    return add(std::move(n));
  }
  Value& value_of(ValueId id) { return b_.value(id); }
  void output(ValueId id) { b_.add_output(id); }
  ValueId one(const std::string& op, ValueId x) { return add(node(op, {x}, b_.value(x).shape, 0)); }

  Graph finish(ValueId out) {
    b_.add_output(out);
    auto g = std::move(b_).finish();
    EXPECT_TRUE(g.ok()) << (g.ok() ? "" : g.error().line());
    return std::move(g).value();
  }

 private:
  ValueId value(const std::string& name, const Shape& shape, double scale, std::int64_t zero) {
    Value v;
    v.name = name, v.dtype = DType::i8, v.shape = shape;
    v.quant = {{scale}, {static_cast<std::int32_t>(zero)}, -1};
    return b_.add_value(v);
  }
  ValueId constant(const Shape& shape, DType dtype, std::int64_t most) {
    Value v;
    v.name = "c" + std::to_string(++count_), v.dtype = dtype, v.shape = shape;
    v.quant = {{}, {}, 0};
    for (std::int64_t k = 0; k < shape[0]; ++k) {
      v.quant.scale.push_back(dtype == DType::i8 ? 0.004 + 0.001 * random_.unit() : 1.0);
      v.quant.zero.push_back(0);
    }
    auto t = std::make_shared<Tensor>(dtype, shape);
    for (std::int64_t i = 0; i < t->count(); ++i) t->set_code(i, random_.between(-most, most));
    v.constant = t;
    return b_.add_value(v);
  }
  Node node(const std::string& op, std::vector<ValueId> inputs, const Shape& y, std::int64_t zero) {
    Node n;
    n.name = "n" + std::to_string(++count_), n.op = op, n.inputs = std::move(inputs);
    n.outputs = {value("t" + std::to_string(count_), y, 0.03 + 0.02 * random_.unit(), zero)};
    return n;
  }
  ValueId add(Node n) {
    const ValueId y = n.outputs[0];
    b_.add_node(std::move(n));
    return y;
  }
  Random random_;
  GraphBuilder b_;
  int count_ = 0;
};

}  // namespace lockstep::test
