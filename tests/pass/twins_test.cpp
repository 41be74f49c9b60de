#include "pass/twins.h"

#include <gtest/gtest.h>

#include "support/real_net.h"

namespace lockstep {
namespace {

// Two chains of `length` operators from x, told apart by `last`.
Graph chains(int length, const std::string& last) {
  test::RealNet net({1, 4});
  for (const std::string side : {"a", "b"}) {
    std::string from = "x";
    for (int i = 0; i < length; ++i) {
      const std::string to = side + std::to_string(i), op = i == 0 && side == "b" ? last : "Neg";
      net.node("n" + to, op, {from}, to);
      from = to;
    }
    net.node("end" + side, "Relu", {from}, side);
  }
  return std::move(net).graph({"x"}, {"a", "b"});
}

TEST(Twins, are_found_at_the_end_of_long_equal_chains) {
  // The runtime merges equal nodes from the inputs on; chains of more than 8 were called different.
  for (const int length : {1, 8, 9, 100}) {
    const Graph g = chains(length, "Neg");
    const std::string end = "a" + std::to_string(length - 1);
    EXPECT_TRUE(has_twin(g, g.find_value(end))) << length;
    const Graph other = chains(length, "Relu");
    EXPECT_FALSE(has_twin(other, other.find_value(end))) << length;
  }
}

TEST(Twins, that_are_outputs_of_the_network_are_kept_apart) {
  const Graph g = chains(1, "Neg");
  EXPECT_FALSE(has_twin(g, g.find_value("a"))) << "its twin is an output";
}

TEST(Twins, of_sums_of_sums_are_compared_once_each) {
  // Each level reads the one before twice: 2^60 comparisons without a memory of them.
  test::RealNet net({1, 4});
  for (const std::string side : {"a", "b"}) {
    std::string from = "x";
    for (int i = 0; i < 60; ++i) {
      const std::string to = side + std::to_string(i);
      net.node("n" + to, "Add", {from, from}, to);
      from = to;
    }
    net.node("end" + side, "Relu", {from}, side);
  }
  const Graph g = std::move(net).graph({"x"}, {"a", "b"});
  EXPECT_TRUE(has_twin(g, g.find_value("a59")));
}

}  // namespace
}  // namespace lockstep
