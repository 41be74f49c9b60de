#include <gtest/gtest.h>

#include "support/kernel_contract.h"

namespace lockstep {
namespace {

TEST(ManyRows, yields_the_bytes_of_eval) {
  test::expect_equal_to_eval("many_rows");
}

}  // namespace
}  // namespace lockstep
