#include "num/neural_art.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

// x 0.1, w 0.02 -> y 0.05, zero -128: a kernel of sum 200 * 255 needs 16 bits, one bit of shift.
TEST(NeuralArtProduct, constants_of_a_worked_example) {
  const std::vector<std::int32_t> w = {100, 100, -20, 5};
  const std::vector<double> scale = {0.02, 0.01};
  const ProductPlan p = neural_art_product.prepare({.x_scale = 0.1,
                                                    .y_scale = 0.05,
                                                    .y_zero = -128,
                                                    .w_scale = scale,
                                                    .weights = w,
                                                    .kernels = 2,
                                                    .channels = 2,
                                                    .pixels = 4});
  EXPECT_EQ(p.sum_shift, 1);          // ceil(log2(200 * 255)) - 15 = 16 - 15
  EXPECT_EQ(p.multiplier[0], 16777);  // 0.002 * 2^23 = 16777.2
  EXPECT_EQ(p.multiplier[1], 8389);   // 0.001 * 2^23 = 8388.6
  EXPECT_EQ(p.fraction_bits, 10);     // R = 12.75: 15 - (4 + 1)
  EXPECT_EQ(p.product_shift, 23 - 1 - 10);
  EXPECT_EQ(p.common, 20480);  // 20 * 2^10
  EXPECT_EQ(p.final_shift, 20);
  EXPECT_EQ(p.constant[0], -128 * (1 << 20));
  ASSERT_EQ(p.pieces.size(), 1u);
  // 1000 -> 500 -> 500 * 16777 / 2^12 = 2048 -> 2048 * 20480 / 2^20 = 40
  const std::int64_t run = neural_art_product.add(0, 1000, p);
  EXPECT_EQ(run, 500);
  EXPECT_EQ(neural_art_product.leave(run, 0, p), 40 - 128);
}

TEST(NeuralArtProduct, tall_and_wide_kernels_are_cut_and_the_sum_is_rounded_after_each_piece) {
  const std::vector<std::int32_t> w(49, 127);
  const std::vector<double> scale = {0.02};
  const ProductPlan p = neural_art_product.prepare({.x_scale = 0.1,
                                                    .y_scale = 0.05,
                                                    .w_scale = scale,
                                                    .weights = w,
                                                    .kernels = 1,
                                                    .rows = 7,
                                                    .columns = 7,
                                                    .channels = 1,
                                                    .pixels = 4});
  ASSERT_EQ(p.pieces.size(), 6u);  // rows 3 + 3 + 1, columns 6 + 1
  EXPECT_EQ(p.pieces[1].column, 6);
  EXPECT_EQ(p.pieces[4].row, 6);
  EXPECT_EQ(p.sum_shift, 6);
  EXPECT_EQ(neural_art_product.add(neural_art_product.add(0, 33, p), 33, p),
            2);  // 1 + 1, not 66 / 64
}

TEST(NeuralArtProduct, more_than_256_channels_take_passes_and_odd_ones_fall_to_the_cpu) {
  const std::vector<std::int32_t> w(512 * 8, 1);
  const std::vector<double> scale = {0.02};
  const auto pieces = [&](std::int64_t channels) {
    return neural_art_product
        .prepare({.x_scale = 0.1,
                  .y_scale = 0.05,
                  .w_scale = scale,
                  .weights = std::span(w).first(static_cast<std::size_t>(channels) * 8),
                  .kernels = 8,
                  .channels = channels,
                  .pixels = 4})
        .pieces.size();
  };
  EXPECT_EQ(pieces(256), 1u);
  EXPECT_EQ(pieces(512), 2u);
  EXPECT_EQ(pieces(257), 0u);
}

TEST(NeuralArtAverage, is_held_with_eight_fraction_bits) {
  // a window of 6: 21845 / 2^17; sum 7 -> 298.66 -> 299 of 256 -> 1.168 -> 1
  EXPECT_EQ(neural_art_average.apply(7, 6, {0.5, 0.5, 0, 0, -128, 127}), 1);
  EXPECT_EQ(neural_art_average.apply(9, 6, {0.5, 0.5, 0, 0, -128, 127}), 2);  // 1.5: away
  EXPECT_EQ(neural_art_average.apply(-9, 6, {0.5, 0.5, 0, 0, -128, 127}), -2);
}

TEST(NeuralArtAdd, follows_the_published_worked_example) {
  const BinaryState k = neural_art_add.prepare(
      {17387.0 / 8192 / 2 * 0.02, 16551.0 / 8192 * 0.02, 0.02, 0, 0, 0, -128, 127});
  EXPECT_EQ(k.left_shift, 13);
  EXPECT_EQ(k.a.shift, 1);
  EXPECT_EQ(k.b.shift, 0);
}

TEST(NeuralArtRequantize, equal_quantizations_keep_codes) {
  for (int c = -128; c < 128; ++c)
    EXPECT_EQ(neural_art_quantize.requantize(c, 0.1, 3, 0.1, 3, -128, 127), c);
  EXPECT_EQ(neural_art_quantize.requantize(10, 0.2, 0, 0.1, 0, -128, 127), 20);
}

// uint8 codes are int8 codes with 128 added, ties included.
TEST(NeuralArtProduct, uint8_codes_are_the_int8_ones_with_128_added) {
  const std::vector<std::int32_t> w = {37, -20};
  const std::vector<double> scale = {0.02};
  ProductProblem p{.x_scale = 0.1,
                   .y_scale = 0.05,
                   .y_zero = -5,
                   .w_scale = scale,
                   .weights = w,
                   .kernels = 1,
                   .channels = 2,
                   .pixels = 4};
  const ProductPlan narrow = neural_art_product.prepare(p);
  p.y_zero = 123, p.y_low = 0, p.y_high = 255;
  const ProductPlan wide = neural_art_product.prepare(p);
  for (std::int64_t run = -3000; run < 3000; run += 7)
    EXPECT_EQ(neural_art_product.leave(run, 0, wide),
              neural_art_product.leave(run, 0, narrow) + 128);
  for (int sum = -500; sum < 500; ++sum)
    EXPECT_EQ(neural_art_average.apply(sum + 128 * 6, 6, {0.5, 0.3, 131, 125, 0, 255}),
              neural_art_average.apply(sum, 6, {0.5, 0.3, 3, -3, -128, 127}) + 128);
}

}  // namespace
}  // namespace lockstep
