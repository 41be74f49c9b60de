// When a cause is shorter than what it explains, and when one that does as much takes its certainty.
#include "diagnose/search.h"

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

}  // namespace
}  // namespace lockstep
