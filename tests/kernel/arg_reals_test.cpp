#include <gtest/gtest.h>

#include "support/kernel_contract.h"

namespace lockstep {
namespace {

TEST(ArgReals, yields_the_places_of_eval) {
  test::expect_equal_to_eval("arg_reals");
}

}  // namespace
}  // namespace lockstep
