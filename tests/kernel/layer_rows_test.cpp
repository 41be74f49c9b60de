#include <gtest/gtest.h>

#include "support/kernel_contract.h"

namespace lockstep {
namespace {

TEST(LayerRows, yields_the_bytes_of_eval) {
  test::expect_equal_to_eval("layer_rows", 200);
}

}  // namespace
}  // namespace lockstep
