#include "run/recording.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace lockstep {
namespace {

namespace fs = std::filesystem;

template <class T>
Tensor tensor(Shape shape, std::vector<T> elements) {
  return Tensor::of<T>(std::move(shape), std::span<const T>(elements));
}

// A fresh folder of its own for each test.
std::string scratch() {
  const fs::path folder =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder.string();
}

void write_npy(const std::string& path, const Tensor& t) {
  ASSERT_TRUE(write_file(path, format_npy(array_of(t))).ok());
}

Graph one_relu() {
  GraphBuilder g("m.onnx", "onnx");
  ValueId ids[2];
  for (int i = 0; i < 2; ++i) {
    Value v;
    v.name = i ? "/a/out" : "x";
    v.shape = {1, 2};
    ids[i] = g.add_value(v);
  }
  Node n;
  n.name = "a";
  n.op = "Relu";
  n.inputs = {ids[0]};
  n.outputs = {ids[1]};
  g.add_node(n);
  g.add_input(ids[0]);
  g.add_output(ids[1]);
  return std::move(std::move(g).finish()).value();
}

TEST(Recording, a_written_capture_is_read_with_all_that_was_known) {
  Capture capture;
  capture.arithmetic = "ort";
  capture.order = {"/a/out", "scalar"};
  capture.infos["/a/out"] = {
      DType::i8, {1, 2}, {{0.1, 0.2}, {-3, 4}, 1}, {"m", "/a/out", "a", "NCHW"}};
  capture.infos["scalar"] = {DType::f32, {}, {}, {}};
  for (std::int8_t i = 0; i < 3; ++i)
    capture.samples.push_back(
        {{"/a/out", tensor<std::int8_t>({1, 2}, {i, 7})}, {"scalar", Tensor::scalar(1.5f)}});
  const std::string path = scratch() + "/c.npz";
  ASSERT_TRUE(write_capture(path, capture).ok());
  const auto recording = read_recording(path);
  ASSERT_TRUE(recording.ok()) << recording.error().line();
  EXPECT_EQ(recording->arithmetic, "ort");
  EXPECT_EQ(recording->samples, 3);
  const auto again = capture_from(*recording, one_relu());
  ASSERT_TRUE(again.ok()) << again.error().line();
  ASSERT_EQ(again->samples.size(), 3u);
  EXPECT_EQ(again->samples[2].at("/a/out"), capture.samples[2].at("/a/out"));
  EXPECT_EQ(again->infos.at("/a/out").quant, capture.infos["/a/out"].quant);
  EXPECT_EQ(again->infos.at("/a/out").origin.node, "a");
  EXPECT_EQ(again->samples[1].at("scalar").count(), 1);
}

TEST(Recording, a_folder_of_npy_files_is_one_recording) {
  const std::string folder = scratch();
  write_npy(folder + "/x.npy", tensor<float>({2, 2}, {1, 2, 3, 4}));
  write_npy(folder + "/%2Fa%2Fout.npy", tensor<float>({2, 2}, {5, 6, 7, 8}));
  ASSERT_TRUE(write_file(folder + "/notes.txt", "x").ok());
  const auto capture = capture_from(*read_recording(folder), one_relu());
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  ASSERT_EQ(capture->samples.size(), 2u);
  EXPECT_EQ(capture->samples[1].at("/a/out"), tensor<float>({1, 2}, {7, 8}));
  EXPECT_NE(capture->notes[0].find("1 files of other kinds"), std::string::npos);
}

TEST(Recording, numbered_folders_are_samples_in_numeric_order) {
  const std::string folder = scratch();
  for (const int i : {2, 10}) {
    const std::string sample = folder + "/sample_" + std::to_string(i);
    fs::create_directory(sample);
    write_npy(sample + "/_a_out.npy", tensor<float>({1, 2}, {static_cast<float>(i), 0}));
  }
  const auto capture = capture_from(*read_recording(folder), one_relu());
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  ASSERT_EQ(capture->samples.size(), 2u);
  EXPECT_EQ(capture->samples[0].at("/a/out").number(0), 2);
  EXPECT_EQ(capture->samples[1].at("/a/out").number(0), 10);
}

TEST(Recording, half_floats_are_widened) {
  const NpyArray half{
      DType::f16, {2}, {std::byte{0}, std::byte{0x3c}, std::byte{0}, std::byte{0xc0}}};
  EXPECT_EQ(tensor_of(half), tensor<float>({2}, {1, -2}));
}

TEST(Recording, nothing_to_read_is_said) {
  const std::string folder = scratch();
  EXPECT_FALSE(read_recording(folder).ok());
  EXPECT_FALSE(read_recording(folder + "/absent.npz").ok());
  ASSERT_TRUE(write_file(folder + "/x.raw", "abc").ok());
  const auto raw = capture_from(*read_recording(folder + "/x.raw"), one_relu());
  ASSERT_FALSE(raw.ok());
  EXPECT_NE(raw.error().hint.find("json"), std::string::npos) << raw.error().line();
}

}  // namespace
}  // namespace lockstep
