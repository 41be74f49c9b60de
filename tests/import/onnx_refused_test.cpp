#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <iostream>
#include <map>

#include "base/random.h"
#include "import/onnx_builder.h"
#include "support/shared.h"

namespace fs = std::filesystem;

namespace lockstep {
namespace {

using test::expect_refused, test::OnnxBuilder, test::running_sum, test::set_int, test::set_ints,
    test::doubling;

TEST(OnnxImport, refuses_by_name_what_it_does_not_read) {
  expect_refused(doubling(false).import(), {"m.onnx", "Loop", "trip count", "constant"});
  OnnxBuilder unknown;
  unknown.input("x", {1}).output("y").node("Frobnicate", {"x"}, {"y"});
  expect_refused(unknown.import(), {"m.onnx", "Frobnicate1", "opset 17", "docs/ops.md"});
  OnnxBuilder attribute;
  set_int(attribute.input("x", {1}).output("y").node("Relu", {"x"}, {"y"}), "leak", 1);
  expect_refused(attribute.import(), {"m.onnx", "Relu1", "leak"});
  OnnxBuilder opset(6);
  opset.input("x", {1}).output("y").node("Relu", {"x"}, {"y"});
  expect_refused(opset.import(), {"opset 6", "7 to 25"});
  OnnxBuilder missing;
  missing.output("y").node("Relu", {"x"}, {"y"});
  expect_refused(missing.import(), {"Relu1", "'x'"});
  OnnxBuilder half;
  half.input("x", {1}, onnx::TensorProto::FLOAT16).output("y").node("Relu", {"x"}, {"y"});
  expect_refused(half.import(), {"Relu1", "float16", "float32"});
  OnnxBuilder twice;
  twice.input("x", {1}).output("y").node("Relu", {"x"}, {"y"});
  twice.node("Abs", {"x"}, {"y"});
  expect_refused(twice.import(), {"Abs2", "second time"});
}

TEST(OnnxImport, refuses_contents_in_other_files) {
  OnnxBuilder m;
  m.output("y").constant<float>("c", {1}, {1}, onnx::TensorProto::FLOAT).node("Relu", {"c"}, {"y"});
  m.model.mutable_graph()->mutable_initializer(0)->set_data_location(onnx::TensorProto::EXTERNAL);
  expect_refused(m.import(), {"initializer 'c'", "another file"});
}

std::int64_t peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(OnnxImport, refuses_a_gigabyte_that_the_file_only_claims) {
  const std::int64_t before = peak_kilobytes();
  OnnxBuilder initializer;
  initializer.output("y")
      .constant<float>("c", {1 << 28}, {1, 2}, onnx::TensorProto::FLOAT)
      .node("Relu", {"c"}, {"y"});
  expect_refused(initializer.import(), {"initializer 'c'", "8 bytes", "1073741824"});
  OnnxBuilder overflow;
  overflow.output("y")
      .constant<float>("c", {1LL << 33, 1LL << 33}, {1, 2}, onnx::TensorProto::FLOAT)
      .node("Relu", {"c"}, {"y"});
  expect_refused(overflow.import(), {"initializer 'c'", "2^40"});
  OnnxBuilder input;
  input.input("x", {1 << 28}).output("y").node("Relu", {"x"}, {"y"});
  expect_refused(input.import(), {"input 'x'", "512 MiB"});
  OnnxBuilder filled;
  filled.output("y")
      .constant<std::int64_t>("shape", {1}, {1 << 28}, onnx::TensorProto::INT64)
      .node("ConstantOfShape", {"shape"}, {"y"});
  expect_refused(filled.import(), {"ConstantOfShape", "512 MiB"});
  EXPECT_LT(peak_kilobytes() - before, 100 * 1024);
}

// Truncated and bit-flipped models are graphs or errors, never a crash.
TEST(OnnxImport, survives_damaged_files) {
  OnnxBuilder m = running_sum();
  m.constant<float>("w", {1, 1, 2}, {1, 2}, onnx::TensorProto::FLOAT)
      .constant<std::int64_t>("shape", {3}, {1, 1, -1}, onnx::TensorProto::INT64);
  m.node("Reshape", {"sums", "shape"}, {"r"});
  set_ints(m.node("Conv", {"r", "w"}, {"c"}), "pads", {1, 1});
  set_ints(m.node("MaxPool", {"c"}, {"p"}), "kernel_shape", {2});
  set_int(m.node("Softmax", {"p"}, {"y"}), "axis", -1);
  m.output("y");
  ASSERT_TRUE(m.import().ok()) << m.import().error().line();
  const std::string whole = m.model.SerializeAsString();
  std::size_t refused = 0, read = 0;
  for (std::size_t length = 0; length < whole.size(); ++length)
    ++(OnnxBuilder::import_text(whole.substr(0, length)).ok() ? read : refused);
  Random random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = whole;
    for (std::int64_t flips = random.between(1, 3); flips-- > 0;)
      damaged[static_cast<std::size_t>(random.between(0, std::ssize(damaged) - 1))] ^=
          static_cast<char>(1 << random.between(0, 7));
    ++(OnnxBuilder::import_text(damaged).ok() ? read : refused);
  }
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(read, 0u);
}

// What is refused, and what the message must name.
const std::map<std::string, std::vector<std::string>, std::less<>> refusals = {
    {"antispoof/facenox_detector_int8.onnx",
     {"facenox_detector_int8.onnx", "DequantizeLinear", "_quantized_node", "block_size"}},
};

TEST(OnnxImport, reads_every_shared_model_or_says_why_not) {
  LOCKSTEP_NEEDS_SHARED();
  const fs::path root = fs::path(test::shared_folder()) / "models";
  std::size_t read = 0, refused = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".onnx") continue;
    const std::string name = fs::relative(entry.path(), root);
    const auto graph = import_model(entry.path());
    const auto expected = refusals.find(name);
    if (expected == refusals.end()) {
      EXPECT_TRUE(graph.ok()) << graph.error().line();
      read += graph.ok();
    } else {
      expect_refused(graph, expected->second);
      ++refused;
    }
  }
  std::cout << read << " ONNX models read, " << refused << " refused as they must be\n";
  EXPECT_GE(read, 20u);
}

TEST(OnnxImport, refuses_four_bit_weights_that_are_cut) {
  OnnxBuilder m;
  m.output("y").constant<std::uint8_t>("w", {3}, {0x8f}, 22);
  m.constant<float>("s", {}, {0.5f}, onnx::TensorProto::FLOAT);
  m.node("DequantizeLinear", {"w", "s"}, {"y"});
  const auto g = m.import();
  ASSERT_FALSE(g.ok());
  EXPECT_NE(g.error().line().find("1 bytes for int4[3]"), std::string::npos) << g.error().line();
}

}  // namespace
}  // namespace lockstep
