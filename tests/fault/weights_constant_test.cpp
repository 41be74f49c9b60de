#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(WeightsConstant, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "weights-constant", "conv2"},
           Case{picture_network, "weights-constant,byte=255,bias=1", "gemm"},
           Case{code_network, "weights-constant,byte=255", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "weights-constant");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(WeightsConstant, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "weights-cut", "conv2"},
           Case{picture_network, "operand-lost", "gemm"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "weights-constant");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
