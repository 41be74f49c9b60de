#include "run/code_map.h"

#include <gtest/gtest.h>

#include <map>

#include "op/op.h"
#include "support/nets.h"

namespace lockstep {
namespace {

class Net {
 public:
  explicit Net(const Shape& shape) : shape_(shape) {}
  ValueId value(const std::string& name, DType type, QuantParams quant = {}) {
    return add(name, type, shape_, std::move(quant), nullptr);
  }
  ValueId constant(const std::string& name, Tensor t, QuantParams quant = {}) {
    const auto made = std::make_shared<const Tensor>(std::move(t));
    return add(name, made->dtype(), made->shape(), std::move(quant), made);
  }
  ValueId node(const std::string& op, std::vector<ValueId> in, ValueId y) {
    Node n;
    n.name = n.op = op;
    n.inputs = std::move(in);
    n.outputs = {y};
    b_.add_node(std::move(n));
    return y;
  }
  Graph finish(ValueId x, ValueId y) {
    b_.add_input(x);
    b_.add_output(y);
    auto graph = std::move(b_).finish();
    EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().line());
    return std::move(graph).value();
  }

 private:
  ValueId add(const std::string& name, DType type, const Shape& shape, QuantParams quant,
              std::shared_ptr<const Tensor> contents) {
    Value v;
    v.name = name;
    v.dtype = type;
    v.shape = shape;
    v.quant = std::move(quant);
    v.constant = std::move(contents);
    return b_.add_value(std::move(v));
  }

  Shape shape_;
  GraphBuilder b_{"net", "tflite"};
};

// The last value as the operators' own eval makes it.
Tensor by_eval(const Graph& g, const Numerics& num, const Sample& sample) {
  std::map<ValueId, Tensor> known;
  known.emplace(g.inputs()[0], sample.at(g.value(g.inputs()[0]).name));
  for (const Node& node : g.nodes()) {
    std::vector<const Tensor*> in;
    for (const ValueId v : node.inputs)
      in.push_back(g.value(v).constant ? g.value(v).constant.get() : &known.at(v));
    const Value& y = g.value(node.outputs[0]);
    std::vector<Tensor> out{Tensor(y.dtype, y.shape)};
    EvalContext context{{g, node}, num, in, out};
    EXPECT_TRUE(find_op(node.op)->eval(context).ok()) << node.name;
    known.insert_or_assign(node.outputs[0], std::move(out[0]));
  }
  return known.at(g.outputs()[0]);
}

void expect_eval(const Graph& g) {
  const Executor e = test::executor(g, "tflite");
  const auto samples = test::random_samples(e.graph(), 8, 3);
  const auto made = e.run(samples);
  ASSERT_TRUE(made.ok()) << made.error().line();
  const std::string& y = g.value(g.outputs()[0]).name;
  for (std::size_t s = 0; s < samples.size(); ++s)
    EXPECT_EQ(made->samples[s].at(y), by_eval(g, *e.arithmetic().numerics, samples[s]))
        << count_of(g.value(g.outputs()[0]).shape) << " elements, sample " << s;
}

Graph sum(const Shape& shape, DType type) {
  Net net(shape);
  const std::int32_t middle = type == DType::u8 ? 128 : 0;
  Tensor five(type, {});
  five.set_code(0, middle + 5);
  const ValueId x = net.value("x", type, {{700.0f}, {middle}, -1});
  const ValueId c = net.constant("c", std::move(five), {{0.5f}, {middle}, -1});
  return net.finish(x, net.node("Add", {x, c}, net.value("y", type, {{1.0f}, {middle}, -1})));
}

// LiteRT's vectors take other steps than what is left of their row (N110).
TEST(CodeMap, sums_of_scales_far_apart_equal_eval_where_vectors_leave_a_rest) {
  for (const DType type : {DType::i8, DType::u8})
    for (const Shape& shape : {Shape{1, 5, 5, 3}, Shape{1, 79}, Shape{1, 96}})
      expect_eval(sum(shape, type));
}

// Ties go to even in LiteRT's vectors of 8, away from zero behind them (N83).
TEST(CodeMap, codes_of_16_bits_made_of_bytes_equal_eval_where_vectors_leave_a_rest) {
  for (const Shape& shape : {Shape{1, 75}, Shape{1, 80}}) {
    Net net(shape);
    const ValueId x = net.value("x", DType::i8, {{0.25f}, {0}, -1});
    const ValueId from = net.constant("from", Tensor::scalar(0.25f));
    const ValueId to = net.constant("to", Tensor::scalar(0.5f));
    const ValueId zero8 = net.constant("zero8", Tensor(DType::i8, {}));
    const ValueId zero16 = net.constant("zero16", Tensor(DType::i16, {}));
    const ValueId real =
        net.node("DequantizeLinear", {x, from, zero8}, net.value("real", DType::f32));
    expect_eval(net.finish(x, net.node("QuantizeLinear", {real, to, zero16},
                                       net.value("y", DType::i16, {{0.5f}, {0}, -1}))));
  }
}

}  // namespace
}  // namespace lockstep
