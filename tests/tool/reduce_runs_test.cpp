// What is left of a fault that shows something of an earlier run: the run before is kept with it.
#include <gtest/gtest.h>

#include "run/recording.h"
#include "support/command.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

class ReducedRuns : public testing::TestWithParam<const char*> {};

TEST_P(ReducedRuns, keep_the_run_that_the_fault_shows_something_of) {
  const test::TemporaryFolder scratch;
  const std::string model = "examples/s1/tcn_int8.onnx --input examples/s1/golden.npz ";
  const std::string fault = GetParam();
  ASSERT_EQ(test::run_tool("inject " + model + "--fault " + fault + "@/block2/add -o " +
                           scratch / "b.npz")
                .code,
            0);
  const auto ran = test::run_tool("reduce " + model + "--target " + scratch / "b.npz" + " -o " +
                                  scratch / "report");
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("is kept before it"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.out.find("unexplained"), std::string::npos) << ran.out;
  EXPECT_NE(test::text_of(scratch / "report/README.md").find("In the whole model: " + fault),
            std::string::npos);
  const auto input = read_recording(scratch / "report/input.npz");
  ASSERT_TRUE(input.ok()) << input.error().line();
  EXPECT_EQ(input->samples, 2);
}

INSTANTIATE_TEST_SUITE_P(Faults, ReducedRuns,
                         testing::Values("stale-output", "frozen-output", "stale-lines"));

}  // namespace
}  // namespace lockstep
