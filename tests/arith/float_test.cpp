#include <gtest/gtest.h>

#include "arith/arith.h"

namespace lockstep {
namespace {

TEST(FloatArithmetic, is_found_by_its_name) {
  EXPECT_EQ(find_arithmetic("float")->name, "float");
}

}  // namespace
}  // namespace lockstep
