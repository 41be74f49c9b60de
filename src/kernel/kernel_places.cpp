#include "kernel/kernel_places.h"

#include <algorithm>

#include "num/ort_codes.h"
#include "num/tflite_policies.h"
#include "num/xnnpack.h"
#include "op/op_codes.h"
#include "op/op_quantization.h"

namespace lockstep {
namespace {

bool byte_wide(const Value& v) {
  return v.dtype == DType::i8 || v.dtype == DType::u8;
}

// Codes of both operands by the policy itself, one by one.
void by_policy(const PlaceCall& c) {
  const auto code = [](const std::byte* p, bool is_signed) {
    return is_signed ? std::int32_t{static_cast<std::int8_t>(*p)}
                     : std::int32_t{static_cast<std::uint8_t>(*p)};
  };
  for (std::int64_t i = 0; i < c.count; ++i)
    c.y[i] = static_cast<std::byte>(c.policy->apply(code(c.a + i, c.a_signed) + c.shift,
                                                    code(c.b + i, c.b_signed) + c.shift, *c.state) -
                                    c.shift);
}

struct PlaceProblem {
  PlaceFunction function = nullptr;
  PlaceCall call;
  BinaryState state;
  std::int64_t count = 0, a_width = 1, y_width = 1;
  bool two = false;
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

// As eval_binary_codes prepares the policy; operands of one shape, so neither stands still.
bool codes_pair(const KernelProblem& p, const PlaceSet& set, PlaceProblem& out) {
  const std::string_view op = p.view.node.op;
  const BinaryPolicy* const policy = op == "Add" ? p.num.add : op == "Sub" ? p.num.sub : p.num.mul;
  const Value &a = p.view.input(0), &b = p.view.input(1), &y = p.view.output(0);
  if (!policy || !byte_wide(a) || !byte_wide(b) || !byte_wide(y)) return false;
  const CodeClamp clamp = clamp_of(p.view);
  const std::int32_t shift = p.view.attrs().text("codes", "") == "unsigned" ? 128 : 0;
  out.state =
      policy->prepare({a.quant.scale_at(0), b.quant.scale_at(0), y.quant.scale_at(0),
                       a.quant.zero_at(0) + shift, b.quant.zero_at(0) + shift,
                       y.quant.zero_at(0) + shift, clamp.low + shift, clamp.high + shift, 8});
  out.call.policy = policy;
  out.call.shift = shift;
  out.call.a_signed = a.dtype == DType::i8;
  out.call.b_signed = b.dtype == DType::i8;
  out.call.y_signed = y.dtype == DType::i8;
  out.function = policy->apply == ort_add.apply                     ? set.add_nearest
                 : policy->apply == ort_mul.apply                   ? set.mul_nearest
                 : policy->apply == tflite_add.apply                ? set.add_grid
                 : policy->apply != xnnpack_add.apply || shift != 0 ? by_policy
                 : out.state.left_shift == 0                        ? set.add_half_up
                                                                    : set.add_grid_cut;
  return true;
}

bool place_problem(const KernelProblem& p, const PlaceSet& set, PlaceProblem& out) {
  const Value &a = p.view.input(0), &y = p.view.output(0);
  if (a.shape != y.shape || p.constants[0]) return false;
  out.count = count_of(y.shape);
  out.a_width = static_cast<std::int64_t>(size_of(a.dtype));
  out.y_width = static_cast<std::int64_t>(size_of(y.dtype));
  if (p.view.node.op == "QuantizeLinear" || p.view.node.op == "DequantizeLinear")
    return scaled(p, set, out);
  const Value& b = p.view.input(1);
  out.two = true;
  if (b.shape != y.shape || p.constants[1]) return false;
  if (is_code(a) && is_code(b) && is_code(y)) return codes_pair(p, set, out);
  if (a.dtype != DType::f32 || b.dtype != DType::f32 || y.dtype != DType::f32 ||
      activation_of(p.view) != Activation::none)
    return false;
  const std::string_view op = p.view.node.op;
  out.function = op == "Add" ? set.add : op == "Sub" ? set.sub : set.mul;
  return true;
}

class PlaceKernel : public PreparedKernel {
 public:
  PlaceKernel(const KernelProblem& p, const PlaceSet& set) { place_problem(p, set, p_); }
  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    constexpr std::int64_t piece = 4096;
    r.workers.each((p_.count + piece - 1) / piece, [&](std::int64_t first, std::int64_t last, int) {
      PlaceCall c = p_.call;
      c.state = &p_.state;
      c.a = r.in[0] + first * piece * p_.a_width;
      c.b = p_.two ? r.in[1] + first * piece * p_.a_width : nullptr;
      c.y = r.out[0] + first * piece * p_.y_width;
      c.count = std::min(p_.count, last * piece) - first * piece;
      p_.function(c);
    });
  }

 private:
  PlaceProblem p_;
};

}  // namespace

bool places_fit(const KernelProblem& p, const PlaceSet& set) {
  PlaceProblem problem;
  return place_problem(p, set, problem) && problem.function;
}

std::unique_ptr<PreparedKernel> prepare_places(const KernelProblem& p, const PlaceSet& set) {
  return std::make_unique<PlaceKernel>(p, set);
}

}  // namespace lockstep
