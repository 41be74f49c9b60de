#include "base/workers.h"

#include <gtest/gtest.h>

#include <vector>

namespace lockstep {
namespace {

TEST(Workers, every_element_is_computed_once_whatever_the_team) {
  for (const int threads : {1, 2, 3, 7}) {
    Workers workers(threads);
    EXPECT_EQ(workers.threads(), threads);
    for (std::int64_t count = 0; count < 60; ++count) {
      std::vector<std::atomic<int>> times(static_cast<std::size_t>(count));
      workers.each(count, [&](std::int64_t first, std::int64_t last, int) {
        for (std::int64_t i = first; i < last; ++i) ++times[static_cast<std::size_t>(i)];
      });
      for (const auto& t : times)
        EXPECT_EQ(t.load(), 1) << count << " elements, " << threads << " threads";
    }
  }
}

TEST(Workers, rounds_do_not_run_into_each_other) {
  Workers workers(3);
  std::int64_t sum = 0, want = 0;
  for (int round = 0; round < 20000; ++round) {
    std::int64_t parts[12] = {};
    workers.each(12, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t i = first; i < last; ++i) parts[i] = round + i;
    });
    for (const std::int64_t p : parts) sum += p;
    want += 12 * round + 66;
  }
  EXPECT_EQ(sum, want);
}

}  // namespace
}  // namespace lockstep
