#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(ProductsRescaled, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const char* fault : {"products-rescaled", "products-rescaled,k=2",
                            "products-rescaled,k=1.37", "products-rescaled,k=0.813"})
    for (const char* place : {"conv1", "conv2", "conv3", "gemm"}) {
      const Outcome o = inject_and_explain(picture_network(), fault, place, "products-rescaled");
      EXPECT_GT(o.counts.differing, 0) << fault << " at " << place;
      EXPECT_EQ(o.counts.left, 0) << fault << " at " << place;
    }
}

// A factor of the whole result, bias included, is another fault, and neither does as the other.
TEST(ProductsRescaled, is_told_from_a_result_that_is_rescaled) {
  const Outcome whole =
      inject_and_explain(picture_network(), "result-rescaled,k=0.7", "gemm", "products-rescaled");
  EXPECT_GT(whole.counts.left, 0);
  const Outcome products =
      inject_and_explain(picture_network(), "products-rescaled,k=0.7", "gemm", "result-rescaled");
  EXPECT_GT(products.counts.left, 0);
}

TEST(ProductsRescaled, applies_where_there_is_a_bias) {
  const Executor e = picture_network(), plain = code_network();
  const FaultDef& fault = *find_fault("products-rescaled");
  EXPECT_TRUE(fault.applies(site_at(e, "conv1")));
  EXPECT_FALSE(fault.applies(site_at(e, "add")));
  EXPECT_FALSE(fault.applies(site_at(plain, "conv")));
  FaultProblem p;
  const QuantParams quant = per_tensor(0.5, 0);
  const ValueId x = p.input("x", DType::i8, {1, 2, 4, 4}, quant);
  const ValueId w = p.constant("w", random_tensor(DType::i8, {3, 2, 1, 1}, 5), quant);
  const ValueId b = p.constant("b", Tensor(DType::i32, {3}), per_tensor(0.25, 0));
  p.node("conv", "Conv", {x, w, b}, {}, quant);
  EXPECT_FALSE(fault.applies(site_at(p.finish(), "conv"))) << "every bias is 0";
}

}  // namespace
}  // namespace lockstep::test
