#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/command.h"
#include "support/programs.h"

namespace lockstep {
namespace {

const std::string model = "examples/s1/tcn_int8.onnx";

TEST(Kernels, are_listed_and_each_that_runs_here_yields_the_same_bytes) {
  const test::Ran list = test::run_tool("kernels");
  EXPECT_EQ(list.code, 0);
  EXPECT_NE(list.out.find("scalar"), std::string::npos);
  const test::Folder folder;
  ASSERT_EQ(
      test::run_tool("run " + model + " --all --kernel scalar -o " + folder / "scalar.npz").code,
      0);
  const std::string want = test::text_of(folder / "scalar.npz");
  for (const std::string name :
       {"dot_avx2", "dot_avxvnni", "dot_avx512vnni", "places_avx2", "reals_avx2"}) {
    if (list.out.find(name) == std::string::npos) ADD_FAILURE() << name << " is not listed";
    const test::Ran ran = test::run_tool("run " + model + " --all --threads 2 --kernel " + name +
                                         " -o " + folder / "k.npz");
    if (ran.code == 2 && ran.err.find("needs") != std::string::npos)
      continue;  // not on this processor
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(test::text_of(folder / "k.npz"), want) << name;
  }
}

TEST(Kernels, an_unknown_one_is_refused_by_name) {
  const test::Ran ran = test::run_tool("run " + model + " --kernel dot_avx9 -o /dev/null");
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("no kernel 'dot_avx9'"), std::string::npos) << ran.err;
}

TEST(Bench, compares_with_the_runtime_in_turns_and_writes_the_ratios) {
  if (!std::filesystem::exists(".venv/bin/python"))
    LOCKSTEP_CANNOT_RUN("no .venv (scripts/setup oracles): 1 comparison");
  const test::Folder folder;
  const test::Ran ran = test::run_tool(
      "bench " + model + " --threads 1 --seconds 0.1 --rounds 3 --json " + folder / "r.json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto rows = nlohmann::json::parse(test::text_of(folder / "r.json"));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["against"], "ort");
  EXPECT_EQ(rows[0]["arith"], "ort");
  EXPECT_GT(rows[0]["ratio_min"].get<double>(), 0);
  EXPECT_LE(rows[0]["ratio_min"].get<double>(), rows[0]["ratio_median"].get<double>());
  EXPECT_LE(rows[0]["ratio_median"].get<double>(), rows[0]["ratio_max"].get<double>());
}

TEST(Bench, layers_says_where_the_time_of_a_run_goes) {
  const test::Ran ran = test::run_tool("bench " + model + " --layers --threads 1");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("of peak"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("Conv"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("in all"), std::string::npos) << ran.out;
}

TEST(Bench, layers_sets_numbers_of_threads_side_by_side) {
  const test::Ran ran = test::run_tool("bench " + model + " --layers --threads 1,3");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("us, 1 th"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("us, 3 th"), std::string::npos) << ran.out;
}

TEST(Bench, says_what_is_missing) {
  EXPECT_EQ(test::run_tool("bench").code, 2);
  EXPECT_EQ(test::run_tool("bench " + model + " --arith nothing").code, 2);
  EXPECT_EQ(test::run_tool("bench no_such.onnx").code, 2);
}

}  // namespace
}  // namespace lockstep
