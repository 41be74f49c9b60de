#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

Attrs window(std::int64_t pads, std::int64_t stride, std::int64_t dilation = 1) {
  Attrs attrs;
  attrs.set("pads", std::vector<std::int64_t>(4, pads));
  attrs.set("strides", std::vector<std::int64_t>(2, stride));
  attrs.set("dilations", std::vector<std::int64_t>(2, dilation));
  return attrs;
}

QuantParams by_channel(std::int64_t channels, double scale) {
  QuantParams q;
  for (std::int64_t c = 0; c < channels; ++c) {
    q.scale.push_back(scale * (1 + 0.37 * static_cast<double>(c % 5)));
    q.zero.push_back(0);
  }
  q.axis = 0;
  return q;
}

ValueId convolution(FaultProblem& p, const std::string& name, ValueId x, std::int64_t in,
                    std::int64_t out, Attrs attrs, QuantParams quant, double scale,
                    std::uint64_t seed) {
  const ValueId w = p.constant(name + "_w", random_tensor(DType::i8, {out, in, 3, 3}, seed),
                               by_channel(out, scale));
  const ValueId bias =
      p.constant(name + "_b", random_tensor(DType::i32, {out}, seed + 1, -3000, 3000));
  return p.node(name, "Conv", {x, w, bias}, std::move(attrs), std::move(quant));
}

Attrs with(Attrs attrs, const char* name, AttrValue value) {
  attrs.set(name, std::move(value));
  return attrs;
}

}  // namespace

Executor picture_network() {
  FaultProblem p;
  const ValueId x = p.input("x", DType::f32, {1, 3, 8, 10});
  const ValueId scale = p.constant("x_scale", Tensor::scalar<float>(0.035f));
  const ValueId zero = p.constant("x_zero", Tensor::scalar<std::int8_t>(5));
  const ValueId q = p.node("quantize", "QuantizeLinear", {x, scale, zero});
  const ValueId a =
      convolution(p, "conv1", q, 3, 16, with(window(1, 2), "activation", std::string("relu")),
                  per_tensor(0.052, -20), 0.0021, 11);
  const ValueId b =
      convolution(p, "conv2", a, 16, 16, window(2, 1, 2), per_tensor(0.099, -40), 0.0017, 21);
  const ValueId sum = p.node("add", "Add", {a, b}, {}, per_tensor(0.049, -17));
  const ValueId c =
      convolution(p, "conv3", sum, 16, 16, window(1, 1), per_tensor(0.11, 9), 0.0019, 31);
  const ValueId both =
      p.node("concat", "Concat", {sum, c}, with({}, "axis", std::int64_t{1}), per_tensor(0.1, 3));
  Attrs pool = window(1, 2);
  pool.set("kernel_shape", std::vector<std::int64_t>{3, 3});
  const ValueId pooled = p.node("pool", "AveragePool", {both}, pool, per_tensor(0.06, -11));
  const ValueId flat = p.node("flatten", "Flatten", {pooled}, with({}, "axis", std::int64_t{1}),
                              per_tensor(0.06, -11));
  const ValueId w =
      p.constant("gemm_w", random_tensor(DType::i8, {12, 192}, 41), per_tensor(0.004, 0));
  const ValueId bias = p.constant("gemm_b", random_tensor(DType::i32, {12}, 42, -2000, 2000));
  const ValueId logits = p.node("gemm", "Gemm", {flat, w, bias},
                                with({}, "transB", std::int64_t{1}), per_tensor(0.21, 6));
  const ValueId soft = p.node("softmax", "Softmax", {logits}, {}, per_tensor(1.0 / 256, -128));
  const ValueId out_scale = p.constant("y_scale", Tensor::scalar<float>(1.0f / 256));
  const ValueId out_zero = p.constant("y_zero", Tensor::scalar<std::int8_t>(-128));
  p.node("dequantize", "DequantizeLinear", {soft, out_scale, out_zero});
  return p.finish();
}

