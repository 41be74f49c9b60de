#include <gtest/gtest.h>

#include "arith/arith.h"
#include "num/product.h"

namespace lockstep {
namespace {

TEST(NeuralArtArithmetic, names_the_compiler_whose_rules_it_follows) {
  const Arithmetic* a = find_arithmetic("neural-art");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->version, "atonn 1.1.1-14");
  ASSERT_NE(a->numerics->product, nullptr);
}

}  // namespace
}  // namespace lockstep
