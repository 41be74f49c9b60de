// s = x + skip + addend, y = scale * (s - mean) / sqrt(variance + epsilon) + bias, over the last
// axis (N111); simplified: y = scale * s / sqrt(mean of s^2 + epsilon)
#include <cmath>

#include "base/text.h"
#include "op/op_foreign.h"
#include "op/op_normalize.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {
    {"x"}, {"skip"}, {"scale"}, {"bias", Slot::optional}, {"addend", Slot::optional}};
constexpr Slot outputs[] = {{"y"}, {"sum", Slot::optional}};
constexpr AttrSpec attrs[] = {
    {"epsilon", "1e-12", "keeps the root from zero"},
    {"simplified", "0", "1: the mean is not taken off"},
};

std::int64_t width_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  return x.empty() ? 0 : x.back();
}

// skip has the last axes of x, leading ones may be 1 or missing.
bool repeats(const Shape& skip, const Shape& x) {
  bool whole = true;  // from the last axis on
  for (std::size_t k = 1; k <= skip.size(); ++k) {
    const std::int64_t e = skip[skip.size() - k];
    if (k > x.size() ? e != 1 : e != x[x.size() - k] && (e != 1 || k == 1)) return false;
    if (k <= x.size() && !whole && e != 1) return false;
    whole = whole && k <= x.size() && e == x[x.size() - k];
  }
  return !skip.empty();
}

constexpr Rule rules[] = {
    {"all inputs are float32", all_float},
    {"skip has the shape of x or of its last axes",
     [](const NodeView& n) { return repeats(n.input(1).shape, n.input(0).shape); }},
    {"scale, bias and addend have the length of x's last axis",
     [](const NodeView& n) {
       for (std::size_t i = 2; i < 5; ++i)
         if (n.has_input(i) && n.input(i).shape != Shape{width_of(n)}) return false;
       return width_of(n) > 0;
     }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>(n.node.outputs.size(), Facts{DType::f32, n.input(0).shape, {}});
}

struct Row {
  const float *scale, *bias;
  float epsilon;
  bool simplified;
};

// s to y; mean and variance follow the elements one by one.
template <class Real>
void normalize(std::span<const float> s, std::span<float> y, const Row& r) {
  Real mean = 0, squares = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const Real v = s[i], off = v - mean;
    if (r.simplified) {
      squares += v * v;
    } else {
      mean += off / static_cast<Real>(i + 1);
      squares += off * (v - mean);
    }
  }
  const Real root = std::sqrt(squares / static_cast<Real>(s.size()) + r.epsilon);
  for (std::size_t i = 0; i < s.size(); ++i) {
    const Real scaled = (s[i] - mean) / root * r.scale[i];
    y[i] = static_cast<float>(r.bias && !r.simplified ? scaled + r.bias[i] : scaled);
  }
}

Result<void> eval(EvalContext& c) {
  const auto width = static_cast<std::size_t>(width_of(c.view));
  const auto at = [&](std::size_t i) {
    return c.in.size() > i && c.in[i] ? c.in[i]->as<float>().data() : nullptr;
  };
  const auto x = c.in[0]->as<float>(), skip = c.in[1]->as<float>();
  const Row row{at(2), at(3), static_cast<float>(c.view.attrs().real("epsilon", 1e-12)),
                c.view.attrs().integer("simplified", 0) != 0};
  const float* const addend = at(4);
  std::vector<float> s(width);
  for (std::size_t first = 0; first < x.size(); first += width) {
    for (std::size_t i = 0; i < width; ++i) {
      s[i] = x[first + i] + skip[(first + i) % skip.size()];
      if (addend) s[i] += addend[i];
    }
    if (c.out.size() > 1 && c.view.node.outputs[1] != no_id)
      std::ranges::copy(s, c.out[1].as<float>().begin() + static_cast<std::ptrdiff_t>(first));
    const auto y = c.out[0].as<float>().subspan(first, width);
    if (c.num.real.functions)
      normalize<float>(s, y, row);
    else
      normalize<double>(s, y, row);
  }
  return {};
}

// The fourth output is the sum; mean and deviation, which stand between, are training's.
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"epsilon"}));
  for (const std::size_t i : {1, 2})
    if (i < f.outputs.size() && f.outputs[i] != no_id)
      return Error{f.where, "an output of training", "the first and the fourth output only", ""};
  const bool simplified = f.op.ends_with("SkipSimplifiedLayerNormalization");
  Node node = node_like(f, graph, "SkipLayerNormalization");
  if (simplified && node.inputs.size() > 3) node.inputs.insert(node.inputs.begin() + 3, no_id);
  node.outputs = {f.outputs[0]};
  if (f.outputs.size() > 3 && f.outputs[3] != no_id) node.outputs.push_back(f.outputs[3]);
  node.attrs = f.attrs;
  if (simplified) node.attrs.set("simplified", std::int64_t{1});
  graph.add_node(std::move(node));
  return {};
}

constexpr Foreign from[] = {
    {Format::onnx, "com.microsoft:SkipLayerNormalization", from_onnx},
    {Format::onnx, "com.microsoft:SkipSimplifiedLayerNormalization", from_onnx}};

}  // namespace

extern constinit const OpDef op_skip_layer_normalization = {
    .name = "SkipLayerNormalization",
    .meaning =
        "s = x + skip + addend, y = scale * (s - mean) / sqrt(variance + epsilon) + bias, over the "
        "last axis",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
