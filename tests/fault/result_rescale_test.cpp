#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

struct Case {
  Executor (*network)();
  const char *fault, *place;
};

TEST(ResultRescale, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const Case& c : {
           Case{picture_network, "result-rescale", "conv2"},
           Case{picture_network, "result-rescale,k=2", "add"},
           Case{picture_network, "result-rescale,k=0.25", "gemm"},
           Case{code_network, "result-rescale,k=0.5", "conv"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "result-rescale");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(ResultRescale, does_not_explain_what_is_near) {
  for (const Case& c : {
           Case{picture_network, "output-zero-lost", "conv2"},
           Case{picture_network, "per-channel-as-per-tensor", "conv2"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "result-rescale");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

}  // namespace
}  // namespace lockstep::test
