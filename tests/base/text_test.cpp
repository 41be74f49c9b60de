#include "base/text.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(Text, splits_at_every_separator_and_keeps_empty_parts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
}

TEST(Text, finds_the_nearest_name_and_none_when_all_are_far) {
  const std::vector<std::string> names = {"clamp-lost", "stale-output"};
  EXPECT_EQ(nearest("clamp-lots", names), "clamp-lost");
  EXPECT_EQ(nearest("zzzzzzzzzzzz", names), "");
}

TEST(Text, writes_shapes_in_brackets) {
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{1, 49, 10, 1}), "[1,49,10,1]");
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{}), "[]");
}

}  // namespace
}  // namespace lockstep
