#include <gtest/gtest.h>

#include "support/kernel_contract.h"

namespace lockstep {
namespace {

TEST(QuantizeWide, yields_the_codes_of_eval_at_ties_and_far_values) {
  test::expect_equal_to_eval("quantize_wide");
}

}  // namespace
}  // namespace lockstep
