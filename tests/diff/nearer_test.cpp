#include "diff/nearer.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

Tensor codes(std::vector<std::int8_t> row) {
  return Tensor::of<std::int8_t>({static_cast<std::int64_t>(row.size())},
                                 std::span<const std::int8_t>(row));
}

Tensor reals(std::vector<float> row) {
  return Tensor::of<float>({static_cast<std::int64_t>(row.size())}, std::span<const float>(row));
}

Tensor moved(Tensor t) {
  for (std::byte& b : t.bytes()) b ^= std::byte{0x80};
  return t;
}

Pairing recorded(const Tensor& a, bool other_sign) {
  Pairing p;
  p.pairs = {{"a", "a", "name", "", other_sign}};
  p.samples = {{{"a", a}}};
  return p;
}

const Sample kept[] = {{{"a", codes({-128, -90, -3, 0, 1, 7, 90, 127, 40})}}};
const Sample anew[] = {{{"a", codes({-128, -9, 30, 0, 1, 70, 9, 12, 44})}}};

TEST(Nearer, counts_the_elements_that_lie_nearer_to_either) {
  const Tensor device = codes({-128, -90, -3, 0, 1, 7, 90, 12, 41});
  EXPECT_EQ(nearer(kept, anew, recorded(device, false)), 4);
  EXPECT_EQ(nearer(anew, kept, recorded(device, false)), -4);
}

TEST(Nearer, codes_in_bytes_of_the_other_sign_are_read_before_they_are_counted) {
  EXPECT_EQ(nearer(kept, anew, recorded(moved(kept[0].at("a")), true)), 6);
  EXPECT_EQ(nearer(kept, anew, recorded(moved(anew[0].at("a")), true)), -6);
}

TEST(Nearer, reals_whose_last_bits_differ_from_both_are_counted) {
  const Sample first[] = {{{"a", reals({1.f, 2.f})}}}, second[] = {{{"a", reals({5.f, 2.5f})}}};
  EXPECT_EQ(nearer(first, second, recorded(reals({1.0000001f, 2.0000002f}), false)), 2);
}

TEST(Nearer, what_neither_tells_apart_and_other_shapes_count_nothing) {
  EXPECT_EQ(nearer(kept, kept, recorded(anew[0].at("a"), false)), 0);
  EXPECT_EQ(nearer(kept, anew, recorded(codes({1, 2}), false)), 0);
}

}  // namespace
}  // namespace lockstep
