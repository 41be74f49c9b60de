#include "kernel/kernel_moved.h"

#include <gtest/gtest.h>

#include <cstring>

#include "kernel/kernel.h"

namespace lockstep {
namespace {

// Threads copy lines apart: no line may touch bytes of one that was copied before it.
TEST(MovedElements, lines_copied_backwards_one_by_one_are_those_copied_at_once) {
  int many = 0;
  for (const bool channels_last : {false, true})
    for (const std::int64_t channels : {1, 3, 24, 40, 130})
      for (const std::int64_t more : {0, 2, 5}) {
        const Shape x{2, channels, 9, 11}, y{2, channels + more, 12, 13};
        std::vector<std::int32_t> sources;
        for (std::int64_t n = 0; n < y[0]; ++n)
          for (std::int64_t c = 0; c < y[1]; ++c)
            for (std::int64_t h = 0; h < y[2]; ++h)
              for (std::int64_t w = 0; w < y[3]; ++w) {
                const bool inside = c < channels && h >= 1 && h < 10 && w >= 2;
                sources.push_back(!inside ? -1
                                          : static_cast<std::int32_t>(
                                                ((n * channels + c) * 9 + h - 1) * 11 + w - 2));
              }
        const MovedElements moved(sources, x, y, channels_last);
        std::vector<std::byte> from(static_cast<std::size_t>(count_of(x)) + kernel_slack);
        for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i * 5 + 1);
        std::byte fill[MovedElements::fill_bytes];
        std::memset(fill, 0x7e, sizeof fill);
        std::vector<std::byte> once(sources.size()), apart(sources.size());
        moved.copy(from.data(), once.data(), 1, fill);
        many += moved.lines() > 4 ? 1 : 0;
        for (std::int64_t line = moved.lines(); line-- > 0;)
          moved.copy(from.data(), apart.data(), 1, fill, line, line + 1);
        EXPECT_EQ(once, apart) << channels << " channels and " << more << ", " << channels_last;
        for (std::int64_t n = 0; n < y[0] && channels_last; ++n)
          for (std::int64_t c = 0; c < y[1]; ++c)
            for (std::int64_t p = 0; p < 12 * 13; ++p) {
              const std::int32_t s = sources[static_cast<std::size_t>((n * y[1] + c) * 156 + p)];
              const std::int64_t at =
                  s % 99 * channels + s / 99 % channels + s / 99 / channels * 99 * channels;
              ASSERT_EQ(once[static_cast<std::size_t>((n * 156 + p) * y[1] + c)],
                        s < 0 ? std::byte{0x7e} : from[static_cast<std::size_t>(at)])
                  << n << " " << c << " " << p;
            }
        if (channels_last) continue;
        for (std::size_t i = 0; i < sources.size(); ++i)
          ASSERT_EQ(once[i],
                    sources[i] < 0 ? std::byte{0x7e} : from[static_cast<std::size_t>(sources[i])])
              << i;
      }
  EXPECT_GT(many, 6);
}

// Sources by element, from sources by axis.
std::vector<std::int32_t> listed(std::span<const MovedElements::AxisSource> axes, const Shape& x,
                                 const Shape& y) {
  const Shape strides = strides_of(x), places = strides_of(y);
  std::vector<std::int32_t> all;
  for (std::int64_t i = 0; i < count_of(y); ++i) {
    std::int64_t from = 0;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      const std::int64_t s = axes[a].source[static_cast<std::size_t>(i / places[a] % y[a])];
      from = from < 0 || s < 0 ? -1 : from + s * strides[axes[a].axis];
    }
    all.push_back(static_cast<std::int32_t>(from));
  }
  return all;
}

TEST(MovedElements, axes_that_are_told_and_axes_that_are_found_copy_the_same_bytes) {
  const Shape x{2, 5, 4, 3};
  const std::vector<std::vector<MovedElements::AxisSource>> problems = {
      {{0, {0, 1}}, {1, {0, 1, 2, 3, 4, -1, -1}}, {2, {0, 1, 2, 3}}, {3, {0, 1, 2}}},
      {{0, {-1, 0, 1}}, {1, {1, 2, 3}}, {2, {-1, 0, 1, 2, 3, -1}}, {3, {-1, -1, 0, 1, 2, -1}}},
      {{0, {0, 1}}, {2, {0, 1, 2, 3}}, {3, {0, 1, 2}}, {1, {0, 1, 2, 3, 4}}},
      {{3, {2, 1, 0}}, {2, {3}}, {1, {0, 2, 4}}, {0, {1, 0}}},
      {{0, {1}}, {1, {-1}}, {2, {0, 1, 2, 3}}, {3, {0, 1, 2}}},
      {{0, {0}}, {1, {0, 1, 2, 3, 4}}, {2, {0, 1, 2, 3}}, {3, {0, 1, 2}}}};
  for (const auto& axes : problems)
    for (const bool channels_last : {false, true}) {
      Shape y;
      for (const auto& a : axes) y.push_back(static_cast<std::int64_t>(a.source.size()));
      const MovedElements told(axes, x, channels_last);
      const MovedElements found(listed(axes, x, y), x, y, channels_last);
      std::vector<std::byte> from(static_cast<std::size_t>(count_of(x)) + kernel_slack),
          a(static_cast<std::size_t>(count_of(y))), b = a;
      for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i + 1);
      const std::vector<std::byte> fill(MovedElements::fill_bytes, std::byte{0xee});
      told.copy(from.data(), a.data(), 1, fill.data());
      found.copy(from.data(), b.data(), 1, fill.data());
      EXPECT_EQ(a, b) << &axes - problems.data() << " " << channels_last;
    }
}

}  // namespace
}  // namespace lockstep
