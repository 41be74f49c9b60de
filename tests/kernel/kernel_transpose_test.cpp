#include "kernel/kernel_transpose.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace lockstep {
namespace {

TEST(Transpose, every_element_changes_row_and_column) {
  for (const std::size_t width : {1, 2, 4, 8})
    for (const std::int64_t rows : {1, 2, 3, 4, 5, 16, 17, 33, 64})
      for (const std::int64_t columns : {1, 2, 3, 4, 5, 16, 31, 48}) {
        const auto count = static_cast<std::size_t>(rows * columns);
        std::vector<std::byte> x(count * width), y(count * width);
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::byte>(i * 7 + i / 251);
        transpose(x.data(), y.data(), rows, columns, width);
        for (std::int64_t r = 0; r < rows; ++r)
          for (std::int64_t c = 0; c < columns; ++c)
            ASSERT_EQ(std::memcmp(x.data() + static_cast<std::size_t>(r * columns + c) * width,
                                  y.data() + static_cast<std::size_t>(c * rows + r) * width, width),
                      0)
                << rows << "x" << columns << " of " << width << " bytes, at " << r << "," << c;
      }
}

TEST(Transpose, small_matrices_one_behind_the_other_leave_what_is_behind_them_alone) {
  for (const std::size_t width : {1, 2, 4})
    for (std::int64_t rows = 1; rows <= 17; ++rows)
      for (std::int64_t columns = 1; columns <= 17; ++columns) {
        const SmallTranspositions small(rows, columns, width);
        if (!small.planned()) continue;
        const auto one = static_cast<std::size_t>(rows * columns) * width;
        for (const std::int64_t count : {1, 2, 5, 19}) {
          const auto bytes = one * static_cast<std::size_t>(count);
          std::vector<std::byte> x(bytes), want(bytes + 1, std::byte{0x5a}), y = want;
          for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::byte>(i * 7 + i / 251);
          for (std::size_t i = 0; i < bytes; i += one)
            transpose(x.data() + i, want.data() + i, rows, columns, width);
          small.run(x.data(), y.data(), count);
          ASSERT_EQ(y, want) << count << " of " << rows << "x" << columns << ", " << width;
        }
      }
}

}  // namespace
}  // namespace lockstep
