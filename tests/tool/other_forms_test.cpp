// Right recordings in other forms than the model's.
#include <algorithm>
#include <cstring>
#include <filesystem>

#include "tool/bad_captures.h"

namespace lockstep {
namespace {

using test::BadCaptures, test::golden, test::model, test::samples;

// A recording in another form is none the worse for it: it is brought into the model's, and said.
class OtherForms : public BadCaptures {};

TEST_F(OtherForms, codes_recorded_as_reals) {
  const auto capture = read_npz(scratch / "all.npz");
  ASSERT_TRUE(capture.ok());
  NpzMembers reals;
  for (auto& [name, a] : all)
    if (name.ends_with("_DequantizeLinear_Output") || name == "window" || name == "ppm") {
      std::string codes = name;
      if (const auto at = codes.find("_DequantizeLinear_Output"); at != codes.npos)
        codes.replace(at, std::string::npos, "_QuantizeLinear_Output");
      reals.emplace_back(codes, a);
    }
  ASSERT_GT(reals.size(), 8u);
  all = std::move(reals);
  EXPECT_NE(verdict(0).find("healthy"), std::string::npos);
}

TEST_F(OtherForms, unsigned_bytes_of_signed_codes) {
  for (auto& [name, a] : all)
    if (a.dtype == DType::i8) {
      a.dtype = DType::u8;
      for (std::byte& b : a.bytes) b ^= std::byte{0x80};
    }
  EXPECT_NE(verdict(0).find("healthy"), std::string::npos);
  EXPECT_NE(report["notes"].dump().find("128 away"), std::string::npos) << report["notes"];
}

// A memory dump of a firmware that keeps codes as unsigned bytes: nothing in it says so.
TEST_F(OtherForms, unsigned_bytes_of_signed_codes_in_a_dump_without_types) {
  std::filesystem::create_directories(scratch / "dump");
  for (auto& [name, a] : all) {
    if (a.dtype != DType::i8) continue;
    for (std::byte& b : a.bytes) b ^= std::byte{0x80};
    std::string file = name;
    std::ranges::replace(file, '/', '_');
    ASSERT_TRUE(write_file(scratch / ("dump/" + file + ".bin"), a.bytes).ok());
  }
  const auto ran =
      test::run_tool("validate " + model + " --input " + golden + " --target " + scratch / "dump");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("128 away"), std::string::npos) << ran.out;
}

// The user's exporter calls the float before a quantizer by the layer's name; the device only has
// the codes.
TEST_F(OtherForms, codes_recorded_as_reals_under_the_layers_own_names) {
  NpzMembers reals = {{"ppm", array("ppm")}};
  const std::string suffix = "_DequantizeLinear_Output";
  for (auto& [name, a] : all)
    if (name.ends_with(suffix)) reals.emplace_back(name.substr(0, name.size() - suffix.size()), a);
  ASSERT_GT(reals.size(), 8u);
  all = std::move(reals);
  EXPECT_NE(verdict(0).find("healthy"), std::string::npos);
}

TEST_F(OtherForms, captures_without_the_networks_output_say_so) {
  leave_out("ppm");
  std::erase_if(all, [](const auto& m) { return m.first.starts_with("ppm"); });
  EXPECT_NE(verdict(0).find("healthy"), std::string::npos);
  EXPECT_NE(report["notes"].dump().find("'ppm' is not among the captures"), std::string::npos)
      << report["notes"];
}

// The device's file held its output under a name of its own, and "healthy" was said of the inputs
// alone.
TEST_F(OtherForms, inputs_alone_are_no_verdict) {
  only("window");
  EXPECT_NE(verdict(2).find("only inputs of"), std::string::npos) << report;
}

TEST_F(OtherForms, an_output_that_answers_every_input_alike_proves_little) {
  const std::string deaf = "examples/s0/pump_int8.onnx --input examples/s0/calm_a.npz ";
  ASSERT_EQ(test::run_tool("run " + deaf + "-o " + scratch / "deaf.npz").code, 0);
  const auto ran = test::run_tool("validate " + deaf + "--target " + scratch / "deaf.npz");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("answers all 8 inputs alike"), std::string::npos) << ran.out;
}

TEST_F(OtherForms, every_tensor_channels_last_under_the_models_shape) {
  for (auto& [name, a] : all) {
    if (a.shape.size() != 4 || a.shape[2] != 1 || name == "window") continue;
    const auto channels = static_cast<std::size_t>(a.shape[1]),
               length = static_cast<std::size_t>(a.shape[3]);
    const std::size_t width = size_of(a.dtype);
    const Bytes from = a.bytes;
    for (std::size_t s = 0; s < samples; ++s)
      for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t t = 0; t < length; ++t)
          std::memcpy(a.bytes.data() + ((s * length + t) * channels + c) * width,
                      from.data() + ((s * channels + c) * length + t) * width, width);
  }
  EXPECT_NE(verdict(0).find("healthy"), std::string::npos);
  EXPECT_NE(report["notes"].dump().find("channels last"), std::string::npos) << report["notes"];
}

TEST_F(OtherForms, a_foreign_file_with_names_of_its_own) {
  NpzMembers plain = {{"x", array("window")}, {"y", array("ppm")}};
  all = std::move(plain);
  EXPECT_NE(verdict(0).find("healthy"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
