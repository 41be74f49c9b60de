// ONNX's own operator tests: model, inputs and expected outputs of one node each.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "import/import.h"
#include "import/onnx_proto.h"
#include "run/executor.h"
#include "support/shared.h"
#include "support/temporary.h"

namespace fs = std::filesystem;

namespace lockstep {
namespace {

// What does not pass, and why. A folder that passes must not stand here.
const std::map<std::string, std::string, std::less<>> listed = {
    {"test_identity_sequence", "a sequence is no tensor"},
    {"test_split_to_sequence_1", "a sequence is no tensor"},
    {"test_split_to_sequence_2", "a sequence is no tensor"},
    {"test_split_to_sequence_nokeepdims", "a sequence is no tensor"},
    {"test_identity_opt", "an optional sequence is no tensor"},
    {"test_resize_downsample_scales_cubic_align_corners",
     "expects the fractional length extent * scale; runtimes align the corners of the whole "
     "length"},
    {"test_resize_downsample_scales_linear_align_corners",
     "expects the fractional length extent * scale; runtimes align the corners of the whole "
     "length"},
};

// Inputs and expected values are written with four digits only.
const std::map<std::string, double, std::less<>> rounded = {
    {"test_averagepool_2d_ceil_last_window_starts_on_pad", 1e-4}};

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Result<Tensor> tensor_in(const fs::path& path) {
  onnx::TensorProto proto;
  if (!proto.ParseFromString(bytes_of(path)))
    return Error{path.string(), "no tensor", "a TensorProto", ""};
  return tensor_of_onnx(proto, path.string());
}

struct NodeTest {
  onnx::ModelProto model;
  std::vector<onnx::TensorProto> inputs;
  std::vector<fs::path> outputs;
};

NodeTest read_test(const fs::path& folder) {
  NodeTest t;
  t.model.ParseFromString(bytes_of(folder / "model.onnx"));
  const fs::path data = folder / "test_data_set_0";
  for (int i = 0; fs::exists(data / ("input_" + std::to_string(i) + ".pb")); ++i)
    t.inputs.emplace_back().ParseFromString(
        bytes_of(data / ("input_" + std::to_string(i) + ".pb")));
  for (int i = 0; fs::exists(data / ("output_" + std::to_string(i) + ".pb")); ++i)
    t.outputs.push_back(data / ("output_" + std::to_string(i) + ".pb"));
  return t;
}

// Shapes, axes and scales are inputs there: all inputs but the first are then made initializers.
Result<Graph> import_test(const NodeTest& t, bool constants) {
  onnx::ModelProto model = t.model;
  if (constants)
    for (std::size_t i = 1; i < t.inputs.size(); ++i) {
      *model.mutable_graph()->add_initializer() = t.inputs[i];
      model.mutable_graph()->mutable_initializer()->rbegin()->set_name(
          model.graph().input(static_cast<int>(i)).name());
    }
  const test::TemporaryFolder folder;
  std::ofstream(folder / "model.onnx", std::ios::binary) << model.SerializeAsString();
  return import_model(folder / "model.onnx");
}

// Integers and truth values equal; reals within 1e-5 of the value and 1e-6: the expected ones are
// NumPy's float32 or float64 results, with sums taken in another order.
std::string difference(const Tensor& y, const Tensor& want, double bound) {
  if (y.dtype() != want.dtype())
    return "type " + std::string(name_of(y.dtype())) + ", not " +
           std::string(name_of(want.dtype()));
  if (y.shape() != want.shape()) return "another shape";
  for (std::int64_t i = 0; i < y.count(); ++i) {
    const double a = y.number(i), b = want.number(i);
    const bool equal = is_float(y.dtype()) ? a == b || (std::isnan(a) && std::isnan(b)) ||
                                                 std::abs(a - b) <= bound + 1e-5 * std::abs(b)
                                           : y.code(i) == want.code(i);
    if (!equal)
      return "element " + std::to_string(i) + " is " + std::to_string(a) + ", not " +
             std::to_string(b);
  }
  return "";
}

bool in_codes(const Graph& g) {
  return std::ranges::any_of(g.values(), [](const Value& v) { return v.quant.quantized(); });
}

// "" when the test passes, else why not.
std::string run_test(const fs::path& folder) {
  const NodeTest t = read_test(folder);
  auto graph = import_test(t, false);
  if (!graph.ok()) graph = import_test(t, true);
  if (!graph.ok()) return graph.error().line();
  const auto executor =
      Executor::make(*graph, *find_arithmetic(in_codes(*graph) ? "ort" : "float"));
  if (!executor.ok()) return executor.error().line();
  Sample feed;
  for (std::size_t i = 0; i < t.inputs.size(); ++i) {
    const auto x = tensor_of_onnx(t.inputs[i], "input");
    if (!x.ok()) return x.error().line();
    feed[t.model.graph().input(static_cast<int>(i)).name()] = *x;
  }
  std::vector<std::string> names;
  for (const auto& output : t.model.graph().output()) names.push_back(output.name());
  const auto capture = executor->run({&feed, 1}, names);
  if (!capture.ok()) return capture.error().line();
  const auto coarse = rounded.find(folder.filename().string());
  for (std::size_t i = 0; i < t.outputs.size(); ++i) {
    const auto want = tensor_in(t.outputs[i]);
    if (!want.ok()) return want.error().line();
    const auto y = capture->samples.at(0).find(names.at(i));
    if (y == capture->samples.at(0).end()) return "no output " + names[i];
    if (const std::string what =
            difference(y->second, *want, coarse == rounded.end() ? 1e-6 : coarse->second);
        !what.empty())
      return names[i] + ": " + what;
  }
  return t.outputs.empty() ? "no expected outputs" : "";
}

TEST(OnnxNodeTests, pass_or_are_listed_with_a_reason) {
  LOCKSTEP_NEEDS_SHARED();
  std::vector<fs::path> folders;
  for (const auto& entry :
       fs::directory_iterator(fs::path(test::shared_folder()) / "onnx-node-tests"))
    if (entry.is_directory()) folders.push_back(entry.path());
  std::ranges::sort(folders);
  ASSERT_GT(folders.size(), 300u);
  std::size_t passed = 0, skipped = 0;
  for (const fs::path& folder : folders) {
    const std::string name = folder.filename(), why = run_test(folder);
    const auto reason = listed.find(name);
    if (reason == listed.end()) {
      EXPECT_EQ(why, "") << name;
      passed += why.empty();
    } else {
      EXPECT_NE(why, "") << name << " passes: it must not be listed";
      std::cout << "listed  " << name << ": " << reason->second << '\n';
      ++skipped;
    }
  }
  std::cout << folders.size() << " operator tests: " << passed << " pass, " << skipped
            << " listed with a reason\n";
  EXPECT_EQ(skipped, listed.size());
}

}  // namespace
}  // namespace lockstep
