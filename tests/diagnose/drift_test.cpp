#include "diagnose/drift.h"

#include "support/real_net.h"

namespace lockstep {
namespace {

double share_behind(Shape shape, const std::string& op, const std::string& mover) {
  test::RealNet net(std::move(shape));
  net.node("last", op, {"x"}, "y").node("moved", mover, {"y"}, "out");
  const Graph g = std::move(net).graph({"x"}, {"out"});
  return free_share(g, g.outputs()[0]);
}

// A classifier of 201 operations whose two classes drifted was given a cause that fitted both by
// chance.
TEST(FreeShare, two_classes_under_one_softmax_say_half_as_much) {
  EXPECT_EQ(share_behind({3, 2}, "Softmax", "Identity"), 0.5);
  EXPECT_EQ(share_behind({3, 10}, "Softmax", "Identity"), 0.9);
}

TEST(FreeShare, values_that_do_not_sum_to_one_are_all_free) {
  EXPECT_EQ(share_behind({3, 2}, "Sigmoid", "Identity"), 1);
  EXPECT_EQ(share_behind({3, 2}, "Softmax", "Exp"), 1);
}

}  // namespace
}  // namespace lockstep
