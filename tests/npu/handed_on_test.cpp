// Codes that reach an epoch as the program made them, although memory is given the reference's.
#include "npu/handed_on.h"

#include <gtest/gtest.h>

#include "npu/small_program.h"

namespace lockstep {
namespace {

NpuBuffer made(const std::string& name, int epoch, std::int64_t start, int bits = 8) {
  NpuBuffer b;
  b.name = name, b.epoch = epoch, b.base = test::ram, b.start = start;
  b.shape = b.mem_shape = {1, 2, 2, 2}, b.chpos = "CHPos_First";
  b.nbits = bits, b.type = bits == 8 ? "DataType_INT8" : "DataType_INT16";
  b.scale = {0.5}, b.zero = {0}, b.end = b.limit = start + 8 * bits / 8;
  return b;
}

NpuEpoch reads(int number, const std::string& buffer) {
  NpuEpoch e;
  e.number = number;
  e.units.push_back({{NpuKind::stream, 0}, "in", buffer, test::fields({{"dir", 0}})});
  return e;
}

// x -> Mul by 2, or a function -> y, both of codes.
Graph doubled(const std::string& op = "Mul") {
  GraphBuilder b("m", "tflite");
  const auto value = [&](const std::string& name, const Shape& shape, double scale) {
    Value v;
    v.name = name, v.dtype = DType::i8, v.shape = shape, v.quant = {{scale}, {0}, -1};
    return b.add_value(v);
  };
  const ValueId x = value("x", {1, 2, 2, 2}, 0.5), two = value("two", {}, 1),
                y = value("y", {1, 2, 2, 2}, 0.5);
  auto constant = std::make_shared<Tensor>(DType::i8, Shape{});
  constant->set_code(0, 2);
  b.value(two).constant = constant;
  Node n;
  n.name = n.op = op, n.inputs = {x}, n.outputs = {y};
  if (op == "Mul") n.inputs.push_back(two);
  b.add_node(n);
  b.add_input(x), b.add_output(y);
  return std::move(std::move(b).finish()).value();
}

// Epoch 1 makes x and, of it, a product that no tensor of the model is; epoch 2 reads that product.
struct Handed {
  Graph model = doubled();
  NpuProgram program;
  NpuMapping mapping;
  Handed() {
    program.buffers = {made("Conv2D_1_out_0", 1, 0), made("Mul_2_out_0", 1, 64, 16),
                       made("Mul_2_out_0_cp_in_1", 2, 128), made("Add_3_out_0", 3, 192)};
    program.epochs = {reads(1, "input"), reads(2, "Mul_2_out_0"), reads(3, "Conv2D_1_out_0")};
    mapping.pairs = {{"Conv2D_1_out_0", "x", "name", false},
                     {"Mul_2_out_0_cp_in_1", "y", "name", false}};
  }
};

TEST(NpuHandedOn, codes_pass_through_memory_that_no_tensor_of_the_model_names) {
  const Handed h;
  const NpuHandedOn handed(h.program, h.model, h.mapping);
  EXPECT_TRUE(handed.reaches(1, 2));
  EXPECT_TRUE(handed.reaches(2, 2));
  EXPECT_FALSE(handed.reaches(1, 3));  // by way of a tensor that is given the reference's codes
  EXPECT_FALSE(handed.reaches(2, 1));
  EXPECT_TRUE(handed.makes(1, "x"));
  EXPECT_FALSE(handed.makes(2, "x"));
}

TEST(NpuHandedOn, an_operation_is_repeated_on_the_programs_own_codes) {
  const Handed h;
  const NpuHandedOn handed(h.program, h.model, h.mapping);
  Tensor x(DType::i8, {1, 2, 2, 2});
  for (std::int64_t i = 0; i < 8; ++i) x.set_code(i, 5 * i - 17);
  const NpuBuffer& product = *h.program.find_buffer("Mul_2_out_0_cp_in_1");
  const auto again = handed.remade(product, {{{1, "Conv2D_1_out_0"}, x}}, {});
  ASSERT_EQ(again.size(), 1u);
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(again[0].code(i), 2 * (5 * i - 17));
  EXPECT_TRUE(handed.remade(product, {}, {}).empty());
  EXPECT_TRUE(handed.remade(product, {}, {{"x", x}}).empty());  // but what the reference has
}

TEST(NpuHandedOn, a_code_that_no_buffer_holds_is_worth_the_quotient_of_the_scales) {
  Handed h;
  h.model = doubled("Neg");
  EXPECT_EQ(NpuHandedOn(h.program, h.model, h.mapping).step_of_unheld("y"), 0);
  h.mapping.pairs.erase(h.mapping.pairs.begin());  // x is made and used inside an epoch
  EXPECT_EQ(NpuHandedOn(h.program, h.model, h.mapping).step_of_unheld("y"), 1);
  h.model = doubled();  // a product is no function of one operand
  EXPECT_EQ(NpuHandedOn(h.program, h.model, h.mapping).step_of_unheld("y"), 0);
}

// z = (x - 10) * (y + 20) / 4, y of x's shape or one code.
Graph product(const Shape& y_shape) {
  GraphBuilder g("m", "tflite");
  const auto value = [&](const std::string& name, const Shape& shape, double scale, int zero) {
    Value v;
    v.name = name, v.dtype = DType::i8, v.shape = shape, v.quant = {{scale}, {zero}, -1};
    return g.add_value(v);
  };
  const ValueId x = value("x", {1, 2, 2, 2}, 0.5, 10), y = value("y", y_shape, 0.5, -20),
                z = value("z", {1, 2, 2, 2}, 1, 3);
  Node n;
  n.name = n.op = "Mul", n.inputs = {x, y}, n.outputs = {z};
  g.add_node(n);
  g.add_input(x), g.add_input(y), g.add_output(z);
  return std::move(std::move(g).finish()).value();
}
Tensor all_of_code(const Shape& shape, std::int64_t code) {
  Tensor t(DType::i8, shape);
  for (std::int64_t i = 0; i < t.count(); ++i) t.set_code(i, code);
  return t;
}

// x as the program made it, y as the reference has it; in the terms of the zero points x may be the
// reference's. A factor of one half gives none of these.
TEST(NpuHandedOn, a_halved_product_of_own_codes_is_none_of_those_that_follow) {
  NpuProgram program;
  program.buffers = {made("x_1", 1, 0), made("z_2", 2, 128), made("between", 1, 192, 16)};
  program.buffers[0].zero = {10}, program.buffers[1].scale = {1}, program.buffers[1].zero = {3};
  program.epochs = {reads(1, "input"), reads(2, "between")};
  NpuMapping mapping;
  mapping.pairs = {{"x_1", "x", "name", false}, {"z_2", "z", "name", false}};
  for (const Shape& y_shape : {Shape{1, 2, 2, 2}, Shape{}}) {
    const Graph model = product(y_shape);
    const auto all =
        NpuHandedOn(program, model, mapping)
            .remade(program.buffers[1], {{{1, "x_1"}, all_of_code({1, 2, 2, 2}, 26)}},
                    {{"x", all_of_code({1, 2, 2, 2}, 14)}, {"y", all_of_code(y_shape, 4)}});
    const auto follows = [&](std::int64_t code) {
      return std::ranges::any_of(all,
                                 [&](const Tensor& t) { return std::abs(t.code(0) - code) <= 1; });
    };
    EXPECT_TRUE(follows(3 + 16 * 24 / 4));
    EXPECT_TRUE(follows(3 + (16 * 24 - 12 * 20) / 4));  // 20 * x: the reference's
    EXPECT_FALSE(follows(3 + 16 * 24 / 8));             // between 27 and 99
  }
}

}  // namespace
}  // namespace lockstep
