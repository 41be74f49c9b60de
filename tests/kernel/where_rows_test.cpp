#include <gtest/gtest.h>

#include "support/kernel_contract.h"

namespace lockstep {
namespace {

TEST(WhereRows, yields_the_bytes_of_eval) {
  test::expect_equal_to_eval("where_rows");
}

}  // namespace
}  // namespace lockstep
