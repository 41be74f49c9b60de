#include <gtest/gtest.h>

#include "support/kernel_contract.h"

namespace lockstep {
namespace {

TEST(LogSoftmaxRows, yields_the_bytes_of_eval_on_odd_sizes_and_extreme_codes) {
  test::expect_equal_to_eval("log_softmax_rows");
}

}  // namespace
}  // namespace lockstep
