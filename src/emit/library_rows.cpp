// Fully connected layers, sums, products and softmax by CMSIS-NN.
#include <algorithm>

#include "emit/finish.h"
#include "emit/library.h"
#include "num/device_form.h"
#include "num/device_tables.h"
#include "num/litert_sums.h"
#include "op/op_binary.h"
#include "op/op_codes.h"
#include "op/op_gemm.h"
#include "op/op_held.h"

namespace lockstep {
namespace {

bool dense_fits(const NodeView& v, const Numerics& num) {
  if (!is_int8(v.input(0)) || !is_int8(v.input(1)) || !is_int8(v.output(0)) || !v.constant(1))
    return false;
  if (num.pairs_saturate || num.product || v.attrs().integer("transA", 0) != 0 ||
      v.attrs().real("alpha", 1) != 1)
    return false;
  const RequantPolicy* policy = dense_policy(num, v.input(0), v.input(1));
  if (!policy) return false;
  const RequantSteps steps = requant_steps(*policy);
  if (steps != RequantSteps::fixed_twice && steps != RequantSteps::fixed_once) return false;
  const std::int64_t outputs = v.output(0).shape.back();
  if (v.has_input(2) &&
      (!v.constant(2) || (v.constant(2)->count() != 1 && v.constant(2)->count() != outputs)))
    return false;
  return std::ranges::all_of(v.input(1).quant.zero, [](std::int32_t z) { return z == 0; });
}

Result<void> emit_dense(NodeWriter& w) {
  const NodeView& v = w.view();
  const Tensor& b = *v.constant(1);
  const bool turned = v.attrs().integer("transB", 0) != 0,
             channels = v.input(1).quant.per_channel();
  const std::int64_t depth = b.shape()[turned ? 1 : 0], outputs = b.shape()[turned ? 0 : 1],
                     rows = count_of(v.input(0).shape) / std::max<std::int64_t>(depth, 1),
                     x_zero = v.input(0).quant.zero_at(0);
  std::vector<std::int64_t> weights, bias, sums;
  std::vector<Rescale> rescales;
  const RequantPolicy& policy = *dense_policy(w.num(), v.input(0), v.input(1));
  for (std::int64_t o = 0; o < outputs; ++o) {
    const Tensor* c = v.constant(2);
    bias.push_back(c ? c->code(c->count() == 1 ? 0 : o) : 0);
    std::int64_t sum = bias.back();
    for (std::int64_t k = 0; k < depth; ++k) {
      weights.push_back(b.code(turned ? o * depth + k : k * outputs + o));
      sum -= x_zero * weights.back();
    }
    sums.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(sum)));
    if (channels || o == 0)
      rescales.push_back(policy.prepare(v.input(0).quant.scale_at(0),
                                        v.input(1).quant.scale_at(static_cast<std::size_t>(o)),
                                        v.output(0).quant.scale_at(0)));
  }
  w.field("input_offset", -x_zero), w.field("filter_offset", 0);
  w.field("output_offset", v.output(0).quant.zero_at(0));
  w.field("activation", library_clamp(v));
  const std::string params = w.params("cmsis_nn_fc_params", "params");
  if (channels) {
    const LibraryFactors f = library_factors(w, rescales);
    w.field("multiplier", f.multiplier), w.field("shift", f.shift);
  } else {
    w.field("multiplier", rescales[0].multiplier), w.field("shift", rescales[0].shift);
  }
  const std::string factors =
      w.params(channels ? "cmsis_nn_per_channel_quant_params" : "cmsis_nn_per_tensor_quant_params",
               "factors");
  const std::string x = library_dims(w, "x", rows, 1, 1, depth),
                    filter = library_dims(w, "filter", depth, 1, 1, outputs),
                    bias_dims = library_dims(w, "bias", 1, 1, 1, outputs),
                    y = library_dims(w, "y", rows, 1, 1, outputs);
  const auto put = [&](std::string_view type, const std::vector<std::int64_t>& values,
                       const std::string& wish) {
    return w.constants().add(type, std::span<const std::int64_t>(values), w.label() + "_" + wish);
  };
  const std::string function =
      channels ? "arm_fully_connected_per_channel_s8" : "arm_fully_connected_s8";
  library_call(w, function,
               "&context, " + params + ", " + factors + ", " + x + ", " + w.in(0, "int8_t") + ", " +
                   filter + ", " + put("int8_t", weights, "weights") + ", " + bias_dims + ", " +
                   put("int32_t", bias, "bias") + ", " + y + ", " + w.out(0, "int8_t"),
               "arm_fully_connected_s8_get_buffer_size(" + filter + ")",
               // What arm_vector_sum_s8 would yield: bias[o] - zero of x * sum of w[o].
               "(void *)" + put("int32_t", sums, "sums"), 4 * outputs);
  return {};
}

