// When a cause is shorter than what it explains, and when one that does as much takes its certainty.
#include "diagnose/search.h"

#include "diagnose/judge.h"
#include "support/fault_networks.h"
#include "support/nets.h"

namespace lockstep {
namespace {

Explanation explanation(std::int64_t values, std::int64_t differing, std::int64_t reproduced, std::int64_t spoiled, double bits) {
  Explanation e;
  e.values = values;
  e.differing = differing;
  e.reproduced = reproduced;
  e.spoiled = spoiled;
  e.bits = bits;
  e.rest_lsb = e.rest() ? 1 : 0;
  return e;
}

constexpr double no_table = 1e30;

TEST(Search, a_cause_must_be_shorter_than_the_list_of_values_it_reproduces) {
  EXPECT_GT(listing_bits(10, 1000), 10 * 7);
  EXPECT_EQ(listing_bits(0, 1000), 0);
  EXPECT_TRUE(carries(explanation(1000, 10, 10, 0, 20), 1, no_table));
  EXPECT_FALSE(carries(explanation(1000, 10, 10, 0, 200), 1, no_table)) << "a list of places says no more than the values";
  EXPECT_FALSE(carries(explanation(3, 1, 1, 0, 20), 1, no_table)) << "one value is met by chance";
  EXPECT_FALSE(carries(explanation(1000, 10, 10, 0, 20), 1, 16)) << "a table of one code is shorter still";
}

TEST(Search, what_reproduces_a_part_is_no_cause_unless_the_rest_is_rounding) {
  EXPECT_FALSE(carries(explanation(1000, 900, 750, 0, 10), 1, no_table)) << "more than a tenth of the values is left";
  EXPECT_TRUE(carries(explanation(1000, 900, 890, 5, 10), 1, no_table)) << "15 values are one step off";
  Explanation far = explanation(1000, 900, 890, 5, 10);
  far.rest_lsb = 3;
  EXPECT_FALSE(carries(far, 1, no_table));
  EXPECT_FALSE(carries(explanation(1000, 0, 0, 0, 10), 1, no_table));
}

// A network whose input was read as NHWC, recorded at one tensor far inside, `moved` of its 96 codes by `steps`.
Verdict read_as_nhwc(int moved, int steps) {
  const Executor network = test::picture_network();
  const Graph& g = network.graph();
  const std::string at = g.value(g.node(g.find_node("gemm")).outputs[0]).name;
  const std::vector<Sample> sent = test::random_samples(network, 8, 77);
  const auto specs = parse_faults("input-as-nhwc@" + g.value(g.inputs()[0]).name);
  const auto options = inject(network, *specs);
  const std::string wanted[] = {at};
  std::vector<Sample> device = network.run(sent, wanted, *options)->samples;
  for (int i = 0; i < moved; ++i) {
    Tensor& y = device[static_cast<std::size_t>(i) % 8].at(at);
    const std::int64_t code = y.code(i % 12);
    y.set_code(i % 12, code > 0 ? code - steps : code + steps);
  }
  auto v = judge({.reference = network, .recorded = {sent, network.run(sent)->samples, device, StateMode::reset}, .tolerance = {},
                  .others = {}, .search = {.work = 2e9}, .model = "m", .target = "t", .input = ""});
  EXPECT_TRUE(v.ok()) << (v.ok() ? "" : v.error().line());
  return std::move(*v);
}

TEST(Search, over_several_operations_one_step_in_few_of_many_values_is_left_to_rounding) {
  const Verdict v = read_as_nhwc(5, 1);
  ASSERT_FALSE(v.suspects.empty());
  const Explanation* cause = v.suspects[0].cause();
  ASSERT_NE(cause, nullptr);
  EXPECT_EQ(cause->fault->name, "input-as-nhwc");
  EXPECT_EQ(cause->rest(), 5);
  EXPECT_FALSE(cause->certain);
}

TEST(Search, over_several_operations_larger_remainders_leave_no_cause) {
  EXPECT_EQ(read_as_nhwc(5, 9).suspects[0].cause(), nullptr);
  EXPECT_EQ(read_as_nhwc(24, 1).suspects[0].cause(), nullptr);
}

}  // namespace
}  // namespace lockstep
