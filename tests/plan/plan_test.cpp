#include <gtest/gtest.h>

#include "base/random.h"
#include "plan/plan.h"

namespace lockstep {
namespace {

MemoryPlan planned(std::vector<Buffer> buffers, std::vector<Pool> pools = {}) {
  auto plan = plan_memory(std::move(buffers), std::move(pools));
  EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.error().line());
  return std::move(plan).value();
}

std::vector<Buffer> random_chain(std::uint64_t seed, int count) {
  Random random(seed);
  std::vector<Buffer> buffers;
  for (int i = 0; i < count; ++i)
    buffers.push_back({"t" + std::to_string(i), random.between(1, 5000), i,
                       std::min(count - 1, i + 1 + static_cast<int>(random.between(0, 3)))});
  return buffers;
}

TEST(Plan, two_buffers_that_never_meet_share_their_bytes) {
  const MemoryPlan plan = planned({{"a", 100, 0, 1}, {"b", 50, 1, 2}, {"c", 100, 2, 3}});
  EXPECT_EQ(plan.total, 112 + 64);
  EXPECT_EQ(plan.largest_live, 112 + 64);
  EXPECT_EQ(overlap_of(plan), "");
}

TEST(Plan, no_two_live_buffers_overlap_in_a_hundred_random_graphs) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const MemoryPlan plan = planned(random_chain(seed, 40));
    EXPECT_EQ(overlap_of(plan), "") << "seed " << seed;
    EXPECT_GE(plan.total, plan.largest_live);
  }
}

TEST(Plan, random_graphs_stay_within_two_percent_of_the_largest_live_set_nearly_always) {
  int within = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const MemoryPlan plan = planned(random_chain(seed, 30));
    within += static_cast<double>(plan.total) <= 1.02 * static_cast<double>(plan.largest_live);
  }
  EXPECT_GE(within, 45);
}

TEST(Plan, an_overlap_is_seen) {
  MemoryPlan plan = planned({{"a", 100, 0, 1}, {"b", 100, 1, 2}});
  plan.places[1].offset = plan.places[0].offset + 16;
  EXPECT_NE(overlap_of(plan), "");
}

TEST(Plan, the_fast_pool_is_filled_first_and_the_rest_goes_to_the_slow_one) {
  const MemoryPlan plan =
      planned({{"a", 600, 0, 1}, {"b", 500, 0, 1}, {"c", 300, 0, 1}},
              {{.name = "slow", .size = 4096}, {.name = "fast", .size = 1024, .speed = 2}});
  EXPECT_EQ(plan.places[0].pool, 1);
  EXPECT_EQ(plan.places[1].pool, 0);
  EXPECT_EQ(plan.places[2].pool, 1);
  EXPECT_LE(plan.used[1], 1024);
  EXPECT_EQ(overlap_of(plan), "");
}

TEST(Plan, a_buffer_bound_to_a_pool_stands_there) {
  const MemoryPlan plan =
      planned({{"a", 64, 0, 1, 1}, {"b", 64, 0, 1}},
              {{.name = "first", .size = 256, .speed = 2}, {.name = "second", .size = 256}});
  EXPECT_EQ(plan.places[0].pool, 1);
  EXPECT_EQ(plan.places[1].pool, 0);
}

TEST(Plan, what_fits_nowhere_is_named_with_its_size) {
  const auto plan = plan_memory({{"big", 5000, 0, 1}}, {{.name = "small", .size = 1024}});
  ASSERT_FALSE(plan.ok());
  EXPECT_NE(plan.error().line().find("'big'"), std::string::npos);
  EXPECT_NE(plan.error().line().find("5000"), std::string::npos);
}

TEST(Plan, an_alignment_that_is_no_power_of_two_is_refused) {
  EXPECT_FALSE(plan_memory({{"a", 5, 0, 1}}, {{.name = "odd", .alignment = 12}}).ok());
}

TEST(Plan, the_pictures_name_every_buffer) {
  const MemoryPlan plan = planned({{"first<x>", 100, 0, 1}, {"second", 50, 1, 2}});
  EXPECT_NE(picture_text(plan).find("##.  first<x>"), std::string::npos) << picture_text(plan);
  EXPECT_NE(picture_text(plan).find(".##  second"), std::string::npos);
  EXPECT_NE(picture_svg(plan).find("first&lt;x&gt;"), std::string::npos);
  EXPECT_EQ(picture_svg(plan).find("first<x>"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