BinaryState state_of(const NodeView& v, const BinaryPolicy& policy) {
  const Value &a = v.input(0), &b = v.input(1), &y = v.output(0);
  const CodeClamp clamp = clamp_of(v);
  return policy.prepare({a.quant.scale_at(0), b.quant.scale_at(0), y.quant.scale_at(0),
                         a.quant.zero_at(0), b.quant.zero_at(0), y.quant.zero_at(0), clamp.low,
                         clamp.high, 8});
}

bool binary_fits(const NodeView& v, const Numerics& num) {
  const BinaryPolicy* policy = v.node.op == "Add" ? num.add : num.mul;
  if (!policy || !is_int8(v.input(0)) || !is_int8(v.input(1)) || !is_int8(v.output(0)))
    return false;
  if (v.input(0).shape != v.input(1).shape || holds_unsigned(v)) return false;
  if (v.constant(0) || v.constant(1)) return false;
  const BinaryForm form = binary_form(*policy, state_of(v, *policy));
  return !form.minus && !sums_by_rows(*policy, state_of(v, *policy)) &&
         form.steps == (v.node.op == "Add" ? BinarySteps::add_fixed : BinarySteps::mul_fixed);
}

Result<void> emit_binary(NodeWriter& w) {
  const NodeView& v = w.view();
  const bool add = v.node.op == "Add";
  const BinaryState s = state_of(v, add ? *w.num().add : *w.num().mul);
  const CodeClamp clamp = clamp_of(v);
  const auto n = [](std::int64_t value) { return std::to_string(value) + ", "; };
  std::string text = w.in(0, "int8_t") + ", " + w.in(1, "int8_t") + ", ";
  if (add)
    text += n(-s.s.a_zero) + n(s.a.multiplier) + n(s.a.shift) + n(-s.s.b_zero) + n(s.b.multiplier) +
            n(s.b.shift) + n(s.left_shift);
  else
    text += n(-s.s.a_zero) + n(-s.s.b_zero);
  text += w.out(0, "int8_t") + ", " + n(s.s.y_zero) + n(s.y.multiplier) + n(s.y.shift) +
          n(clamp.low) + n(clamp.high) + std::to_string(count_of(v.output(0).shape));
  library_call(w, add ? "arm_elementwise_add_s8" : "arm_elementwise_mul_s8", text);
  return {};
}

SoftmaxScales scales_of(const NodeView& v) {
  const Value &x = v.input(0), &y = v.output(0);
  return {x.quant.scale_at(0),
          y.quant.scale_at(0),
          v.attrs().real("beta", 1),
          y.quant.zero_at(0),
          -128,
          127,
          -128};
}

bool softmax_fits(const NodeView& v, const Numerics& num) {
  const auto rank = static_cast<std::int64_t>(v.input(0).shape.size());
  const std::int64_t axis = v.attrs().integer("axis", -1);
  return is_int8(v.input(0)) && is_int8(v.output(0)) && num.softmax &&
         row_steps(*num.softmax) == RowSteps::softmax_fixed && (axis == -1 || axis == rank - 1) &&
         v.output(0).quant.zero_at(0) == -128;
}

Result<void> emit_softmax(NodeWriter& w) {
  const NodeView& v = w.view();
  const LogSoftmaxSteps steps = tflite_log_softmax_steps(scales_of(v));
  const std::int64_t count = v.input(0).shape.empty() ? 1 : v.input(0).shape.back();
  w.calls("arm_softmax_s8");
  w.line("arm_softmax_s8(" + w.in(0, "int8_t") + ", " +
         std::to_string(count_of(v.input(0).shape) / std::max<std::int64_t>(count, 1)) + ", " +
         std::to_string(count) + ", " + std::to_string(steps.in.multiplier) + ", " +
         std::to_string(steps.in.shift) + ", " + std::to_string(steps.least) + ", " +
         w.out(0, "int8_t") + ");");
  return {};
}

constexpr LibraryEmitter table[] = {
    {"Gemm", dense_fits, {"Gemm", nullptr, emit_dense}},
    {"Add", binary_fits, {"Add", binary_memory, emit_binary}},
    {"Mul", binary_fits, {"Mul", binary_memory, emit_binary}},
    {"Softmax", softmax_fits, {"Softmax", nullptr, emit_softmax}},
};

}  // namespace

std::span<const LibraryEmitter> library_rows() {
  return table;
}

}  // namespace lockstep
