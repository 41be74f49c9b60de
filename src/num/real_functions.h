#pragma once

#include <cstdint>
#include <span>

namespace lockstep {

enum class RealReduction : std::uint8_t {
  sum,
  mean,
  l1,
  l2,
  sum_square,
  product,
  log_sum,
  log_sum_exp
};

struct MatrixProblem;  // num/numerics.h

// Float functions of whole tensors in one runtime's own steps: what is quantized next depends on
// the last bit. A null member: real numbers, rounded once.
struct RealFunctions {
  // y[i] = f(x[i]); alpha and beta are the function's parameters. x and y may be one.
  using Map = void (*)(std::span<const float> x, std::span<float> y, float alpha, float beta);
  Map exp = nullptr, log = nullptr, erf = nullptr, gelu = nullptr, gelu_tanh = nullptr,
      quick_gelu = nullptr;
  Map elu = nullptr, selu = nullptr, celu = nullptr, softplus = nullptr, softsign = nullptr,
      mish = nullptr;
  Map hard_sigmoid = nullptr, hard_swish = nullptr;
  Map sigmoid = nullptr,
      tanh = nullptr;  // where whole tensors have other steps than single numbers
  Map sin = nullptr, cos = nullptr, tan = nullptr, asin = nullptr, acos = nullptr, atan = nullptr;
  Map sinh = nullptr, cosh = nullptr, asinh = nullptr, acosh = nullptr, atanh = nullptr;
  float (*power)(float base, float exponent) = nullptr;
  // The gates of recurrent layers where they are not `sigmoid` and `tanh`.
  float (*gru_reset)(float) = nullptr, (*gru_output)(float) = nullptr,
        (*rnn_output)(float) = nullptr;
  // y = the reduction of x over the axes marked in `reduced`; as many bytes in it as extents in
  // `shape`.
  void (*reduce)(RealReduction kind, std::span<const float> x, std::span<const std::int64_t> shape,
                 std::span<const std::uint8_t> reduced, std::span<float> y) = nullptr;
  // One row: y = scale * (x - mean) / sqrt(variance + epsilon) + bias; bias null when absent.
  void (*normalize_row)(std::span<const float> x, std::span<float> y, const float* scale,
                        const float* bias, float epsilon) = nullptr;
  // One channel of one sample, `offset` elements behind the tensor's first: as above with one scale
  // and bias.
  void (*normalize_plane)(std::span<const float> x, std::span<float> y, float scale, float bias,
                          float epsilon, std::int64_t offset) = nullptr;
  // A product with stored codes of 4 bits that become reals on the way; b transposed, sums from
  // zero.
  void (*product_of_codes)(const MatrixProblem& p) = nullptr;
  void (*log_softmax)(std::span<const float> x, std::span<float> y) = nullptr;  // one row
};

}  // namespace lockstep
