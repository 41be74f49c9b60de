#include "run/merge.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

Capture capture(const std::string& source, std::vector<std::pair<std::string, std::vector<std::int8_t>>> tensors, int samples = 1) {
  Capture c;
  c.source = source;
  c.samples.resize(static_cast<std::size_t>(samples));
  for (const auto& [name, codes] : tensors) {
    c.order.push_back(name);
    c.infos.emplace(name, TensorInfo{DType::i8, {std::ssize(codes)}, {}, {}});
    for (Sample& s : c.samples) s.emplace(name, Tensor::of<std::int8_t>({std::ssize(codes)}, codes));
  }
  return c;
}

TEST(Merge, takes_what_each_variant_shows) {
  const Capture both[] = {capture("a", {{"y", {1, 2}}, {"t", {3}}}), capture("b", {{"y", {1, 2}}, {"u", {4}}})};
  const auto all = merge_captures(both);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->order, (std::vector<std::string>{"y", "t", "u"}));
  EXPECT_EQ(all->samples[0].at("u").code(0), 4);
  ASSERT_EQ(all->notes.size(), 1u);
  EXPECT_NE(all->notes[0].find("from b alone"), std::string::npos);
}

TEST(Merge, says_when_the_builds_disagree_and_keeps_the_first) {
  const Capture both[] = {capture("a", {{"y", {1, 2}}}), capture("b", {{"y", {1, 7}}})};
  const auto all = merge_captures(both);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->samples[0].at("y").code(1), 2);
  ASSERT_EQ(all->notes.size(), 1u);
  EXPECT_NE(all->notes[0].find("'y' differs between a and b in 1 of 2 values"), std::string::npos) << all->notes[0];
}

TEST(Merge, wants_equal_numbers_of_samples) {
  const Capture both[] = {capture("a", {{"y", {1}}}), capture("b", {{"y", {1}}}, 2)};
  EXPECT_FALSE(merge_captures(both).ok());
}

}  // namespace
}  // namespace lockstep
