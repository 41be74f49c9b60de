#include "num/softmax_rows.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"
#include "num/ort_codes.h"
#include "num/xnnpack.h"

namespace lockstep {
namespace {

// Rows of every length up to three vectors, of any codes and of extremes; steps down to those whose
// terms vanish.
TEST(SoftmaxOfCodes, yields_the_codes_of_the_policy_row_by_row) {
  Random random(7);
  for (const SoftmaxPolicy* const policy :
       {&litert_softmax, &ort_softmax_codes, &litert_log_softmax})
    for (const bool x_signed : {false, true})
      for (const bool y_signed : {false, true})
        for (const double x_scale : {0.0001, 0.004, 0.17, 3.0})
          for (std::int64_t count = 1; count < 50; count += 3) {
            const std::int64_t rows = random.between(1, 9);
            const SoftmaxScales s{x_scale,
                                  1.0 / 256,
                                  policy == &litert_log_softmax || random.between(0, 1) ? 1.0 : 0.3,
                                  y_signed ? -128 : 0,
                                  y_signed ? -128 : 0,
                                  y_signed ? 127 : 255,
                                  x_signed ? -128 : 0};
            const bool extremes = random.between(0, 2) == 0;
            std::vector<std::byte> x(static_cast<std::size_t>(rows * count)), y(x.size());
            for (std::byte& b : x)
              b = static_cast<std::byte>(extremes ? (random.between(0, 1) ? 127 : 128)
                                                  : random.between(0, 255));
            const auto made = SoftmaxOfCodes::make(*policy, s, x_signed, count);
            // The term of a single code times 256 leaves float32.
            ASSERT_EQ(made.has_value(), policy != &ort_softmax_codes || count > 1);
            if (!made) continue;
            std::vector<float> room(made->room());
            made->run(x.data(), y.data(), rows, room.data());
            for (std::int64_t r = 0; r < rows; ++r) {
              std::vector<std::int32_t> in, want(static_cast<std::size_t>(count));
              for (std::int64_t i = 0; i < count; ++i) {
                const std::byte b = x[static_cast<std::size_t>(r * count + i)];
                in.push_back(x_signed ? std::int32_t{static_cast<std::int8_t>(b)}
                                      : std::int32_t{static_cast<std::uint8_t>(b)});
              }
              policy->apply(in, want, s);
              for (std::int64_t i = 0; i < count; ++i)
                ASSERT_EQ(y[static_cast<std::size_t>(r * count + i)],
                          static_cast<std::byte>(want[static_cast<std::size_t>(i)]))
                    << "row " << r << ", element " << i << " of " << count << ", x_scale "
                    << x_scale;
            }
          }
}

}  // namespace
}  // namespace lockstep
