#include "num/device_form.h"

#include "num/cmsis_nn.h"
#include "num/device_tables.h"
#include "num/narrow_sums.h"
#include "num/ort_codes.h"
#include "num/tflite_fixed.h"
#include "num/tflite_policies.h"
#include "num/xnnpack.h"

namespace lockstep {

RequantSteps requant_steps(const RequantPolicy& p) {
  if (p.apply == tflite_conv.apply || p.apply == cmsis_nn_dense.apply)
    return RequantSteps::fixed_twice;
  if (p.apply == cmsis_nn_conv_once.apply) return RequantSteps::fixed_once;
  if (p.apply == ort_requant.apply || p.apply == xnnpack_requant.apply) return RequantSteps::real32;
  return p.apply == tflite_dense.apply || p.apply == litert_dense.apply ? RequantSteps::real64
                                                                        : RequantSteps::other;
}

WideSteps wide_steps(const RequantPolicy& p) {
  if (!p.apply_wide) return WideSteps::none;
  if (p.apply_wide == tflite_conv.apply_wide || p.apply_wide == cmsis_nn_dense.apply_wide)
    return WideSteps::fixed_16;
  return p.apply_wide == tflite_dense.apply_wide || p.apply_wide == litert_dense.apply_wide
             ? WideSteps::real64
             : WideSteps::none;
}

SumSteps sum_steps(const AveragePolicy& p, std::int32_t n, const AverageScales& s) {
  const bool narrow = s.high - s.low <= 255;
  const bool mean = p.apply == xnnpack_mean.apply, sum = p.apply == xnnpack_sum.apply;
  if (p.apply == ort_global_average.apply)
    return {RequantSteps::real32, ort_mean_rescale(s.x_scale, s.y_scale, n)};
  if ((mean || sum) && narrow) {
    SumSteps r{RequantSteps::real32, {}, false};
    const float share = mean ? 1.0f / static_cast<float>(n) : 1.0f;
    r.rescale.factor = static_cast<float>(s.x_scale) / static_cast<float>(s.y_scale) * share;
    r.offset = static_cast<float>(s.y_zero) - static_cast<float>(n * s.x_zero) * r.rescale.factor;
    return r;
  }
  if (sum) {
    SumSteps r{RequantSteps::real32, {}, false};
    r.rescale.factor = static_cast<float>(s.x_scale) / static_cast<float>(s.y_scale);
    r.offset = static_cast<float>(-s.x_zero) * r.rescale.factor * static_cast<float>(n);
    return r;
  }
  if (mean || p.apply == tflite_mean.apply)
    return {RequantSteps::fixed_twice, tflite_mean_rescale(s.x_scale, s.y_scale, n)};
  if (p.apply == tflite_sum.apply)
    return {RequantSteps::fixed_twice, fixed_multiplier(s.x_scale / s.y_scale)};
  return {};
}

BinaryForm binary_form(const BinaryPolicy& p, const BinaryState& state) {
  using enum BinarySteps;
  if (p.apply == tflite_add.apply) return {add_fixed};
  if (p.apply == tflite_sub.apply) return {add_fixed, true};
  if (p.apply == tflite_mul.apply) return {mul_fixed};
  if (p.apply == tflite_squared_difference.apply) return {square_fixed};
  if (p.apply == tflite_prelu.apply) return {prelu_fixed};
  if (p.apply == tflite_div.apply) return {div_fixed};
  if (p.apply == cmsis_nn_add_once.apply) return {add_fixed, false, true};
  if (p.apply == cmsis_nn_mul_once.apply) return {mul_fixed, false, true};
  if (p.apply == ort_add.apply) return {add_real};
  if (p.apply == ort_mul.apply) return {mul_real};
  if (p.apply == xnnpack_add.apply) return {state.left_shift == 0 ? add_aligned : add_fixed};
  if (p.apply == xnnpack_sub.apply)
    return state.left_shift == 0 ? BinaryForm{add_aligned, true} : BinaryForm{add_fixed, true};
  if (p.apply == xnnpack_mul.apply)
    return state.y.factor == 0 ? BinaryForm{mul_fixed} : BinaryForm{mul_real_late};
  return {};
}

AverageSteps average_steps(const AveragePolicy& p) {
  if (p.apply == tflite_average.apply) return AverageSteps::of_codes;
  return p.window == ort_average.window ? AverageSteps::of_reals : AverageSteps::other;
}

QuantizeSteps quantize_steps(const QuantizePolicy& p) {
  if (p.quantize == tflite_quantize.quantize) return QuantizeSteps::away;
  if (p.quantize == xnnpack_quantize.quantize) return QuantizeSteps::inverse;
  return QuantizeSteps::even;
}

RowSteps row_steps(const SoftmaxPolicy& p) {
  const std::pair<const SoftmaxPolicy*, RowSteps> known[] = {
      {&tflite_softmax, RowSteps::softmax_fixed},
      {&ort_softmax_codes, RowSteps::softmax_table},
      {&litert_softmax, RowSteps::softmax_terms},
      {&tflite_softmax_wide, RowSteps::softmax_samples},
      {&tflm_softmax_wide, RowSteps::softmax_samples},
      {&tflite_log_softmax, RowSteps::log_softmax_fixed},
      {&litert_log_softmax, RowSteps::log_softmax_terms},
      {&tflite_l2_normalization, RowSteps::length},
  };
  for (const auto& [policy, steps] : known)
    if (policy->apply == p.apply) return steps;
  return RowSteps::other;
}

}  // namespace lockstep
