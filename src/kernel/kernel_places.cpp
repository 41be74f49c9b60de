#include "kernel/kernel_places.h"

#include <algorithm>

#include "kernel/kernel_places_spread.h"
#include "kernel/kernel_spread.h"
#include "num/litert_sums.h"
#include "num/ort_codes.h"
#include "num/tflite_policies.h"
#include "num/xnnpack.h"
#include "op/op_binary.h"
#include "op/op_codes.h"
#include "op/op_held.h"
#include "op/op_quantization.h"

namespace lockstep {
namespace {

bool byte_wide(const Value& v) {
  return v.dtype == DType::i8 || v.dtype == DType::u8;
}

// Element `at` of codes of one byte or of 16 bits.
std::int32_t code_at(const std::byte* p, std::int64_t at, std::int64_t width, bool is_signed) {
  if (width > 1) return reinterpret_cast<const std::int16_t*>(p)[at];
  return is_signed ? std::int32_t{static_cast<std::int8_t>(p[at])}
                   : std::int32_t{static_cast<std::uint8_t>(p[at])};
}

// Codes of both operands by the policy itself, one by one.
void by_policy(const PlaceCall& c) {
  for (std::int64_t i = 0; i < c.count; ++i)
    c.y[i] = static_cast<std::byte>(c.policy->apply(code_at(c.a, i, 1, c.a_signed) + c.a_shift,
                                                    code_at(c.b, i, 1, c.b_signed) + c.b_shift,
                                                    *c.state) -
                                    c.y_shift);
}

// A shape as [batch, channels, positions], and where an element of it lies when channels are last.
struct LastAxes {
  std::int64_t channels = 1, positions = 1;
  std::int64_t place(std::int64_t element) const {
    const std::int64_t position = element % positions, line = element / positions;
    return (line / channels * positions + position) * channels + line % channels;
  }
};
LastAxes last_axes(const Shape& s) {
  if (s.size() < 3) return {};
  return {s[1], count_of(Shape(s.begin() + 2, s.end()))};
}

struct PlaceProblem {
  PlaceFunction function = nullptr;
  PlaceCall call;
  BinaryState state;
  std::int64_t count = 0, a_width = 1, y_width = 1;
  bool two = false, spread = false, swapped = false;  // swapped: a of the call is the node's b
  // sums along rows: elements behind `whole`, in the order of the file, are the policy's (N110)
  std::int64_t whole = -1;
  LastAxes axes;
};

bool scaled(const KernelProblem& p, const PlaceSet& set, PlaceProblem& out) {
  const bool quantizes = p.view.node.op == "QuantizeLinear";
  const QuantizePolicy& policy = quantize_policy(p.num);
  const bool product = policy.quantize == xnnpack_quantize.quantize;
  if (quantizes ? policy.quantize != ort_quantize.quantize && !product
                : policy.dequantize != ort_quantize.dequantize &&
                      policy.dequantize != xnnpack_quantize.dequantize)
    return false;
  if (!p.constants[1] || p.constants[1]->count() != 1 || p.view.input(1).dtype != DType::f32)
    return false;
  const bool has_zero = p.view.has_input(2);
  if (has_zero && (!p.constants[2] || p.constants[2]->count() != 1)) return false;
  const Value& codes = quantizes ? p.view.output(0) : p.view.input(0);
  const Value& reals = quantizes ? p.view.input(0) : p.view.output(0);
  if (!byte_wide(codes) || reals.dtype != DType::f32) return false;
  out.function = !quantizes ? set.dequantize : product ? set.quantize_product : set.quantize;
  out.call.a_signed = codes.dtype == DType::i8;
  out.call.scale = p.constants[1]->as<float>()[0];
  out.call.zero = has_zero ? static_cast<std::int32_t>(p.constants[2]->code(0)) : 0;
  const CodeRange range = code_range(codes.dtype);
  out.call.low = static_cast<std::int32_t>(range.low);
  out.call.high = static_cast<std::int32_t>(range.high);
  return true;
}

bool shifted(const PlaceCall& c) {
  return c.a_shift != 0 || c.b_shift != 0 || c.y_shift != 0;
}

// The function that computes what the policy says, or nothing.
PlaceFunction function_of(const BinaryPolicy& policy, const PlaceSet& set, PlaceProblem& out) {
  if (policy.apply == ort_add.apply) return set.add_nearest;
  if (policy.apply == ort_mul.apply) return set.mul_nearest;
  if (policy.apply == tflite_add.apply) return set.add_grid;
  if (shifted(out.call)) return nullptr;
  if (policy.apply == xnnpack_mul.apply && out.state.y.factor != 0) return set.mul_nearest_by_zero;
  if (policy.apply == xnnpack_mul.apply || policy.apply == tflite_mul.apply) return set.mul_twice;
  if (policy.apply == xnnpack_sub.apply && out.state.left_shift == 0)
    out.state.b.multiplier = -out.state.b.multiplier;  // the sum with the negated factor
  else if (policy.apply != xnnpack_add.apply)
    return nullptr;
  return set.add_half_up;
}

// Sums of two operands alike that go along rows: all of it is one.
bool set_rows(const KernelProblem& p, const PlaceSet& set, PlaceProblem& out) {
  const Value& y = p.view.output(0);
  const SumRows rows = sum_rows(out.state, y.dtype == DType::u8, y.shape, y.shape);
  out.function = out.y_width > 1               ? set.add_once_words
                 : rows.step == GridStep::once ? set.add_once
                                               : set.add_floor;
  out.whole = rows.whole;
  out.axes = last_axes(y.shape);
  return true;
}

// As eval_binary_codes prepares the policy.
bool codes_pair(const KernelProblem& p, const PlaceSet& set, PlaceProblem& out) {
  const std::string_view op = p.view.node.op;
  const BinaryPolicy* const policy = op == "Add" ? p.num.add : op == "Sub" ? p.num.sub : p.num.mul;
  const Value &a = p.view.input(0), &b = p.view.input(1), &y = p.view.output(0);
  if (!policy || !byte_wide(a) || !byte_wide(b) || !byte_wide(y)) return false;
  const BinaryScales scales = binary_scales(p.view);
  out.state = policy->prepare(scales);
  out.call.policy = policy;
  out.call.a_shift = held_shift(p.view, a);
  out.call.b_shift = held_shift(p.view, b);
  out.call.y_shift = held_shift(p.view, y);
  out.call.a_signed = a.dtype == DType::i8;
  out.call.b_signed = b.dtype == DType::i8;
  out.call.y_signed = y.dtype == DType::i8;
  if (sums_by_rows(*policy, out.state))
    return !shifted(out.call) && !out.spread && set_rows(p, set, out);
  out.function = function_of(*policy, set, out);
  if (!out.function) out.function = by_policy;
  if (scales.a_is_scalar &&
      out.function == set.add_nearest) {  // the operand that moves is met last
    out.swapped = out.spread = true;
    std::swap(out.state.a, out.state.b);
    std::swap(out.call.a_signed, out.call.b_signed);
    std::swap(out.call.a_shift, out.call.b_shift);
  }
  return true;
}

// 16-bit codes at the same places; other rules are kernel_codes_rows' to compute.
bool words_pair(const KernelProblem& p, const PlaceSet& set, PlaceProblem& out) {
  const std::string_view op = p.view.node.op;
  const BinaryPolicy* const policy = op == "Add" ? p.num.add : op == "Mul" ? p.num.mul : nullptr;
  const bool adds = policy &&
                    (policy->apply == tflite_add.apply || policy->apply == xnnpack_add.apply),
             multiplies = policy &&
                          (policy->apply == tflite_mul.apply || policy->apply == xnnpack_mul.apply);
  if (!adds && !multiplies) return false;
  out.state = policy->prepare(binary_scales(p.view));
  if (adds ? out.state.left_shift == 0 : out.state.y.factor != 0) return false;
  out.function = adds ? set.add_grid_words : set.mul_twice_words;
  out.call.policy = policy;
  if (sums_by_rows(*policy, out.state)) set_rows(p, set, out);
  return true;
}

bool place_problem(const KernelProblem& p, const PlaceSet& set, PlaceProblem& out) {
  const Value &a = p.view.input(0), &y = p.view.output(0);
  out.count = count_of(y.shape);
  out.a_width = static_cast<std::int64_t>(size_of(a.dtype));
  out.y_width = static_cast<std::int64_t>(size_of(y.dtype));
  const bool same = a.shape == y.shape && !p.constants[0];
  if (p.view.node.op == "QuantizeLinear" || p.view.node.op == "DequantizeLinear")
    return same && scaled(p, set, out);
  const Value& b = p.view.input(1);
  out.two = true;
  const auto words = [](const Value& v) { return is_code(v) && v.dtype == DType::i16; };
  if (words(a) && words(b) && words(y))
    return same && b.shape == y.shape && !p.constants[1] && words_pair(p, set, out);
  if (is_code(a) && is_code(b) && is_code(y)) {
    out.spread = !same || b.shape != y.shape || p.constants[1];
    return out.count > 0 && y.shape.size() <= most_axes && !(p.constants[0] && p.constants[1]) &&
           codes_pair(p, set, out);
  }
  if (!same || b.shape != y.shape || p.constants[1]) return false;
  if (a.dtype != DType::f32 || b.dtype != DType::f32 || y.dtype != DType::f32 ||
      activation_of(p.view) != Activation::none)
    return false;
  const std::string_view op = p.view.node.op;
  out.function = op == "Add" ? set.add : op == "Sub" ? set.sub : set.mul;
  return true;
}

constexpr std::int64_t most_rest = 16;

std::int32_t sum_at(const PlaceProblem& p, const std::byte* a, const std::byte* b,
                    std::int64_t at) {
  return p.call.policy->apply(code_at(a, at, p.a_width, p.call.a_signed),
                              code_at(b, at, p.a_width, p.call.b_signed), p.state);
}

class PlaceKernel : public PreparedKernel {
 public:
  PlaceKernel(const KernelProblem& p, const PlaceSet& set) { place_problem(p, set, p_); }
  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    std::int32_t rest[most_rest];  // y may lie where an operand does
    const std::int64_t whole = p_.whole < 0 ? p_.count : p_.whole;
    const auto place = [&](std::int64_t i) { return r.channels_last ? p_.axes.place(i) : i; };
    for (std::int64_t i = whole; i < p_.count; ++i)
      rest[i - whole] = sum_at(p_, r.in[0], r.in[1], place(i));
    each_piece(r);
    for (std::int64_t i = whole; i < p_.count; ++i)
      if (p_.y_width > 1)
        reinterpret_cast<std::int16_t*>(r.out[0])[place(i)] =
            static_cast<std::int16_t>(rest[i - whole]);
      else
        r.out[0][place(i)] = static_cast<std::byte>(rest[i - whole]);
  }

 private:
  void each_piece(const KernelRun& r) const {
    r.workers.each((p_.count + most_places - 1) / most_places,
                   [&](std::int64_t first, std::int64_t last, int) {
                     PlaceCall c = p_.call;
                     c.state = &p_.state;
                     c.a = r.in[0] + first * most_places * p_.a_width;
                     c.b = p_.two ? r.in[1] + first * most_places * p_.a_width : nullptr;
                     c.y = r.out[0] + first * most_places * p_.y_width;
                     c.count = std::min(p_.count, last * most_places) - first * most_places;
                     p_.function(c);
                   });
  }

  PlaceProblem p_;
};

}  // namespace

bool places_fit(const KernelProblem& p, const PlaceSet& set) {
  PlaceProblem problem;
  return place_problem(p, set, problem) && problem.function;
}

std::unique_ptr<PreparedKernel> prepare_places(const KernelProblem& p, const PlaceSet& set) {
  PlaceProblem problem;
  if (place_problem(p, set, problem) && problem.spread)
    return prepare_spread(p, {problem.function, problem.call, problem.state, problem.swapped});
  return std::make_unique<PlaceKernel>(p, set);
}

}  // namespace lockstep
