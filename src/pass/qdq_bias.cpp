// Float weights and biases of quantized products become codes; a product and
// a sum become one product.
#include <algorithm>

#include "num/ort_codes.h"
#include "pass/qdq.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

// The value leads to one Q, with nothing but Relu and Clip between.
bool leads_to_quantize(const Graph& g, const Uses& uses, ValueId v) {
  for (const Node* reader = uses.only_reader(v); reader;
       reader = uses.only_reader(reader->outputs[0])) {
    if (reader->op == "QuantizeLinear") return true;
    if (reader->op != "Relu" && reader->op != "Clip") return false;
  }
  (void)g;
  return false;
}

// The one constant scale of a dequantizer.
std::optional<float> only_scale(const Graph& g, const Node& dq) {
  const Tensor* const scale = g.value(dq.inputs[1]).constant.get();
  if (!scale || scale->count() != 1) return {};
  return scale->as<float>()[0];
}

// Scales of the bias codes: the input's times the weights', per tensor or per output channel.
std::optional<std::vector<float>> bias_scales(const Graph& g, const Node& node, float x_scale,
                                              const Node& w_dq, std::int64_t count) {
  const Tensor* const ws = g.value(w_dq.inputs[1]).constant.get();
  if (!ws) return {};
  if (ws->count() != 1) {
    if (ws->count() != count || w_dq.attrs.integer("block_size", 0) != 0) return {};
    const bool transposed = node.attrs.integer("transB", 0) != 0;
    const int want = node.op == "ConvTranspose" || (node.op == "Gemm" && !transposed) ? 1 : 0;
    if (scale_axis(w_dq, g.value(w_dq.inputs[0]).shape.size()) != want) return {};
  }
  std::vector<float> scales;
  for (const float w : ws->as<float>()) scales.push_back(x_scale * w);
  return scales;
}

ValueId add_constant(Patch& patch, std::string name, Tensor tensor, QuantParams quant = {}) {
  Value v;
  v.name = std::move(name);
  v.dtype = tensor.dtype();
  v.shape = tensor.shape();
  v.quant = std::move(quant);
  v.constant = std::make_shared<const Tensor>(std::move(tensor));
  return patch.add_value(std::move(v));
}

bool float_constant(const Value& v, std::size_t rank) {
  return v.constant && v.dtype == DType::f32 && v.shape.size() == rank;
}

// Codes of a constant, in 8 bits with one scale and zero point, or in 32 bits with zero point 0.
struct WeightCodes {
  DType dtype;
  std::vector<std::int32_t> codes;
  float scale = 0;
  std::int32_t zero = 0;
};

// N43
WeightCodes weight_codes(std::span<const float> w) {
  float low = 0, high = 0;
  for (const float v : w) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  const DynamicRange range = dynamic_range(low, high);
  WeightCodes coded{DType::i8, {}, range.scale, range.zero - 128};
  for (const float v : w)
    coded.codes.push_back(ort_quantize.quantize(v, coded.scale, coded.zero, -128, 127));
  return coded;
}

WeightCodes bias_codes(std::span<const float> bias, const std::vector<float>& scales) {
  WeightCodes coded{DType::i32, {}};
  for (std::size_t i = 0; i < bias.size(); ++i)
    coded.codes.push_back(bias_code(bias[i], scales[scales.size() == 1 ? 0 : i]));
  return coded;
}

// The constant `like` as codes and a dequantizer behind them; the value that this makes.
ValueId add_dequantized(Patch& patch, const Node& n, const std::string& what, const Value& like,
                        const WeightCodes& coded, const std::vector<float>& scales) {
  Tensor codes(coded.dtype, like.shape);
  for (std::int64_t i = 0; i < codes.count(); ++i)
    codes.set_code(i, coded.codes[static_cast<std::size_t>(i)]);
  const Shape shape = scales.size() > 1 ? Shape{static_cast<std::int64_t>(scales.size())} : Shape{};
  const std::string stem = n.name + "/" + what;
  Node dq;
  dq.op = "DequantizeLinear";
  dq.name = stem + "_dequantize";
  dq.origin = n.origin;
  if (scales.size() > 1) dq.attrs.set("axis", std::int64_t{0});
  dq.inputs = {add_constant(patch, stem + "_codes", std::move(codes)),
               add_constant(patch, stem + "_scale",
                            Tensor::of<float>(shape, std::span<const float>(scales)))};
  if (coded.dtype == DType::i8) {
    Tensor zero(DType::i8, {});
    zero.set_code(0, coded.zero);
    dq.inputs.push_back(add_constant(patch, stem + "_zero", std::move(zero)));
  }
  Value reals = like;
  reals.name = stem + "_dequantized";
  reals.constant = nullptr;
  reals.folded = false;
  reals.producer = no_id;
  dq.outputs = {patch.add_value(std::move(reals))};
  const ValueId made = dq.outputs[0];
  patch.add_node(std::move(dq));
  return made;
}

