#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(ByteOrder, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "byte-order", "conv2"},
           Case{picture_network, "byte-order,width=2", "gemm"},
           Case{picture_network, "byte-order,width=4,last=1", "conv2"},
           Case{picture_network, "byte-order", "dequantize"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "byte-order");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ByteOrder, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "output-shifted,by=1", "conv2"},
           Case{picture_network, "int8-as-float", "dequantize"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "byte-order");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
