// scale = (max(x, 0) - min(x, 0)) / 255, zero = half_even(-min / scale), y = clamp(half_even(x /
// scale) + zero)
#include <algorithm>

#include "num/ort_codes.h"
#include "op/op_contrib.h"
#include "op/op_quantization.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}, {"scale"}, {"zero"}};
constexpr Foreign from[] = {
    {Format::onnx, "DynamicQuantizeLinear"},
    {Format::onnx, "com.microsoft:DynamicQuantizeMatMul", from_dynamic_quantize_matmul}};
constexpr Rule rules[] = {
    {"x is float32", [](const NodeView& n) { return n.input(0).dtype == DType::f32; }}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{
      {DType::u8, n.input(0).shape, {}}, {DType::f32, {}, {}}, {DType::u8, {}, {}}};
}

Result<void> eval(EvalContext& c) {
  const auto x = c.in[0]->as<float>();
  float low = 0, high = 0;
  for (const float v : x) low = std::min(low, v), high = std::max(high, v);
  const DynamicRange range = dynamic_range(low, high);
  const QuantizePolicy& policy = quantize_policy(c.num);
  const auto y = c.out[0].as<std::uint8_t>();
  for (std::size_t i = 0; i < x.size(); ++i)
    y[i] = static_cast<std::uint8_t>(policy.quantize(x[i], range.scale, range.zero, 0, 255));
  if (c.out.size() > 1 && c.out[1].count()) c.out[1].as<float>()[0] = range.scale;
  if (c.out.size() > 2 && c.out[2].count())
    c.out[2].as<std::uint8_t>()[0] = static_cast<std::uint8_t>(range.zero);
  return {};
}

}  // namespace

extern constinit const OpDef op_dynamic_quantize_linear = {
    .name = "DynamicQuantizeLinear",
    .meaning =
        "scale = (max(x, 0) - min(x, 0)) / 255, zero = half_even(-min / scale), "
        "y = clamp(half_even(x / scale) + zero)",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
