#include <gtest/gtest.h>

#include "support/kernel_contract.h"

namespace lockstep {
namespace {

TEST(RealsMaps, yields_the_bytes_of_eval) {
  test::expect_equal_to_eval("reals_maps", 900);
}

}  // namespace
}  // namespace lockstep
