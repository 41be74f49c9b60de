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
  const ValueId x = g.add_value(value("x", {1, 4})), c = g.add_value(w), y = g.add_value(value("y", {1, 4})),
                z = g.add_value(value("z", {1, 4}));
  const auto node = [&](const std::string& name, const std::string& op, std::vector<ValueId> inputs, ValueId out) {
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
  const auto capture = capture_from(recording_of({{"x", counted({3, 4})}, {"w", counted({4})}, {"z", counted({3, 4})}}), scaled());
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_EQ(capture->samples.size(), 3u);
  EXPECT_EQ(capture->order, (std::vector<std::string>{"x", "z"}));
  EXPECT_TRUE(says(*capture, "1 arrays are constants of the model"));
  EXPECT_FALSE(says(*capture, "other numbers"));
}

TEST(UsablePart, weights_of_a_wrong_size_refuse_nothing_and_other_weights_are_said) {
  const auto packed = capture_from(recording_of({{"w", counted({7})}, {"z", counted({3, 4})}}), scaled());
  ASSERT_TRUE(packed.ok()) << packed.error().line();
  EXPECT_EQ(packed->order, (std::vector<std::string>{"z"}));
  const auto other = capture_from(recording_of({{"w", counted({4}, 5)}, {"z", counted({3, 4})}}), scaled());
  ASSERT_TRUE(other.ok()) << other.error().line();
  EXPECT_TRUE(says(*other, "'w' holds other numbers than this constant"));
}

TEST(UsablePart, a_tensor_of_another_size_is_left_out_where_more_fit) {
  const auto capture = capture_from(recording_of({{"x", counted({3, 4})}, {"y", counted({3, 5})}, {"z", counted({3, 4})}}), scaled());
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_EQ(capture->order, (std::vector<std::string>{"x", "z"}));
  EXPECT_TRUE(says(*capture, "'y' is float32[3,5], not a multiple of the 4 elements of 'y' [1,4]: left out"));
}

TEST(UsablePart, a_recording_of_which_no_more_than_half_fits_is_of_another_model) {
  const auto capture = capture_from(recording_of({{"y", counted({3, 5})}, {"z", counted({3, 4})}}), scaled());
  ASSERT_FALSE(capture.ok());
  EXPECT_NE(capture.error().line().find("another model"), std::string::npos) << capture.error().line();
}

// [3,8] was taken for six samples of [1,4], and refused for an axis that six do not divide.
TEST(UsablePart, a_tensor_of_another_shape_is_told_the_models) {
  const auto capture = capture_from(recording_of({{"x", counted({3, 8})}}), scaled());
  ASSERT_FALSE(capture.ok());
  EXPECT_NE(capture.error().line().find("'x' is float32[3,8]; want samples of 'x' [1,4] along the first axis"), std::string::npos) << capture.error().line();
}

TEST(UsablePart, bytes_of_no_tensor_are_left_out_beside_others) {
  Recording r;
  r.source = "dump";
  const auto add = [&](const std::string& name, std::size_t bytes) { r.arrays.push_back(recorded_bytes(name, Bytes(bytes))); };
  add("x", 48), add("firmware", 1000), add("z", 48);
  const auto capture = capture_from(r, scaled());
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  EXPECT_EQ(capture->order, (std::vector<std::string>{"x", "z"}));
  EXPECT_TRUE(says(*capture, "the bytes of 'firmware' are of no tensor"));
}

}  // namespace
}  // namespace lockstep
