#include <limits>

#include <gtest/gtest.h>

#include "run/recording.h"
#include "run/recording_bytes.h"

namespace lockstep {
namespace {

// x [1,4] * w [4] -> y [1,4] -> z [1,4]
Graph scaled() {
  GraphBuilder g("m.onnx", "onnx");
  const auto value = [&](const std::string& name, Shape shape) {
    Value v;
    v.name = name;
    v.shape = std::move(shape);
    return v;
  };
  Value w = value("w", {4});
  Tensor t(DType::f32, {4});
  for (std::int64_t i = 0; i < 4; ++i) t.set_number(i, static_cast<double>(i));
  w.constant = std::make_shared<const Tensor>(std::move(t));
  const ValueId x = g.add_value(value("x", {1, 4})), c = g.add_value(w),
                y = g.add_value(value("y", {1, 4})), z = g.add_value(value("z", {1, 4}));
  const auto node = [&](const std::string& name, const std::string& op, std::vector<ValueId> inputs,
                        ValueId out) {
    Node n;
    n.name = name;
    n.op = op;
    n.inputs = std::move(inputs);
    n.outputs = {out};
    g.add_node(n);
  };
  node("mul", "Mul", {x, c}, y);
  node("relu", "Relu", {y}, z);
  g.add_input(x);
  g.add_output(z);
  return std::move(std::move(g).finish()).value();
}

Tensor counted(Shape shape, double first = 0) {
  Tensor t(DType::f32, std::move(shape));
  for (std::int64_t i = 0; i < t.count(); ++i) t.set_number(i, first + static_cast<double>(i));
  return t;
}

Recording recording_of(std::vector<std::pair<std::string, Tensor>> arrays) {
  Recording r;
  r.source = "c.npz";
  for (auto& [name, t] : arrays) r.arrays.push_back({name, std::move(t), {}, {}, -1});
  return r;
}

bool says(const Capture& capture, const std::string& words) {
  for (const std::string& note : capture.notes)
    if (note.find(words) != note.npos) return true;
  return false;
}

TEST(UsablePart, weights_that_were_dumped_along_do_not_count_as_samples) {
  const auto capture = capture_from(
      recording_of({{"x", counted({3, 4})}, {"w", counted({4})}, {"z", counted({3, 4})}}),
      scaled());
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_EQ(capture->samples.size(), 3u);
  EXPECT_EQ(capture->order, (std::vector<std::string>{"x", "z"}));
  EXPECT_TRUE(says(*capture, "1 arrays are constants of the model"));
  EXPECT_FALSE(says(*capture, "other numbers"));
}

TEST(UsablePart, weights_of_a_wrong_size_refuse_nothing_and_other_weights_are_said) {
  const auto packed =
      capture_from(recording_of({{"w", counted({7})}, {"z", counted({3, 4})}}), scaled());
  ASSERT_TRUE(packed.ok()) << packed.error().line();
  EXPECT_EQ(packed->order, (std::vector<std::string>{"z"}));
  const auto other =
      capture_from(recording_of({{"w", counted({4}, 5)}, {"z", counted({3, 4})}}), scaled());
  ASSERT_TRUE(other.ok()) << other.error().line();
  EXPECT_TRUE(says(*other, "'w' holds other numbers than this constant"));
}

// A recorder that reads every tensor of the runtime after each run: as many weights as samples, and
// "a/BiasAdd" is also a part of the name of what is computed. It was refused as a tensor that
// stands twice.
TEST(UsablePart, weights_dumped_at_every_run_are_no_result_of_the_same_name) {
  GraphBuilder g("m.tflite", "tflite");
  const auto value = [&](const std::string& name,
                         std::shared_ptr<const Tensor> constant = nullptr) {
    Value v;
    v.name = name;
    v.shape = constant ? Shape{4} : Shape{1, 4};
    v.constant = std::move(constant);
    return g.add_value(std::move(v));
  };
  const ValueId x = value("x"),
                w = value("a/BiasAdd", std::make_shared<const Tensor>(counted({4}))),
                y = value("a/MatMul;a/BiasAdd");
  g.add_node({"ADD_0", "Add", {}, {x, w}, {y}, {}});
  g.add_input(x);
  g.add_output(y);
  const Graph model = std::move(std::move(g).finish()).value();
  Tensor thrice(DType::f32, {3, 4});
  for (std::int64_t i = 0; i < 12; ++i) thrice.set_number(i, static_cast<double>(i % 4));
  const auto whole = capture_from(recording_of({{"x", counted({3, 4})},
                                                {"a/BiasAdd", thrice},
                                                {"a/MatMul;a/BiasAdd", counted({3, 4}, 2)}}),
                                  model);
  ASSERT_TRUE(whole.ok()) << whole.error().line();
  EXPECT_EQ(whole->order, (std::vector<std::string>{"x", "a/MatMul;a/BiasAdd"}));
  const auto short_name = capture_from(
      recording_of({{"x", counted({3, 4})}, {"a/BiasAdd", counted({3, 4}, 2)}}), model);
  ASSERT_TRUE(short_name.ok()) << short_name.error().line();
  EXPECT_EQ(short_name->order, (std::vector<std::string>{"x", "a/MatMul;a/BiasAdd"}))
      << "other numbers than the weights are the result";
}

TEST(UsablePart, a_tensor_of_another_size_is_left_out_where_more_fit) {
  const auto capture = capture_from(
      recording_of({{"x", counted({3, 4})}, {"y", counted({3, 5})}, {"z", counted({3, 4})}}),
      scaled());
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_EQ(capture->order, (std::vector<std::string>{"x", "z"}));
  EXPECT_TRUE(says(*capture,
                   "'y' is float32[3,5], not a multiple of the 4 elements of 'y' [1,4]: left out"));
}

TEST(UsablePart, a_recording_of_which_no_more_than_half_fits_is_of_another_model) {
  const auto capture =
      capture_from(recording_of({{"y", counted({3, 5})}, {"z", counted({3, 4})}}), scaled());
  ASSERT_FALSE(capture.ok());
  EXPECT_NE(capture.error().line().find("another model"), std::string::npos)
      << capture.error().line();
}

// Both were once left out, and what was left was called healthy.
TEST(UsablePart, an_output_or_an_input_of_another_size_is_an_error_however_much_fits) {
  for (const Shape& shape : {Shape{3, 8}, Shape{22}})
    for (const std::string rim : {"z", "x"}) {
      const std::string other = rim == "z" ? "x" : "z";
      const auto capture = capture_from(
          recording_of({{rim, counted(shape)}, {other, counted({3, 4})}, {"y", counted({3, 4})}}),
          scaled());
      ASSERT_FALSE(capture.ok()) << rim << " was left out";
      EXPECT_NE(capture.error().line().find("'" + rim + "' is float32"), std::string::npos)
          << capture.error().line();
    }
}

// in [1,4] -> quantize -> "in_codes" -> relu -> "codes" -> dequantize -> "out"; "more" = abs(codes)
// beside them.
Graph on_codes() {
  GraphBuilder g("m.onnx", "onnx");
  const auto value = [&](const std::string& name, DType type) {
    Value v;
    v.name = name;
    v.dtype = type;
    v.shape = {1, 4};
    return g.add_value(v);
  };
  const ValueId in = value("in", DType::f32), in_codes = value("in_codes", DType::i8),
                codes = value("codes", DType::i8), more = value("more", DType::i8),
                out = value("out", DType::f32);
  g.add_node({"q", "QuantizeLinear", {}, {in}, {in_codes}, {}});
  g.add_node({"relu", "Relu", {}, {in_codes}, {codes}, {}});
  g.add_node({"abs", "Abs", {}, {codes}, {more}, {}});
  g.add_node({"dq", "DequantizeLinear", {}, {codes}, {out}, {}});
  g.add_input(in);
  g.add_output(out);
  return std::move(std::move(g).finish()).value();
}

TEST(UsablePart, codes_that_an_output_or_an_input_stands_for_are_not_left_out_either) {
  for (const std::string rim : {"in_codes", "codes", "more"}) {
    std::vector<std::pair<std::string, Tensor>> arrays;
    for (const std::string name : {"in", "in_codes", "codes", "more", "out"})
      arrays.emplace_back(name, Tensor(name == "in" || name == "out" ? DType::f32 : DType::i8,
                                       Shape{3, name == rim ? 5 : 4}));
    EXPECT_EQ(capture_from(recording_of(std::move(arrays)), on_codes()).ok(), rim == "more") << rim;
  }
}

TEST(UsablePart, a_constant_that_holds_nan_is_compared_by_its_other_numbers) {
  Tensor same = counted({4}), other = counted({4});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  other.set_number(2, nan);
  const auto with_nan = [&](const Tensor& w) {
    Tensor constant = counted({4});
    constant.set_number(1, nan);
    GraphBuilder g("m.onnx", "onnx");
    Value x, c, z;
    x.name = "x", c.name = "w", z.name = "z";
    x.shape = z.shape = {1, 4};
    c.shape = {4};
    c.constant = std::make_shared<const Tensor>(std::move(constant));
    const ValueId a = g.add_value(x), b = g.add_value(c), y = g.add_value(z);
    g.add_node({"mul", "Mul", {}, {a, b}, {y}, {}});
    g.add_input(a);
    g.add_output(y);
    return capture_from(recording_of({{"w", w}, {"z", counted({3, 4})}}),
                        std::move(std::move(g).finish()).value());
  };
  same.set_number(1, nan);
  EXPECT_FALSE(says(*with_nan(same), "other numbers"));
  EXPECT_TRUE(says(*with_nan(other), "other numbers")) << "the NaN stands for another number";
  EXPECT_TRUE(says(*with_nan(counted({4})), "other numbers"));
}

TEST(UsablePart, a_misfit_is_told_how_many_samples_are_wanted) {
  Recording r =
      recording_of({{"x", counted({3, 4})}, {"y", counted({2, 4})}, {"z", counted({3, 4})}});
  r.samples = 3;
  const auto stated = capture_from(r, scaled());
  ASSERT_TRUE(stated.ok()) << stated.error().line();
  EXPECT_TRUE(
      says(*stated, "'y' is float32[2,4], not 3 samples of the 4 elements of 'y' [1,4]: left out"));
  r = recording_of({{"x", counted({1, 4})}, {"y", counted({2, 4})}, {"z", counted({1, 4})}});
  for (RecordedArray& a : r.arrays) a.sample = 0;
  const auto single = capture_from(r, scaled());
  ASSERT_TRUE(single.ok()) << single.error().line();
  EXPECT_TRUE(says(*single, "'y' is float32[2,4], not the 4 elements of 'y' [1,4]: left out"));
}

// [3,8] was taken for six samples of [1,4], and refused for an axis that six do not divide.
TEST(UsablePart, a_tensor_of_another_shape_is_told_the_models) {
  const auto capture = capture_from(recording_of({{"x", counted({3, 8})}}), scaled());
  ASSERT_FALSE(capture.ok());
  EXPECT_NE(capture.error().line().find(
                "'x' is float32[3,8]; want samples of 'x' [1,4] along the first axis"),
            std::string::npos)
      << capture.error().line();
}

TEST(UsablePart, bytes_of_no_tensor_are_left_out_beside_others) {
  Recording r;
  r.source = "dump";
  const auto add = [&](const std::string& name, std::size_t bytes) {
    r.arrays.push_back(recorded_bytes(name, Bytes(bytes)));
  };
  add("x", 48), add("firmware", 1000), add("z", 48);
  const auto capture = capture_from(r, scaled());
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_EQ(capture->order, (std::vector<std::string>{"x", "z"}));
  EXPECT_TRUE(says(*capture, "the bytes of 'firmware' are of no tensor"));
}

TEST(UsablePart, bytes_of_weights_of_another_size_refuse_no_folder) {
  Recording r;
  r.source = "dump";
  const auto add = [&](const std::string& name, std::size_t bytes) {
    r.arrays.push_back(recorded_bytes(name, Bytes(bytes)));
  };
  add("w", 7), add("z", 48);
  for (const std::int64_t expected : {0, 3}) {
    const auto capture = capture_from(r, scaled(), expected);
    ASSERT_TRUE(capture.ok()) << capture.error().line();
    EXPECT_EQ(capture->order, (std::vector<std::string>{"z"}));
    EXPECT_TRUE(says(*capture, "'w' is 7 bytes"));
  }
  r.arrays.clear();
  add("w", 16), add("z", 48);
  const auto capture = capture_from(r, scaled(), 3);
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_TRUE(says(*capture, "'w' holds other numbers")) << "zeros stand for 0, 1, 2, 3";
}

TEST(UsablePart, bytes_of_an_output_of_another_size_are_an_error) {
  Recording r;
  r.source = "dump";
  const auto add = [&](const std::string& name, std::size_t bytes) {
    r.arrays.push_back(recorded_bytes(name, Bytes(bytes)));
  };
  add("x", 48), add("y", 48), add("z", 47);
  EXPECT_FALSE(capture_from(r, scaled(), 3).ok());
}

}  // namespace
}  // namespace lockstep
