// y = clamp(half_even(x / scale) + zero)          docs/numerics.md N20
#include "num/litert_quantize.h"
#include "op/op_foreign.h"
#include "op/op_quantization.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"scale"}, {"zero", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axis", "1", "the axis along which several scales lie"},
    {"block_size", "0", "elements along the axis that share a scale; 0: none do"},
    {"output_dtype", "0", "element type of y as ONNX numbers it, where there is no zero point"},
    {"saturate", "1", "float8 only"},
    {"precision", "0", "of the division, float8 and float16 only"},
    {"bits", "", "4: codes of four bits, which a Clip behind the node makes"},
};

// Codes of four bits lie in bytes; attribute `bits`, which the reader sets, says that they are that
// narrow.
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  if (f.attrs.integer("bits", 8) != 4)
    return add_like(f, graph, "QuantizeLinear", f.inputs, f.attrs);
  Attrs set = f.attrs;
  const bool is_signed = has_input(f, 2) ? input_of(f, graph, 2).dtype == DType::i8
                                         : set.integer("output_dtype", 0) == 22;
  if (set.has("output_dtype")) set.set("output_dtype", std::int64_t{is_signed ? 3 : 2});
  const auto bound = [&](const char* name, int of_signed, int of_unsigned) {
    return add_constant(f, graph, name,
                        is_signed ? Tensor::scalar(static_cast<std::int8_t>(of_signed))
                                  : Tensor::scalar(static_cast<std::uint8_t>(of_unsigned)));
  };
  const ValueId wide = add_inner(f, graph, "wide");
  Node codes = node_like(f, graph, "QuantizeLinear");
  codes.name = graph.unique_node_name(
      f.name + "/wide");  // the Clip makes the file's codes and has its node's name
  codes.outputs = {wide};
  codes.attrs = std::move(set);
  graph.add_node(std::move(codes));
  return add_like(f, graph, "Clip", {wide, bound("low", -8, 0), bound("high", 7, 15)}, {});
}

constexpr Foreign from[] = {{Format::onnx, "QuantizeLinear", from_onnx},
                            {Format::onnx, "com.microsoft:QuantizeLinear", from_onnx}};

bool is_code(DType t) {
  return t == DType::i8 || t == DType::u8 || t == DType::i16 || t == DType::u16 || t == DType::i32;
}

// The element type that the zero point, else the attribute, else ONNX's default names.
DType code_type(const NodeView& n) {
  if (n.has_input(2)) return n.input(2).dtype;
  return dtype_of_onnx_number(n.attrs().integer("output_dtype", 0)).value_or(DType::u8);
}

constexpr Rule rules[] = {
    {"x is float32, float16, int32 or float64",
     [](const NodeView& n) {
       return is_float(n.input(0).dtype) || n.input(0).dtype == DType::i32;
     }},
    {"the scale is float32", [](const NodeView& n) { return n.input(1).dtype == DType::f32; }},
    {"codes are 8 or 16 bits wide",
     [](const NodeView& n) { return is_code(code_type(n)) && code_type(n) != DType::i32; }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  LOCKSTEP_CHECK(scale_layout(n, x.shape, n.input(1).shape));
  return std::vector<Facts>{
      {code_type(n), x.shape, quant_of(n, n.constant(1), n.constant(2), x.shape.size())}};
}

Result<void> eval(EvalContext& c) {
  const Tensor &x = *c.in[0], &scale = *c.in[1];
  const Tensor* zero = c.in.size() > 2 ? c.in[2] : nullptr;
  LOCKSTEP_TRY(const ScaleLayout layout, scale_layout(c.view, x.shape(), scale.shape()));
  const QuantizePolicy& policy = quantize_policy(c.num);
  const CodeRange range = code_range(c.out[0].dtype());
  const auto low = static_cast<std::int32_t>(range.low),
             high = static_cast<std::int32_t>(range.high);
  const auto scales = scale.as<float>();
  const auto real = [&](std::int64_t i) {
    return x.dtype() == DType::f32 ? x.as<float>()[static_cast<std::size_t>(i)]
                                   : static_cast<float>(x.number(i));
  };
  with_type(c.out[0].dtype(), [&](auto type) {
    using T = decltype(type);
    const auto y = c.out[0].as<T>();
    const std::int64_t whole =
        x.count() - left_by_vectors(policy, c.out[0].dtype() == DType::i16, x.count());
    for (std::int64_t i = 0; i < x.count(); ++i) {
      const std::int64_t s = layout.index_of(i);
      const auto z = zero ? static_cast<std::int32_t>(zero->code(zero->count() > 1 ? s : 0)) : 0;
      y[static_cast<std::size_t>(i)] = static_cast<T>((i < whole ? policy.quantize : quantize_left)(
          real(i), scales[static_cast<std::size_t>(s)], z, low, high));
    }
  });
  return {};
}

}  // namespace

extern constinit const OpDef op_quantize_linear = {
    .name = "QuantizeLinear",
    .meaning = "y = clamp(half_even(x / scale) + zero)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
