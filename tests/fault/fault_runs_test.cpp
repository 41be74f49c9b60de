#include "fault/fault_runs.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

// It was: every block of a large tensor, each with a copy of all of it; eight minutes for one of
// noise.
TEST(FitBlocks, stop_at_the_first_block_too_many) {
  const Tensor y(DType::i8, {1, 64 * 1000});
  Evidence evidence;
  evidence.items.emplace_back().expected = &y;
  int asked = 0, replayed = 0;
  const BlockChange change{
      .shows = [&](const Evidence::Item&, const Stretch&) { return ++asked > 0; }, .most = 7};
  const auto misfit = [&](const Params&) { return static_cast<double>(++replayed); };
  EXPECT_FALSE(fit_blocks(evidence, 64, misfit, change).has_value());
  EXPECT_EQ(asked, 8);
  EXPECT_EQ(replayed, 0);
}

}  // namespace
}  // namespace lockstep
