#include "run/merge.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

Capture capture(const std::string& source,
                std::vector<std::pair<std::string, std::vector<std::int8_t>>> tensors,
                int samples = 1) {
  Capture c;
  c.source = source;
  c.samples.resize(static_cast<std::size_t>(samples));
  for (const auto& [name, codes] : tensors) {
    c.order.push_back(name);
    c.infos.emplace(name, TensorInfo{DType::i8, {std::ssize(codes)}, {}, {}});
    for (Sample& s : c.samples)
      s.emplace(name, Tensor::of<std::int8_t>({std::ssize(codes)}, codes));
  }
  return c;
}

TEST(Merge, takes_what_each_variant_shows) {
  const Capture both[] = {capture("a", {{"y", {1, 2}}, {"t", {3}}}),
                          capture("b", {{"y", {1, 2}}, {"u", {4}}})};
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
  EXPECT_NE(all->notes[0].find("'y' differs between a and b in 1 of 2 values"), std::string::npos)
      << all->notes[0];
}

TEST(Merge, leaves_out_what_a_build_shows_that_does_not_compute_alike) {
  const Capture both[] = {capture("a", {{"y", {1, 2}}}), capture("b", {{"y", {1, 7}}, {"u", {4}}})};
  const auto all = merge_captures(both);
  ASSERT_TRUE(all.ok());
  EXPECT_FALSE(all->samples[0].contains("u"));
  ASSERT_EQ(all->notes.size(), 2u);
  EXPECT_NE(all->notes[1].find("left out, as of another build: u of b"), std::string::npos)
      << all->notes[1];
}

TEST(Merge, keeps_the_tensors_of_one_build_by_its_hash) {
  const Capture both[] = {capture("a", {{"y", {1, 2}}}), capture("b", {{"y", {1, 7}}, {"u", {4}}})};
  const Build builds[] = {{.hash = "1f", .stamp = "", .model = "", .exposed = {}},
                          {.hash = "1f", .stamp = "", .model = "", .exposed = {"u"}}};
  const auto all = merge_captures(both, builds);
  ASSERT_TRUE(all.ok());
  EXPECT_TRUE(all->samples[0].contains("u"));
  ASSERT_EQ(all->notes.size(), 1u);
  EXPECT_NE(all->notes[0].find("not answer alike from run to run"), std::string::npos)
      << all->notes[0];
}

TEST(Merge, tells_builds_apart_by_any_of_their_marks) {
  const Build a{.hash = "1", .stamp = "s", .model = "m", .exposed = {}};
  EXPECT_EQ(same_build(a, a), SameBuild::yes);
  EXPECT_EQ(same_build(a, {.hash = "2", .stamp = "s", .model = "m", .exposed = {}}), SameBuild::no);
  EXPECT_EQ(same_build(a, {.hash = "", .stamp = "t", .model = "", .exposed = {}}), SameBuild::no);
  EXPECT_EQ(same_build(a, {.hash = "", .stamp = "", .model = "m", .exposed = {}}),
            SameBuild::unsaid);  // one model, many builds
}

TEST(Merge, wants_equal_numbers_of_samples) {
  const Capture both[] = {capture("a", {{"y", {1}}}), capture("b", {{"y", {1}}}, 2)};
  EXPECT_FALSE(merge_captures(both).ok());
}

}  // namespace
}  // namespace lockstep
