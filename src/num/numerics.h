#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lockstep {

struct ResizeAxis;  // num/tflite_resize.h
struct ResizePoint;

// A numeric policy is a named function (with its preparation) that says how one kind of rounding is
// done. An arithmetic is a choice of policies (Numerics); an operator calls the policy of its kind
// and never asks which arithmetic it is under. docs/numerics.md derives each.

// real multiplier -> what `apply` needs. Fixed point uses multiplier and shift, float uses factor,
// double uses real.
struct Rescale {
  std::int32_t multiplier = 0;  // Q0.31
  std::int32_t shift = 0;       // left shift when positive
  float factor = 0;
  double real = 0;
};

// Accumulator to code: y = clamp(zero + apply(acc)). Scales are real steps of input, weight,
// output.
struct RequantPolicy {
  std::string_view name;
  Rescale (*prepare)(double x_scale, double w_scale, double y_scale);
  std::int32_t (*apply)(std::int32_t acc, const Rescale& r);
  std::int32_t (*apply_wide)(std::int64_t acc, const Rescale& r) = nullptr;  // 64-bit accumulators
};

// Weights in codes under activations in float: the activations are coded on the fly, one scale for
// each row. Writes the codes, their scale and their zero point (0 when symmetric).
struct HybridPolicy {
  std::string_view name;
  void (*symmetric)(std::span<const float> x, std::span<std::int8_t> codes, float& scale);
  void (*asymmetric)(std::span<const float> x, std::span<std::int8_t> codes, float& scale,
                     std::int32_t& zero);
  bool always_asymmetric = false;  // whatever the node asks for
};

// Two quantized operands, one quantized result. Codes in, unclamped code out (zero point included).
struct BinaryScales {
  double a_scale, b_scale, y_scale;
  std::int32_t a_zero, b_zero, y_zero;
  std::int32_t low, high;  // clamp of the result, activation included
  int bits = 8;            // width of the codes
  bool a_is_scalar =
      false;  // along the innermost run that is computed at once, operand a does not move
};
struct BinaryState {
  BinaryScales s;
  Rescale a, b, y;
  std::int32_t left_shift = 0;
};
struct BinaryPolicy {
  std::string_view name;
  BinaryState (*prepare)(const BinaryScales& scales);
  std::int32_t (*apply)(std::int32_t a, std::int32_t b, const BinaryState& state);  // clamped code
};

// Real to code and code to real: QuantizeLinear, DequantizeLinear, QUANTIZE.
struct QuantizePolicy {
  std::string_view name;
  std::int32_t (*quantize)(float real, float scale, std::int32_t zero, std::int32_t low,
                           std::int32_t high);
  float (*dequantize)(std::int32_t code, float scale, std::int32_t zero);
  // code to code under other scale and zero point
  std::int32_t (*requantize)(std::int32_t code, double x_scale, std::int32_t x_zero, double y_scale,
                             std::int32_t y_zero, std::int32_t low, std::int32_t high);
  // the same for what remains behind whole runs of 16 elements; null: requantize
  decltype(requantize) requantize_rest = nullptr;
};

// Average of n codes whose sum is `sum` (zero points not removed). Clamped code out.
struct AverageScales {
  double x_scale, y_scale;
  std::int32_t x_zero, y_zero, low, high;
};
struct AveragePolicy {
  std::string_view name;
  std::int32_t (*apply)(std::int32_t sum, std::int32_t n, const AverageScales& s);
  // The same from the codes one by one, for arithmetics where their order counts; n is what the sum
  // is divided by.
  std::int32_t (*window)(std::span<const std::int32_t> codes, std::int32_t n,
                         const AverageScales& s) = nullptr;
};

// A quantized function of one code as a table: out[i] is the code for input code low + i.
struct TableScales {
  double x_scale, y_scale;
  std::int32_t x_zero, y_zero;
  std::int32_t x_low, low, high;  // least input code; output clamp
  double alpha = 0, beta = 0;     // parameters of the function (LeakyRelu, HardSigmoid)
};
struct TablePolicy {
  std::string_view name;
  void (*fill)(const TableScales& s, std::span<std::int32_t> table);
};

// Softmax over one row of codes.
struct SoftmaxScales {
  double x_scale, y_scale, beta;
  std::int32_t y_zero, low, high;
  std::int32_t x_low;
};
struct SoftmaxPolicy {
  std::string_view name;
  void (*apply)(std::span<const std::int32_t> x, std::span<std::int32_t> y, const SoftmaxScales& s);
};

// TFLite's bilinear resize of codes: where each output of an axis lies, and four neighbours
// (y0x0, y1x0, y0x1, y1x1) mixed.
struct ResizePolicy {
  std::string_view name;
  std::vector<ResizePoint> (*points)(const ResizeAxis& axis);
  std::int32_t (*mix)(const std::int32_t (&v)[4], const ResizePoint& y, const ResizePoint& x);
};

// One whole float matrix product: y[m,n] = start + sum over k of a[m,k] * b[k,n]. Dense, C order.
struct MatrixProblem {
  std::int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  const float* b = nullptr;
  float* y = nullptr;
  bool a_transposed = false;  // a is stored [k,m]
  bool b_transposed = false;  // b is stored [n,k]
  bool b_constant = false;  // runtimes pack a constant operand once, and then cut the sum otherwise
  bool start = false;       // y holds what the sum is added to (a bias); else zero
};

