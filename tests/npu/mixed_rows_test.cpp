// Sums of a convolution whose rows take codes from two places: a table of their epoch, and memory.
#include "npu/mixed_rows.h"

#include <gtest/gtest.h>

#include "npu/lowered_net.h"

namespace lockstep {
namespace {

TEST(NpuMixedRows, every_row_of_a_kernel_changes_its_sums_by_its_own_products) {
  test::Net n(4);
  const ValueId x = n.input({1, 4, 5, 6});
  const Graph model = n.finish(n.conv(x, 6, {3, 2}, {2, 1}, {1, 0, 1, 1}, 2));
  const Node& conv = model.nodes()[0];
  const Value &w = model.value(conv.inputs[1]), &y = model.value(conv.outputs[0]);
  Tensor one(DType::i8, {1, 4, 5, 6}), two(DType::i8, {1, 4, 5, 6});
  for (std::int64_t i = 0; i < one.count(); ++i)
    one.set_code(i, i * 37 % 101 - 50), two.set_code(i, one.code(i) + i % 4 - 1);
  const auto rows = changes_by_row(model, conv.name, model.value(conv.inputs[0]).name, one, two);
  ASSERT_EQ(rows.size(), 3u);
  for (std::int64_t row = 0; row < 3; ++row)
    for (std::int64_t i = 0; i < y.shape[1] * y.shape[2] * y.shape[3]; ++i) {
      const std::int64_t o = i / (y.shape[2] * y.shape[3]), h = i / y.shape[3] % y.shape[2],
                         v = i % y.shape[3], from = h * 2 - 1 + row;
      std::int64_t sum = 0;
      for (std::int64_t c = 0; c < 2; ++c)
        for (std::int64_t k = 0; k < 2; ++k) {
          if (from < 0 || from >= 5 || v + k >= 6) continue;
          const std::int64_t at = ((o / 3 * 2 + c) * 5 + from) * 6 + v + k;
          sum += (two.code(at) - one.code(at)) * w.constant->code(((o * 2 + c) * 3 + row) * 2 + k);
        }
      EXPECT_EQ(rows[static_cast<std::size_t>(row)][static_cast<std::size_t>(i)], sum) << row << i;
    }
  EXPECT_TRUE(changes_by_row(model, conv.name, "another", one, two).empty());
}

// Rows of 40, -20 and 70 steps of one code; the reference has 10, the table's codes alone make 100.
TEST(NpuMixedRows, a_wrong_factor_behind_a_table_of_its_epoch_stays_unexplained) {
  const std::vector<std::int64_t> rows = {40, -20, 70};
  EXPECT_TRUE(is_of_mixed_rows(99, 10, rows, false, 1, 1.5));
  EXPECT_FALSE(is_of_mixed_rows(55, 10, rows, false, 1, 1.5));  // half of the factor
  EXPECT_FALSE(is_of_mixed_rows(55, 10, rows, true, 1, 1.5));
  for (const std::int64_t part : {10 + 40, 10 + 20, 10 + 70, 10 + 50}) {
    EXPECT_TRUE(is_of_mixed_rows(part, 10, rows, true, 1, 1.5)) << part;
    EXPECT_FALSE(is_of_mixed_rows(part, 10, rows, false, 1, 1.5)) << part;
  }
  EXPECT_TRUE(is_of_mixed_rows(55, 10, rows, false, 0.5, 1.5));
}

// What the reference holds at 127 may be any code beyond.
TEST(NpuMixedRows, a_saturated_reference_is_open_to_its_side) {
  EXPECT_TRUE(is_of_mixed_rows(127, 127, {-30}, false, 1, 1));
  EXPECT_TRUE(is_of_mixed_rows(97, 127, {-30}, false, 1, 1));
  EXPECT_FALSE(is_of_mixed_rows(90, 127, {-30}, false, 1, 1));
  EXPECT_FALSE(is_of_mixed_rows(-90, -128, {30}, false, 1, 1));
}

}  // namespace
}  // namespace lockstep
