#include <gtest/gtest.h>

#include "plan/live.h"
#include "support/nets.h"

namespace lockstep {
namespace {

// x -> r1 -> t1 -> r2 -> t2 -> r3 -> y, four bytes times 144 elements each.
TEST(Live, a_tensor_lives_from_the_node_that_makes_it_to_the_last_that_reads_it) {
  const Graph g = test::relu_chain();
  const Lives lives = live_ranges(g, [](NodeId) { return NodeMemory{}; });
  ASSERT_EQ(lives.buffers.size(), 4u);
  const Buffer& t1 = lives.buffers[static_cast<std::size_t>(
      lives.of_value[static_cast<std::size_t>(g.find_value("t1"))])];
  EXPECT_EQ(t1.bytes, 576);
  EXPECT_EQ(t1.first, 0);
  EXPECT_EQ(t1.last, 1);
}

TEST(Live, an_operation_in_place_takes_the_buffer_of_an_input_that_nobody_reads_again) {
  const Graph g = test::relu_chain();
  const Lives lives = live_ranges(g, [](NodeId) { return NodeMemory{0, {{0, 0}}}; });
  EXPECT_EQ(lives.buffers.size(), 1u);
  EXPECT_EQ(lives.buffers[0].first, 0);
  EXPECT_EQ(lives.buffers[0].last, 3);
}

TEST(Live, kept_inputs_are_not_written_over) {
  const Graph g = test::relu_chain();
  const Lives lives = live_ranges(
      g,
      [](NodeId) {
        return NodeMemory{0, {{0, 0}}};
      },
      true);
  EXPECT_EQ(lives.buffers.size(), 2u);
  EXPECT_NE(lives.of_value[static_cast<std::size_t>(g.find_value("x"))],
            lives.of_value[static_cast<std::size_t>(g.find_value("t1"))]);
}

// Two buffers of 576 bytes take 576 and the slide, rounded up.
TEST(Live, a_node_that_slides_may_run_over_its_input_and_the_plan_uses_it) {
  const Graph g = test::relu_chain(1);
  const auto memory = [](NodeId) { return NodeMemory{0, {{0, 0, false, 20}}}; };
  const auto plan = plan_memory(live_ranges(g, memory).buffers, {});
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->buffers.size(), 2u);
  EXPECT_EQ(plan->places[0].offset, 32);
  EXPECT_EQ(plan->places[1].offset, 0);
  EXPECT_EQ(plan->total, 576 + 32);
  EXPECT_EQ(plan->largest_live, 576 + 576);
  EXPECT_EQ(overlap_of(*plan), "");
  MemoryPlan broken = *plan;
  broken.places[0].offset = 16;
  EXPECT_NE(overlap_of(broken), "");
}

TEST(Live, inputs_that_are_kept_are_not_slid_over) {
  const Graph g = test::relu_chain(1);
  const auto memory = [](NodeId) { return NodeMemory{0, {{0, 0, false, 20}}}; };
  EXPECT_EQ(live_ranges(g, memory, true).buffers[1].over, -1);
}

TEST(Live, scratch_lives_while_its_node_runs) {
  const Graph g = test::relu_chain();
  const Lives lives = live_ranges(g, [](NodeId n) { return NodeMemory{n == 1 ? 100 : 0, {}}; });
  ASSERT_GE(lives.scratch[1], 0);
  const Buffer& scratch = lives.buffers[static_cast<std::size_t>(lives.scratch[1])];
  EXPECT_EQ(scratch.bytes, 100);
  EXPECT_EQ(scratch.first, 1);
  EXPECT_EQ(scratch.last, 1);
  EXPECT_EQ(lives.scratch[0], -1);
}

}  // namespace
}  // namespace lockstep
