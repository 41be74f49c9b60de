#include "base/workers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
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

TEST(Workers, parts_hold_at_least_what_is_asked_for) {
  for (const int threads : {2, 3, 5}) {
    Workers workers(threads);
    for (const std::int64_t least : {1, 2, 3, 10, 100})
      for (std::int64_t count = 1; count < 250; count += 7) {
        std::vector<std::atomic<int>> times(static_cast<std::size_t>(count));
        std::atomic<int> short_parts{0}, parts{0};
        workers.each(
            count,
            [&](std::int64_t first, std::int64_t last, int) {
              ++parts;
              if (last - first < least) ++short_parts;
              for (std::int64_t i = first; i < last; ++i) ++times[static_cast<std::size_t>(i)];
            },
            least);
        EXPECT_TRUE(std::ranges::all_of(times, [](const auto& t) { return t == 1; }));
        EXPECT_LE(parts, 4 * threads);
        EXPECT_EQ(short_parts, count < least ? 1 : 0) << count << " by " << least;
      }
  }
}

// A worker that comes late to a round, or sleeps in the middle of it, neither repeats pieces of
// another round nor loses one.
TEST(Workers, rounds_of_changing_size_with_sleeping_threads_lose_nothing) {
  Workers workers(4);
  for (int round = 0; round < 3000; ++round) {
    const std::int64_t count = 1 + round * 7 % 23;
    std::atomic<int> times[23] = {};
    workers.each(count, [&](std::int64_t first, std::int64_t last, int piece) {
      if (round % 97 == 0 && piece % 2 == 1)
        std::this_thread::sleep_for(std::chrono::microseconds(400));
      for (std::int64_t i = first; i < last; ++i) ++times[i];
    });
    for (std::int64_t i = 0; i < 23; ++i) ASSERT_EQ(times[i].load(), i < count ? 1 : 0) << round;
    if (round % 211 == 0) std::this_thread::sleep_for(std::chrono::microseconds(600));
  }
}

// Half of its own pieces are a worker's at once; the rest is everybody's.
TEST(Workers, a_thread_that_hangs_in_its_first_pieces_leaves_the_others_to_the_rest) {
  Workers workers(2);
  const std::thread::id caller = std::this_thread::get_id();
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> own{0};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    workers.each(8, [&](std::int64_t first, std::int64_t last, int) {
      if (std::this_thread::get_id() == caller) own += static_cast<int>(last - first);
      while (std::this_thread::get_id() != caller && own < 6 &&
             std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    });
    ASSERT_GE(own, 6) << "round " << round;
  }
}

}  // namespace
}  // namespace lockstep