Executor code_network() {
  FaultProblem p("tflite");
  const ValueId x = p.input("x", DType::i8, {1, 8, 6, 12}, per_tensor(0.5, -3));
  const ValueId w =
      p.constant("conv_w", random_tensor(DType::i8, {10, 1, 1, 12}, 5, -4, 4), per_tensor(0.5, 0));
  Attrs attrs;
  attrs.set("layout", std::string("NHWC"));
  attrs.set("weights", std::string("OHWI"));
  const ValueId y = p.node("conv", "Conv", {x, w}, attrs, per_tensor(2, -8));
  p.node("relu", "Relu", {y});
  return p.finish();
}

Executor activation_network() {
  FaultProblem p("tflite");
  const ValueId x = p.input("x", DType::i8, {1, 6, 8, 4}, per_tensor(0.05, 3));
  Attrs attrs;
  attrs.set("alpha", 0.3);
  const ValueId y = p.node("leaky", "LeakyRelu", {x}, attrs, per_tensor(0.04, -20));
  p.node("sigmoid", "Sigmoid", {y}, {}, per_tensor(1.0 / 256, -128));
  return p.finish();
}

Executor state_network() {
  FaultProblem p;
  const ValueId x = p.input("x", DType::i8, {1, 3, 4, 8}, per_tensor(0.1, 4));
  Value state;
  state.name = "state";
  state.dtype = DType::i8;
  state.shape = {1, 3, 4, 8};
  state.quant = per_tensor(0.2, -9);
  const ValueId s = p.builder.add_value(state);
  const ValueId y = p.node("sum", "Add", {x, s}, {}, per_tensor(0.2, -9));
  p.builder.add_state({s, y, nullptr});
  return p.finish();
}

Executor real_network() {
  FaultProblem p;
  const ValueId x = p.input("x", DType::f32, {1, 4, 3, 5});
  std::vector<ValueId> in = {x};
  for (const char* name : {"scale", "bias", "mean"})
    in.push_back(p.constant(name, random_tensor(DType::f32, {4}, in.size() + 50)));
  Tensor variance = random_tensor(DType::f32, {4}, 60);
  for (std::int64_t i = 0; i < 4; ++i) variance.set_number(i, 0.02 + 0.01 * static_cast<double>(i));
  in.push_back(p.constant("variance", variance));
  const ValueId y = p.node("norm", "BatchNormalization", in);
  Attrs attrs;
  attrs.set("shape", std::vector<std::int64_t>{1, 4, 7, 9});
  attrs.set("mode", std::string("linear"));
  p.node("resize", "Resize", {y}, attrs);
  return p.finish();
}

Executor gate_network() {
  FaultProblem p;
  const ValueId a = p.input("a", DType::i8, {1, 8, 4, 6}, per_tensor(0.1, 4));
  const ValueId b = p.input("b", DType::i8, {1, 8, 4, 6}, per_tensor(0.03, -30));
  const ValueId sum = p.node("sum", "Add", {a, b}, {}, per_tensor(0.12, -9));
  const ValueId mean = p.node("mean", "GlobalAveragePool", {sum}, {}, per_tensor(0.05, 3));
  const ValueId gate = p.node("gate", "Sigmoid", {mean}, {}, per_tensor(1.0 / 256, -128));
  p.node("mul", "Mul", {sum, gate}, {}, per_tensor(0.08, -11));
  return p.finish();
}

Executor input_alone(Shape shape, const char* format) {
  FaultProblem p(format);
  const ValueId x = p.input("x", DType::f32, std::move(shape));
  p.node("relu", "Relu", {x});
  return p.finish();
}

std::vector<Executor> fault_networks() {
  return {picture_network(), code_network(), activation_network(),
          state_network(),   real_network(), gate_network()};
}

Outcome inject_and_explain(const Executor& network, std::string_view fault, std::string_view place,
                           std::string_view by) {
  const auto in = random_samples(network, 3, 77);
  std::string text(fault);
  text.insert(std::min(text.find(','), text.size()), "@" + std::string(place));
  const Site site = site_at(network, place);
  const Gathered gathered = gather_evidence(site, device(network, text, in), in);
  const Best best = best_explanation(*find_fault(by), site, gathered);
  return {best.counts, best.params, best.found};
}

}  // namespace lockstep::test
