#include <gtest/gtest.h>

#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "npu/lowered_run.h"

namespace lockstep {
namespace {

using test::differences;
using test::lowered;
using test::Net;

TEST(NpuLowerParts, slices_and_splits_between_layers_are_copies) {
  Net n(5);
  const ValueId a = n.conv(n.input({1, 6, 9, 8}), 12, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, 4);
  const ValueId part = n.sliced(a, {2, 1, 0}, {11, 8, 5});
  const auto [first, rest] = n.split(part, 4);
  const ValueId b = n.conv(first, 5, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, 2);
  const Graph g = n.finish(n.add_to(b, rest));
  std::int64_t compared = 0;
  EXPECT_EQ(differences(g, lowered(g), compared), 0);
  EXPECT_GE(compared, 6 * 72 + 12 * 72 + 9 * 35 + 5 * 35 * 3);
  EXPECT_TRUE(test::errors_of(lowered(g), g).empty());
}

// The map's channels are the row, though rows and columns of one place follow them in the file's
// order.
TEST(NpuLowerParts, a_softmax_behind_a_map_of_one_place_runs_along_its_channels) {
  Net net(7);
  ValueId x = net.global(net.conv(net.input({1, 8, 5, 5}), 16, {1, 1}, {1, 1}, {0, 0, 0, 0}));
  x = net.reshaped(net.conv(x, 4, {1, 1}, {1, 1}, {0, 0, 0, 0}), {1, 4});
  const ValueId y = net.one("Softmax", x);
  net.value_of(y).quant = {{1.0 / 256}, {-128}, -1};
  const Graph g = net.finish(y);
  std::int64_t compared = 0;
  EXPECT_EQ(differences(g, lowered(g), compared), 0);
  EXPECT_GE(compared, 8 * 25 + 16 + 4 + 4);
}

TEST(NpuLowerParts, backwards_and_several_images_are_refused_by_name) {
  const auto refusal = [](const Graph& g) {
    const auto p = lower_to_npu(g, "net.program.json");
    return p.ok() ? "lowered" : p.error().line();
  };
  Net n(5);
  const ValueId x = n.input({1, 6, 9, 8});
  const Graph g = n.finish(n.transposed(x, {2, 0, 1, 3}));
  EXPECT_NE(refusal(g).find("a batch of 9"), std::string::npos) << refusal(g);
}

}  // namespace
}  // namespace lockstep
