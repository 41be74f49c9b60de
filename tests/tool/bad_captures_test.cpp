// Recordings that are wrong themselves: each symptom is recognized and said in the verdict, and
// nothing is explained by a fault. The cases are made from right captures of examples/s1.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "import/import.h"
#include "support/folders.h"
#include "tool/bad_captures.h"

namespace lockstep {
namespace {

using test::BadCaptures, test::golden, test::model, test::samples;

TEST_F(BadCaptures, nan) {
  const float nan = std::nanf("");
  std::memcpy(array("ppm").bytes.data() + 12, &nan, 4);
  refused("NaN");
  // The table said cosine 1.00000 of what is left where NaN stood.
  const auto ran = test::run_tool("validate " + model + " --input " + golden + " --target " +
                                  scratch / "bad.npz");
  EXPECT_NE(ran.out.find("  NaN  "), std::string::npos) << ran.out;
}

TEST_F(BadCaptures, missing_tensors_are_no_fault) {
  leave_out("/block2/relu_out_QuantizeLinear_Output");
  leave_out("/block2/slice_out_QuantizeLinear_Output");
  EXPECT_NE(verdict(0).find("healthy"), std::string::npos);
  EXPECT_FALSE(report["unpaired_reference"].empty());
}

TEST_F(BadCaptures, swapped_names) {
  std::swap(array("/block1/slice_out_QuantizeLinear_Output").bytes,
            array("/block3/slice_out_QuantizeLinear_Output").bytes);
  refused("names are swapped");
}

TEST_F(BadCaptures, other_sample_order) {
  auto order = in_order();
  std::ranges::rotate(order, order.begin() + 1);
  leave_out("window");
  resample(order);
  refused("another order");
}

TEST_F(BadCaptures, other_sample_order_of_a_faulty_device) {
  const auto ran =
      test::run_tool("inject " + model + " --input " + golden +
                     " --fault operand-rescale@/block2/add,k=0.5 -o " + scratch / "faulty.npz");
  ASSERT_EQ(ran.code, 0) << ran.err;
  auto read = read_npz(scratch / "faulty.npz");
  ASSERT_TRUE(read.ok());
  all.clear();
  for (auto& [name, array] : *read)
    if (array.shape.size() > 1 && array.shape[0] == samples && name != "window")
      all.emplace_back(name, array);
  auto order = in_order();
  std::ranges::reverse(order);
  resample(order);
  refused("another order");
}

TEST_F(BadCaptures, outputs_alone_in_another_order) {
  auto order = in_order();
  std::ranges::reverse(order);
  resample(order);
  only("ppm");
  refused("another order");
}

TEST_F(BadCaptures, a_sample_recorded_twice) {
  auto order = in_order();
  order[5] = 4;
  leave_out("window");
  resample(order);
  refused("sample 6 is of input 5");
}

TEST_F(BadCaptures, one_inference_recorded_many_times) {
  leave_out("window");
  resample(std::vector<std::size_t>(samples, 3));
  refused("input 4");
}

TEST_F(BadCaptures, one_inference_only_names_the_input_that_it_answers) {
  resample({6});
  EXPECT_NE(verdict(2).find("it is the answer to input 7"), std::string::npos);
}

TEST_F(BadCaptures, wrong_number_of_samples) {
  auto order = in_order();
  order.pop_back();
  resample(order);
  EXPECT_NE(verdict(2).find("15 samples; want 16"), std::string::npos);
}

TEST_F(BadCaptures, all_zeros) {
  for (auto& [name, a] : all) std::ranges::fill(a.bytes, std::byte{0});
  refused("holds 0 and nothing else");
}

TEST_F(BadCaptures, other_inputs_than_claimed) {
  const auto ran =
      test::run_tool("run " + model + " --samples 16 --seed 77 --all -o " + scratch / "other.npz");
  ASSERT_EQ(ran.code, 0) << ran.err;
  auto read = read_npz(scratch / "other.npz");
  ASSERT_TRUE(read.ok());
  for (auto& [name, value] : *read)
    if (value.shape.size() > 1 && value.shape[0] == samples) array(name) = value;
  refused("other inputs than those given");
  leave_out("window");
  EXPECT_NE(verdict(1).find("may be of other inputs"), std::string::npos);
  for (const auto& e : report["suspects"][0]["explanations"]) EXPECT_FALSE(e["accepted"]) << e;
}

TEST_F(BadCaptures, a_truncated_tensor_is_left_out_and_said) {
  NpyArray& a = array("/block3/slice_out_QuantizeLinear_Output");
  a.shape = {static_cast<std::int64_t>(a.bytes.size() / 2 + 1)};
  a.bytes.resize(a.bytes.size() / 2 + 1);
  EXPECT_NE(verdict(0).find("healthy"), std::string::npos);
  EXPECT_NE(report["notes"].dump().find("/block3/slice_out_QuantizeLinear_Output' is int8"),
            std::string::npos)
      << report["notes"];
  EXPECT_FALSE(report["unpaired_reference"].empty());
}

// The rest was once compared without it, and called healthy.
TEST_F(BadCaptures, a_truncated_output_is_refused) {
  NpyArray& a = array("ppm");
  a.bytes.resize(9 * size_of(a.dtype));
  a.shape = {9, 1};
  EXPECT_NE(verdict(2).find("samples"), std::string::npos);
  array("ppm").shape = {3, 3};
  EXPECT_NE(verdict(2).find("'ppm' is float32[3,3]"), std::string::npos) << verdict(2);
}

TEST_F(BadCaptures, a_tensor_cut_off_and_filled_up) {
  NpyArray& a = array("/block3/slice_out_QuantizeLinear_Output");
  const std::size_t each = a.bytes.size() / samples;
  for (std::size_t i = 0; i < a.bytes.size(); ++i)
    if (i % each > each / 2) a.bytes[i] = std::byte{0};
  refused("wrong as recorded only");
}

TEST_F(BadCaptures, byte_swapped) {
  for (auto& [name, a] : all)
    if (a.dtype == DType::f32)
      for (std::size_t i = 0; i + 4 <= a.bytes.size(); i += 4)
        std::reverse(a.bytes.begin() + static_cast<std::ptrdiff_t>(i),
                     a.bytes.begin() + static_cast<std::ptrdiff_t>(i + 4));
  refused("big-endian");
}

TEST_F(BadCaptures, codes_of_the_other_sign) {
  for (auto& [name, a] : all)
    if (a.dtype == DType::i8)
      for (std::byte& b : a.bytes) b ^= std::byte{0x80};
  leave_out("window");
  refused("128 away");
}

TEST_F(BadCaptures, another_version_of_the_model) {
  const auto graph = import_model(test::source_folder() + "/" + model);
  ASSERT_TRUE(graph.ok());
  auto file = read_file(test::source_folder() + "/" + model);
  ASSERT_TRUE(file.ok());
  int changed = 0;
  for (const Value& v : graph->values()) {
    if (!v.constant || v.dtype != DType::i8 || v.constant->count() < 100) continue;
    const auto at = std::search(file->begin(), file->end(), v.constant->bytes().begin(),
                                v.constant->bytes().end());
    if (at == file->end()) continue;
    for (std::ptrdiff_t i = 0; i < v.constant->count(); i += 3) at[i] ^= std::byte{0x25};
    ++changed;
  }
  ASSERT_GT(changed, 6);
  ASSERT_TRUE(write_file(scratch / "retrained.onnx",
                         std::string(reinterpret_cast<const char*>(file->data()), file->size()))
                  .ok());
  const auto ran = test::run_tool("run " + scratch / "retrained.onnx" + " --input " + golden +
                                  " --all -o " + scratch / "other.npz");
  ASSERT_EQ(ran.code, 0) << ran.err;
  auto read = read_npz(scratch / "other.npz");
  ASSERT_TRUE(read.ok());
  std::erase_if(*read, [](const auto& m) {
    return m.second.shape.size() < 2 || m.second.shape[0] != samples;
  });
  all = std::move(*read);
  EXPECT_NE(verdict(1).find("another version of the model"), std::string::npos)
      << report["verdict"];
  for (const auto& e : report["suspects"][0]["explanations"]) EXPECT_FALSE(e["accepted"]) << e;
}

}  // namespace
}  // namespace lockstep
