#include <string>

#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(BiasMisread, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "bias-misread", "conv2"},
           FaultCase{picture_network, "bias-misread,how=1", "gemm"},
           FaultCase{picture_network, "bias-misread,how=4,by=-2", "conv3"},
           FaultCase{picture_network, "bias-misread,how=3", "conv1"},
           FaultCase{picture_network, "bias-misread,how=6,k=0.5", "conv2"},
           FaultCase{picture_network, "bias-misread,how=6,k=-1", "gemm"},
           FaultCase{picture_network, "bias-misread,how=6,k=4", "conv3"},
           FaultCase{picture_network, "bias-misread,how=6,k=1.37", "conv1"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "bias-misread");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(BiasMisread, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "weights-constant", "conv2"},
           FaultCase{picture_network, "weights-shifted", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "bias-misread");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(BiasMisread, a_bias_times_a_factor_is_given_that_factor) {
  for (const double k : {0.5, 0.25, 3.0, -1.0, 1.37}) {
    const std::string fault = "bias-misread,how=6,k=" + std::to_string(k);
    const Outcome o = inject_and_explain(picture_network(), fault, "conv2", "bias-misread");
    ASSERT_TRUE(o.found) << fault;
    EXPECT_EQ(o.params.at("how"), 6) << fault;
    EXPECT_NEAR(o.params.at("k"), k, 0.01) << fault;
  }
}

}  // namespace
}  // namespace lockstep::test
