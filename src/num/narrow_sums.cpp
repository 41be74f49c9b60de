#include "num/narrow_sums.h"

#include "num/tflite_fixed.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

// N99: N53 whose second rounding is half up.
std::int32_t half_up(std::int32_t acc, const Rescale& r) {
  const int down = r.shift < 0 ? -r.shift : 0;
  const std::int32_t x = r.shift > 0 ? wrap32(std::int64_t{acc} << r.shift) : acc;
  const std::int64_t half = down > 0 ? std::int64_t{1} << (down - 1) : 0;
  return static_cast<std::int32_t>((high_mul(x, r.multiplier) + half) >> down);
}

Rescale product_prepare(double x, double w, double y) {
  return tflite_conv_unsigned.prepare(x, w, y);
}
Rescale channel_prepare(double x, double w, double y) {
  return tflite_conv.prepare(x, w, y);
}
Rescale dense_prepare(double x, double w, double y) {
  return tflite_dense.prepare(x, w, y);
}
std::int32_t dense_apply(std::int32_t acc, const Rescale& r) {
  return tflite_dense.apply(acc, r);
}
std::int32_t dense_apply_wide(std::int64_t acc, const Rescale& r) {
  return tflite_dense.apply_wide(acc, r);
}

}  // namespace

const RequantPolicy litert_dense = {"litert-dense", dense_prepare, dense_apply, dense_apply_wide};
const RequantPolicy litert_product = {"litert-product", product_prepare, half_up, rescale_wide};
const RequantPolicy litert_product_by_channel = {"litert-product-by-channel", channel_prepare,
                                                 half_up, rescale_wide};

}  // namespace lockstep
