#include <gtest/gtest.h>

#include "support/kernel_contract.h"

namespace lockstep {
namespace {

TEST(DnnlDeconvolution, lies_within_the_bound_of_any_order_and_in_float_alone) {
  test::expect_within_any_order("dnnl_deconvolution");
}

}  // namespace
}  // namespace lockstep
