#include <gtest/gtest.h>

#include "run/recording.h"
#include "support/chains.h"
#include "target/target.h"

namespace lockstep {
namespace {

Graph one_relu() {
  return test::chain({test::real_value("x", {1, 2}), test::real_value("y", {1, 2})}, {{"relu"}});
}

TEST(CapturesTarget, yields_what_a_file_recorded_whatever_it_is_given) {
  const std::string path = testing::TempDir() + "target_captures.npz";
  NpyArray y{DType::i8, {2, 2}, {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}};
  ASSERT_TRUE(write_npz(path, {{"y", y}}).ok());
  const Graph graph = one_relu();
  auto target = open_target(path, {graph, *find_arithmetic("float")});
  ASSERT_TRUE(target.ok()) << target.error().line();
  EXPECT_FALSE((*target)->describe().takes_inputs);
  const auto capture = (*target)->run({}, {});
  ASSERT_TRUE(capture.ok()) << capture.error().line();
  ASSERT_EQ(capture->samples.size(), 2u);
  EXPECT_EQ(capture->samples[1].at("y").code(0), 3);
}

TEST(CapturesTarget, is_known_by_its_ending_and_a_missing_file_is_an_error_of_the_request) {
  const Graph graph = one_relu();
  const auto target = open_target("absent.npz", {graph, *find_arithmetic("float")});
  ASSERT_FALSE(target.ok());
  EXPECT_EQ(target.error().where, "absent.npz");
  EXPECT_EQ(target.error().blame, Blame::request);
}

}  // namespace
}  // namespace lockstep
