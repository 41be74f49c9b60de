#include "diff/inputs.h"

#include <gtest/gtest.h>

#include <limits>

#include "run/recording.h"
#include "support/chains.h"

namespace lockstep {
namespace {

template <class T>
NpyArray array(Shape shape, std::vector<T> elements) {
  return array_of(Tensor::of<T>(std::move(shape), std::span<const T>(elements)));
}

// x [1,2,1,3] of the given type -> op -> y int8 (scale 0.5, zero -1)
Graph model(DType input, const char* op) {
  const Shape shape = {1, 2, 1, 3};
  Value x = input == DType::i8 ? test::code_value("x", shape, -1) : test::real_value("x", shape);
  x.dtype = input;
  return test::chain({x, test::code_value("y", shape, -1)}, {{"n", op}});
}

Result<std::vector<Sample>> read(const Graph& graph, const NpzMembers& members,
                                 std::vector<std::string>& notes) {
  const std::string path = testing::TempDir() + "inputs.npz";
  EXPECT_TRUE(write_npz(path, members).ok());
  return read_inputs(path, graph, notes);
}

Result<std::vector<Sample>> read(const Graph& graph, const NpzMembers& members) {
  std::vector<std::string> notes;
  return read(graph, members, notes);
}

TEST(Inputs, a_lone_array_of_any_name_is_the_lone_input) {
  const auto in =
      read(model(DType::f32, "Relu"),
           {{"arr_0", array<float>({2, 2, 1, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})}});
  ASSERT_TRUE(in.ok()) << in.error().line();
  ASSERT_EQ(in->size(), 2u);
  EXPECT_EQ((*in)[1].at("x").number(0), 7);
}

TEST(Inputs, in_codes_without_a_scale_are_said_to_be_read_by_the_quantizers) {
  std::vector<std::string> notes;
  const auto in = read(model(DType::f32, "QuantizeLinear"),
                       {{"x", array<std::int8_t>({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6})}}, notes);
  ASSERT_TRUE(in.ok()) << in.error().line();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0], "input 'x': codes made reals by the scale of the quantizer that reads 'x'");
}

TEST(Inputs, of_st_come_back_in_the_models_layout_and_type) {
  // channel-last codes of two samples; the model takes floats and quantizes with scale 0.5, zero -1
  const auto in =
      read(model(DType::f32, "QuantizeLinear"),
           {{"c_inputs_1", array<std::int8_t>({2, 1, 3, 2}, {1, 4, 2, 5, 3, 6, 1, 1, 1, 1, 1, 1})},
            {"c_outputs_1", array<std::int8_t>({2, 6}, std::vector<std::int8_t>(12, 0))}});
  ASSERT_TRUE(in.ok()) << in.error().line();
  const Tensor& x = (*in)[0].at("x");
  EXPECT_EQ(x.dtype(), DType::f32);
  for (std::int64_t i = 0; i < 6; ++i) EXPECT_EQ(x.number(i), 0.5 * static_cast<double>(i + 2));
}

TEST(Inputs, are_known_by_the_codes_that_their_quantizer_makes) {
  const auto in = read(model(DType::f32, "QuantizeLinear"),
                       {{"y", array<std::int8_t>({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6})},
                        {"other", array<std::int8_t>({1}, {0})}});
  ASSERT_TRUE(in.ok()) << in.error().line();
  EXPECT_EQ((*in)[0].at("x").number(5), 3.5);
}

TEST(Inputs, in_float64_serve_a_float32_model) {
  const auto in =
      read(model(DType::f32, "Relu"), {{"x", array<double>({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6.5})}});
  ASSERT_TRUE(in.ok());
  EXPECT_EQ((*in)[0].at("x").number(5), 6.5);
}

TEST(Inputs, that_would_need_a_guess_are_refused) {
  const auto in = read(model(DType::i8, "Relu"),
                       {{"x", array<std::uint8_t>({1, 2, 1, 3}, {1, 2, 3, 4, 5, 200})}});
  ASSERT_FALSE(in.ok());
  EXPECT_NE(in.error().hint.find("128"), std::string::npos);
  EXPECT_FALSE(
      read(model(DType::i8, "Relu"), {{"x", array<float>({1, 2, 1, 3}, {0.1f, 2, 3, 4, 5, 6})}})
          .ok());
}

TEST(Inputs, in_reals_for_a_network_that_takes_codes_are_told_the_way) {
  const auto in = read(model(DType::i8, "Relu"),
                       {{"x", array<float>({1, 2, 1, 3}, {0.1f, 0.2f, 0.3f, 4, 5, 6})}});
  ASSERT_FALSE(in.ok());
  EXPECT_NE(in.error().hint.find("x / 0.5 + -1"), std::string::npos) << in.error().line();
}

TEST(Inputs, that_are_missing_misshapen_or_not_numbers_are_refused) {
  const Graph m = model(DType::f32, "Relu");
  const auto none = read(m, {{"a", array<float>({1}, {1})}, {"b", array<float>({1}, {1})}});
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().want.find("float32[1,2,1,3]"), std::string::npos);
  EXPECT_FALSE(read(m, {{"x", array<float>({1, 5}, {1, 2, 3, 4, 5})}}).ok());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto bad = read(m, {{"x", array<float>({1, 2, 1, 3}, {1, 2, 3, nan, 5, 6})}});
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().what.find("NaN at element 3"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
