#include <gtest/gtest.h>

#include "arith/arith.h"
#include "import/onnx_builder.h"

namespace lockstep {
namespace {

using test::OnnxBuilder;

// The real y of one element x = a step of `step`, through an operator from codes of one type to
// those of another. All quantizers have one reader: the runtime holds all codes as uint8. y's zero
// point is 107 as uint8, -21 as int8.
float element(const std::string& op, bool x_signed, bool y_signed, float step) {
  OnnxBuilder m(13);
  m.input("x", {1, 1, 1}).output("y");
  const auto pair = [&](const std::string& from, const std::string& to, bool is_signed, float scale,
                        int zero) {
    const auto type = is_signed ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8;
    m.constant<float>(to + "s", {}, {scale}, onnx::TensorProto::FLOAT);
    m.constant<std::uint8_t>(to + "z", {},
                             {static_cast<std::uint8_t>(is_signed ? zero - 128 : zero)}, type);
    m.node("QuantizeLinear", {from, to + "s", to + "z"}, {to + "q"});
    m.node("DequantizeLinear", {to + "q", to + "s", to + "z"}, {to});
  };
  pair("x", "a", x_signed, step, 0);
  if (op == "Mul") {
    m.input("one", {1, 1, 1});
    pair("one", "b", x_signed, 1, 0);
    m.node(op, {"a", "b"}, {"r"});
  } else {
    test::set_ints(m.node(op, {"a"}, {"r"}), "kernel_shape", {1});
  }
  pair("r", "y", y_signed, 1, 107);
  const auto g = m.import();
  if (!g.ok()) return ADD_FAILURE() << g.error().line(), -1;
  const auto executor = Executor::make(*g, *find_arithmetic("ort"));
  if (!executor.ok()) return ADD_FAILURE() << executor.error().line(), -1;
  for (const Node& n : executor->graph().nodes())
    EXPECT_TRUE(n.op != op || executor->graph().value(n.outputs[0]).name == "yq");
  const auto one = [](float v) { return Tensor::of<float>({1, 1, 1}, std::vector<float>{v}); };
  Sample in{{"x", one(step)}};
  if (op == "Mul") in["one"] = one(1);
  const auto y = executor->run(std::vector{in}, {});
  if (!y.ok()) return ADD_FAILURE() << y.error().line(), -1;
  return y->samples[0].at("y").as<float>()[0];
}

// The zero point is added before rounding: 107 + 0.499997 is 107.5 in float32 where -21 + 0.499997
// is less than -20.5, 235 + 0.499994 is 235.5 where 107 + 0.499994 is less than 107.5.
TEST(HeldCodes, of_mixed_types_are_rounded_beside_the_zero_point_that_the_runtime_holds) {
  for (const char* op : {"Mul", "AveragePool"})
    for (const bool x_signed : {false, true})
      for (const bool y_signed : {false, true}) {
        EXPECT_EQ(element(op, x_signed, y_signed, 0.499997f), 1) << op << x_signed << y_signed;
        EXPECT_EQ(element(op, x_signed, y_signed, 0.499994f), 0) << op << x_signed << y_signed;
      }
}

}  // namespace
}  // namespace lockstep
