#include <gtest/gtest.h>

#include "base/files.h"
#include "npu/small_program.h"
#include "run/executor.h"
#include "support/chains.h"
#include "target/target.h"

namespace lockstep {
namespace {

// x int8-coded as the program's input, y as its output: a Clip between two quantizers stands for
// the network, since the target only asks the model for names, shapes and scales.
Graph model() {
  Value x = test::code_value("x_codes", {1, 2, 3, 4}, 0),
        y = test::code_value("y_codes", {1, 2, 3, 4}, 0);
  x.dtype = y.dtype = DType::u8;
  return test::chain({x, y}, {{"relu", "Identity"}});
}

std::string write_small() {
  const NpuProgram p = test::small_program();
  const std::string folder = testing::TempDir();
  EXPECT_TRUE(write_file(folder + "small.program.json", std::string_view(format_npu_json(p))).ok());
  EXPECT_TRUE(
      write_file(folder + p.images[0].file, std::span<const std::byte>(p.images[0].bytes)).ok());
  return folder + "small.program.json";
}

TEST(NpuTarget, runs_a_program_file_and_yields_its_tensors) {
  const Graph graph = model();
  const auto target = open_target("npu:" + write_small(), {graph, *find_arithmetic("ort-noopt")});
  ASSERT_TRUE(target.ok()) << target.error().line();
  EXPECT_EQ((*target)->describe().arithmetic, "neural-art");
  Tensor x(DType::u8, {1, 2, 3, 4});
  std::vector<int> codes(24);
  for (std::int64_t i = 0; i < 24; ++i) {
    codes[static_cast<std::size_t>(i % 12 * 2 + i / 12)] = static_cast<int>(i * 5);
    x.set_code(i, i * 5);
  }
  const Sample sample{{"x_codes", x}};
  const auto capture = (*target)->run(std::span(&sample, 1), {});
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  const Tensor& y = capture->samples[0].at("y");
  const std::vector<int> want = test::small_answer(codes);
  for (std::int64_t p = 0; p < 12; ++p)
    for (std::int64_t k = 0; k < 3; ++k)
      EXPECT_EQ(y.code(k * 12 + p), want[static_cast<std::size_t>(3 * p + k)]);
}

TEST(NpuTarget, names_a_missing_file_and_an_unknown_option) {
  const Graph graph = model();
  const TargetContext context{graph, *find_arithmetic("ort-noopt")};
  EXPECT_FALSE(open_target("npu:absent.program.json", context).ok());
  const auto target = open_target("npu:" + write_small() + ",mode=sideways", context);
  ASSERT_FALSE(target.ok());
  EXPECT_NE(target.error().what.find("sideways"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
