#include "diff/recode.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

Tensor row(std::vector<std::int8_t> codes) {
  const auto n = static_cast<std::int64_t>(codes.size());
  return Tensor::of<std::int8_t>({n}, std::span<const std::int8_t>(codes));
}

Tensor moved(const Tensor& t) {
  Tensor out = t;
  for (std::byte& b : out.bytes()) b ^= std::byte{0x80};
  return out;
}

const Tensor right = row({-128, -100, -3, 0, 1, 7, 90, 127}), wrong = row({5, 5, 5, 5, 5, 5, 5, 5});

Pairing recorded(const Tensor& a, const Tensor& b, bool other_sign) {
  Pairing p;
  p.pairs = {{"a", "a", "name", "", other_sign}, {"b", "b", "name", "", other_sign}};
  p.samples = {{{"a", a}, {"b", b}}};
  return p;
}

TEST(Recode, unsigned_codes_are_moved_back_where_the_right_ones_show_it) {
  const Sample expected[] = {{{"a", right}, {"b", right}}};
  Pairing p = recorded(moved(right), moved(wrong), true);
  EXPECT_NE(recode(expected, p).find("2 tensors"), std::string::npos);
  EXPECT_EQ(p.samples[0].at("a"), right);
  EXPECT_EQ(p.samples[0].at("b"), wrong);  // the device's own error stays
}

TEST(Recode, bytes_of_the_models_own_type_are_not_touched) {
  const Sample expected[] = {{{"a", right}, {"b", right}}};
  Pairing p = recorded(moved(right), moved(right), false);
  EXPECT_EQ(recode(expected, p), "");
  EXPECT_EQ(p.samples[0].at("a"), moved(right));
}

TEST(Recode, right_codes_in_the_other_type_are_not_touched) {
  const Sample expected[] = {{{"a", right}, {"b", right}}};
  Pairing p = recorded(right, wrong, true);
  EXPECT_EQ(recode(expected, p), "");
  EXPECT_EQ(p.samples[0].at("a"), right);
}

}  // namespace
}  // namespace lockstep
