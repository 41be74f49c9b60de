// y = (x - zero) * scale          docs/numerics.md N21
#include "op/op_quantization.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"scale"}, {"zero", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axis", "1", "the axis along which several scales lie"},
    {"block_size", "0", "elements along the axis that share a scale; 0: none do"},
    {"output_dtype", "0", "float32 only"},
    {"misaxed", "0",
     "1: a bias row whose scales the file lays along axis 0, which runtimes refuse unless a Gemm "
     "of codes takes it"},
    {"bits", "",
     "4: the file holds the codes in four bits; runtimes leave what reads them in float"},
};
constexpr Foreign from[] = {{Format::onnx, "DequantizeLinear"},
                            {Format::onnx, "com.microsoft:DequantizeLinear"}};
constexpr Rule rules[] = {
    {"x holds codes", [](const NodeView& n) { return is_integer(n.input(0).dtype); }},
    {"the scale is float32", [](const NodeView& n) { return n.input(1).dtype == DType::f32; }},
    {"zero has the type of x",
     [](const NodeView& n) { return !n.has_input(2) || n.input(2).dtype == n.input(0).dtype; }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_CHECK(scale_layout(n, n.input(0).shape, n.input(1).shape));
  return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const Tensor &x = *c.in[0], &scale = *c.in[1];
  const Tensor* zero = c.in.size() > 2 ? c.in[2] : nullptr;
  LOCKSTEP_TRY(const ScaleLayout layout, scale_layout(c.view, x.shape(), scale.shape()));
  const QuantizePolicy& policy = quantize_policy(c.num);
  const auto scales = scale.as<float>();
  const auto y = c.out[0].as<float>();
  with_type(x.dtype(), [&](auto type) {
    const auto codes = x.as<decltype(type)>();
    for (std::int64_t i = 0; i < x.count(); ++i) {
      const std::int64_t s = layout.index_of(i);
      const auto z = zero ? static_cast<std::int32_t>(zero->code(zero->count() > 1 ? s : 0)) : 0;
      y[static_cast<std::size_t>(i)] =
          policy.dequantize(static_cast<std::int32_t>(codes[static_cast<std::size_t>(i)]),
                            scales[static_cast<std::size_t>(s)], z);
    }
  });
  return {};
}

}  // namespace

extern constinit const OpDef op_dequantize_linear = {
    .name = "DequantizeLinear",
    .meaning = "y = (x - zero) * scale",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