// One whole float convolution, channels first: x[batch, groups*channels, in...], w[groups*filters,
// channels, kernel...], y[batch, groups*filters, out...]. Three spatial extents, leading ones where
// there are fewer (`rank` says how many are real).
struct ConvolutionProblem {
  std::int64_t batch = 1, groups = 1, channels = 1, filters = 1;  // the latter two per group
  int rank = 2;
  std::int64_t in[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  std::int64_t strides[3] = {1, 1, 1}, dilations[3] = {1, 1, 1}, pads_begin[3] = {0, 0, 0},
               pads_end[3] = {0, 0, 0};
  const float* x = nullptr;
  const float* w = nullptr;
  const float* bias = nullptr;  // [groups*filters], null when absent
  float* y = nullptr;
  bool blocked = false;  // node attribute `kernel` = "blocked": the runtime blocks channels (NCHWc)
};

// Float averages over windows, channels first, one plane of `in` to one of `out`; `planes` of them.
struct WindowMeanProblem {
  std::int64_t planes = 1;
  int rank = 2;
  std::int64_t in[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  std::int64_t strides[3] = {1, 1, 1}, pads_begin[3] = {0, 0, 0}, pads_end[3] = {0, 0, 0};
  bool include_pad = false;
  const float* x = nullptr;
  float* y = nullptr;
};

struct RealFunctions;  // num/real_functions.h

// Float functions where runtimes differ in the last bits. Null: the C library's function.
struct FloatPolicy {
  bool in_order = false;  // sums over axes run in float32, elements in the order of the tensor
  float (*sigmoid)(float) = nullptr;
  float (*tanh)(float) = nullptr;
  float (*exp)(float) = nullptr;
  void (*softmax)(std::span<const float> x, std::span<float> y) = nullptr;
  // sum over k of a[k*a_stride]*b[k*b_stride], in the runtime's order and fusing
  float (*dot)(const float* a, std::int64_t a_stride, const float* b, std::int64_t b_stride,
               std::int64_t k, float start) = nullptr;
  void (*matrix)(const MatrixProblem& p) = nullptr;
  void (*convolution)(const ConvolutionProblem& p) = nullptr;
  void (*window_mean)(const WindowMeanProblem& p) = nullptr;
  // mean of each of `planes` runs of `count` contiguous elements (GlobalAveragePool)
  void (*plane_mean)(const float* x, std::int64_t planes, std::int64_t count, float* y) = nullptr;
  const RealFunctions* functions = nullptr;  // of whole tensors; null: real numbers, rounded once
};

struct ProductPolicy;  // num/product.h
struct LstmPolicy;     // num/lstm.h

// The choice of policies that an arithmetic is made of. A null policy means: this arithmetic does
// not compute that kind, and `Arithmetic::unsupported` says why. Owners add members as kinds
// appear.
struct Numerics {
  const RequantPolicy* conv = nullptr;  // convolution, per-channel scales
  const RequantPolicy* conv_unsigned =
      nullptr;                                // of uint8 activations where it differs; null: conv
  const RequantPolicy* conv_int16 = nullptr;  // of int16 activations where it differs; null: conv
  const RequantPolicy* dense_by_channel = nullptr;  // where scales differ by column; null: dense
  const RequantPolicy* dense_int16 = nullptr;       // likewise; null: dense
  bool pairs_saturate =
      false;  // uint8 * int8 products are added two by two into 16 bits, which saturate
  const RequantPolicy* dense = nullptr;    // fully connected, Gemm, MatMul
  const RequantPolicy* state = nullptr;    // into and out of an SVDF state
  const LstmPolicy* lstm = nullptr;        // on codes
  const ProductPolicy* product = nullptr;  // layers computed in pieces; null: conv and dense
  const RequantPolicy* matmul = nullptr;   // of two computed operands where it differs; null: dense
  const HybridPolicy* hybrid = nullptr;
  const BinaryPolicy* add = nullptr;
  const BinaryPolicy* sub = nullptr;
  const BinaryPolicy* mul = nullptr;
  const BinaryPolicy* div = nullptr;
  const BinaryPolicy* squared_difference = nullptr;
  const BinaryPolicy* prelu = nullptr;  // of x and slope
  const QuantizePolicy* quantize = nullptr;
  const QuantizePolicy* quantize_other =
      nullptr;                             // codes of another type, and in Concat; null: quantize
  const ResizePolicy* bilinear = nullptr;  // of codes where it is not N68
  const AveragePolicy* average = nullptr;  // windowed pooling
  const AveragePolicy* sum = nullptr;      // over axes
  bool sums_bytes_unsigned = false;        // 8-bit codes enter `sum` as unsigned bytes
  const AveragePolicy* global_average = nullptr;  // GlobalAveragePool, MEAN
  const TablePolicy* sigmoid = nullptr;
  const TablePolicy* tanh = nullptr;
  const TablePolicy* leaky_relu = nullptr;
  const TablePolicy* hard_swish = nullptr;
  const TablePolicy* exp = nullptr;
  const TablePolicy* log = nullptr;
  const TablePolicy* elu = nullptr;
  const TablePolicy* gelu = nullptr;
  const TablePolicy* gelu_tanh = nullptr;
  const TablePolicy* bounded_relu = nullptr;  // alpha, beta: the bounds, beta possibly infinite
  const TablePolicy* abs = nullptr;
  const TablePolicy* neg = nullptr;
  const TablePolicy* sqrt = nullptr;
  const TablePolicy* rsqrt = nullptr;
  const SoftmaxPolicy* softmax = nullptr;
  const SoftmaxPolicy* log_softmax = nullptr;
  const SoftmaxPolicy* l2_normalization = nullptr;  // a row over its length
  const SoftmaxPolicy* softmax_wide = nullptr;  // of 16-bit codes where it differs; null: softmax
  // accumulator of a product of codes to a real: Gemm and MatMul of codes with a float result
  float (*to_real)(std::int32_t acc, double alpha, double a_scale, double b_scale) = nullptr;
  FloatPolicy real = {};
};

}  // namespace lockstep