// MatMul whose only reader adds a row (or a matrix) to it.
struct MatmulAdd {
  const Node* add;
  ValueId bias;
};
std::optional<MatmulAdd> matmul_add(const Graph& g, const Uses& uses, const Node& n) {
  if (n.op != "MatMul" || g.value(n.inputs[0]).dtype != DType::f32) return {};
  const Node* const add = uses.only_reader(n.outputs[0]);
  const Shape &a = g.value(n.inputs[0]).shape, &b = g.value(n.inputs[1]).shape;
  if (!add || add->op != "Add" || add->inputs[0] == add->inputs[1] || b.size() != 2 || a.empty())
    return {};
  const ValueId bias = add->inputs[add->inputs[0] == n.outputs[0] ? 1 : 0];
  const Shape& c = g.value(bias).shape;
  const bool row = c.size() == 1 && c[0] == b[1];
  const bool matrix = a.size() == 2 && c.size() == 2 && (c[0] == 1 || c[0] == a[0]) &&
                      (c[1] == b[1] || (c[1] == 1 && c[0] == a[0]));
  if (!row && !matrix) return {};
  return MatmulAdd{add, bias};
}

ValueId add_reshape(Patch& patch, ValueId from, ValueId to, Value made, const std::string& name) {
  const std::vector<std::int64_t> extents(made.shape.begin(), made.shape.end());
  const ValueId shape =
      add_constant(patch, name + "/shape",
                   Tensor::of<std::int64_t>({static_cast<std::int64_t>(extents.size())},
                                            std::span<const std::int64_t>(extents)));
  Node reshape;
  reshape.op = "Reshape";
  reshape.name = name;
  made.name = name + "/out";
  made.constant = nullptr;
  made.producer = no_id;
  made.folded = false;
  made.quant = {};
  reshape.inputs = {from, shape};
  reshape.outputs = {to == no_id ? patch.add_value(std::move(made)) : to};
  const ValueId out = reshape.outputs[0];
  patch.add_node(std::move(reshape));
  return out;
}

}  // namespace

Result<Patch> quantize_bias(const Graph& g) {
  Patch patch(g, "quantize-bias");
  const Uses uses(g);
  for (const Node& n : g.nodes()) {
    if (n.op != "Conv" && n.op != "ConvTranspose" && n.op != "Gemm") continue;
    const Node *const x_dq = uses.maker(n, 0, "DequantizeLinear"), *const w_dq = uses.maker(
                                                                       n, 1, "DequantizeLinear");
    if (!x_dq || !leads_to_quantize(g, uses, n.outputs[0])) continue;
    const auto x_scale = only_scale(g, *x_dq);
    const Value& w = g.value(n.inputs[1]);
    const Value* const bias = has_input(n, 2) ? &g.value(n.inputs[2]) : nullptr;
    if (!x_scale || (bias && !float_constant(*bias, 1)) || (w_dq && !bias) ||
        (!w_dq && !float_constant(w, w.shape.size())))
      continue;
    Node next = n;
    std::optional<std::vector<float>> scales;
    if (w_dq) {
      scales = bias_scales(g, n, *x_scale, *w_dq, bias->shape[0]);
      if (!scales) continue;
    } else {
      const WeightCodes coded = weight_codes(w.constant->as<float>());
      scales = std::vector<float>{*x_scale * coded.scale};
      next.inputs[1] = add_dequantized(patch, n, "weight", w, coded, {coded.scale});
    }
    if (bias)
      next.inputs[2] = add_dequantized(patch, n, "bias", *bias,
                                       bias_codes(bias->constant->as<float>(), *scales), *scales);
    patch.replace_node(uses.id_of(n), std::move(next));
  }
  return patch;
}

Result<Patch> fuse_matmul_add(const Graph& g) {
  Patch patch(g, "fuse-matmul-add");
  const Uses uses(g);
  for (const Node& n : g.nodes()) {
    const auto found = matmul_add(g, uses, n);
    if (!found) continue;
    Node gemm = n;
    gemm.op = "Gemm";
    gemm.inputs = {n.inputs[0], n.inputs[1], found->bias};
    gemm.outputs = found->add->outputs;
    const Value &a = g.value(n.inputs[0]), &y = g.value(found->add->outputs[0]);
    if (a.shape.size() != 2) {
      const std::int64_t k = g.value(n.inputs[1]).shape[0], width = g.value(n.inputs[1]).shape[1];
      Value rows = a, product = y;
      rows.shape = {count_of(a.shape) / k, k};
      product.shape = {count_of(a.shape) / k, width};
      product.name = n.name + "/rows";
      product.producer = no_id;
      gemm.inputs[0] = add_reshape(patch, n.inputs[0], no_id, rows, n.name + "/to_rows");
      gemm.outputs = {patch.add_value(std::move(product))};
      add_reshape(patch, gemm.outputs[0], found->add->outputs[0], y, n.name + "/from_rows");
    }
    patch.replace_node(uses.id_of(n), std::move(gemm));
    patch.remove_node(uses.id_of(*found->add));
  }
  return patch;
}

}  // namespace lockstep
