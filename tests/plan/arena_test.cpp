#include "plan/arena.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace lockstep {
namespace {

TEST(Arena, ranges_that_do_not_meet_share_their_place) {
  const std::vector<LiveRange> chain = {{100, 0, 1}, {100, 1, 2}, {100, 2, 3}, {100, 3, 4}};
  const ArenaPlan plan = plan_arena(chain, 64);
  EXPECT_EQ(plan.bytes, 228u);
  EXPECT_EQ(plan.offsets[0], plan.offsets[2]);
  EXPECT_EQ(plan.offsets[1], plan.offsets[3]);
}

TEST(Arena, ranges_that_meet_never_overlap) {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<LiveRange> ranges;
    for (int i = 0; i < 30; ++i) {
      const auto first = static_cast<std::size_t>(random.between(0, 20));
      ranges.push_back({static_cast<std::size_t>(random.between(0, 500)), first,
                        first + static_cast<std::size_t>(random.between(0, 6))});
    }
    const ArenaPlan plan = plan_arena(ranges, 64);
    for (std::size_t a = 0; a < ranges.size(); ++a) {
      EXPECT_EQ(plan.offsets[a] % 64, 0u);
      EXPECT_LE(plan.offsets[a] + ranges[a].bytes, plan.bytes);
      for (std::size_t b = 0; b < a; ++b) {
        if (ranges[a].last < ranges[b].first || ranges[b].last < ranges[a].first) continue;
        if (ranges[a].bytes == 0 || ranges[b].bytes == 0) continue;
        EXPECT_TRUE(plan.offsets[a] + ranges[a].bytes <= plan.offsets[b] ||
                    plan.offsets[b] + ranges[b].bytes <= plan.offsets[a]);
      }
    }
  }
}

}  // namespace
}  // namespace lockstep
