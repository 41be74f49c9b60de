#include <gtest/gtest.h>

#include "support/generated_network.h"
#include "support/nets.h"
#include "support/shared.h"
#include "support/temporary.h"
#include "target/target_generated.h"

namespace lockstep {
namespace {

std::string kws() {
  return test::shared_folder() + "/models/mlperf/kws_ref_model_int8.tflite";
}

TEST(CTarget, a_folder_without_manifest_is_named_with_the_command_that_makes_one) {
  const Graph g = test::relu_chain();
  const test::TemporaryFolder folder;
  const auto target = open_target("c:" + (folder / "nothing"), {g, *find_arithmetic("float")});
  ASSERT_FALSE(target.ok());
  EXPECT_NE(target.error().line().find("lockstep generate"), std::string::npos)
      << target.error().line();
}

TEST(CTarget, a_network_of_another_model_is_refused_by_its_hash) {
  LOCKSTEP_NEEDS_SHARED();
  const test::TemporaryFolder folder;
  ASSERT_TRUE(test::generate_into(kws(), "tflite-ref", folder / "net").ok());
  auto other = import_model(test::shared_folder() + "/models/mlperf/ad01_int8.tflite");
  ASSERT_TRUE(other.ok());
  const auto target =
      open_target("c:" + (folder / "net"), {*other, *find_arithmetic("tflite-ref")});
  ASSERT_FALSE(target.ok());
  EXPECT_NE(target.error().line().find("another model"), std::string::npos)
      << target.error().line();
}

TEST(CTarget, a_manifest_whose_tensor_leaves_its_pool_is_refused) {
  LOCKSTEP_NEEDS_SHARED();
  const test::TemporaryFolder folder;
  ASSERT_TRUE(test::generate_into(kws(), "tflite-ref", folder / "net").ok());
  const auto bytes = read_file(folder / "net/network.json");
  ASSERT_TRUE(bytes.ok());
  std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  const std::size_t at = text.find("\"offset\": ");
  text.replace(at, 10, "\"offset\": 99999999");
  ASSERT_TRUE(write_file(folder / "net/network.json", text).ok());
  const auto network = read_generated(folder / "net");
  ASSERT_FALSE(network.ok());
  EXPECT_NE(network.error().line().find("outside its pool"), std::string::npos)
      << network.error().line();
}

TEST(CTarget, poison_shows_a_plan_in_which_two_live_tensors_share_bytes) {
  LOCKSTEP_NEEDS_SHARED();
  const test::TemporaryFolder folder;
  const auto made = test::generate_into(
      test::shared_folder() + "/models/mlperf/resnet8_int8.tflite", "tflite-ref", folder / "net");
  ASSERT_TRUE(made.ok());
  // The residual's addition is said to read its second operand never: the poison then destroys it.
  const auto bytes = read_file(folder / "net/network.json");
  ASSERT_TRUE(bytes.ok());
  std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  const std::size_t add = text.find("\"op\": \"Add\"");
  const std::size_t list = text.find("\"inputs\": [", add), close = text.find("]", list);
  text.replace(list, close - list, "\"inputs\": [");
  ASSERT_TRUE(write_file(folder / "net/network.json", text).ok());
  EXPECT_GT(test::run_and_compare(*made, "c:" + (folder / "net") + ",poison=on", 1).different, 0);
  EXPECT_EQ(test::run_and_compare(*made, "c:" + (folder / "net"), 1).different, 0);
}

TEST(CTarget, a_program_that_is_not_installed_is_the_targets_fault) {
  const auto ran = run_process(
      {.arguments = {"no-such-program-anywhere"}, .folder = "", .input = "", .output = ""});
  ASSERT_FALSE(ran.ok());
  EXPECT_EQ(ran.error().blame, Blame::target);
}

TEST(CTarget, a_program_that_does_not_end_is_ended) {
  const auto ran = run_process(
      {.arguments = {"sleep", "30"}, .folder = "", .input = "", .output = "", .seconds = 0.2});
  ASSERT_FALSE(ran.ok());
  EXPECT_NE(ran.error().line().find("longer"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
