#include "pass/dequantize.h"

#include <algorithm>
#include <array>
#include <map>

namespace lockstep {
namespace {

bool coded(const Value& v) {
  return v.quant.quantized() && is_integer(v.dtype);
}

// Channel of element i along the per-channel axis.
std::size_t channel_of(const Shape& shape, const QuantParams& q, std::int64_t i) {
  if (!q.per_channel()) return 0;
  const auto axis = static_cast<std::size_t>(q.axis);
  return static_cast<std::size_t>(i / strides_of(shape)[axis] % shape[axis]);
}

std::shared_ptr<const Tensor> reals_of(const Tensor& codes, const QuantParams& q) {
  Tensor reals(DType::f32, codes.shape());
  const auto out = reals.as<float>();
  for (std::int64_t i = 0; i < codes.count(); ++i) {
    const std::size_t c = channel_of(codes.shape(), q, i);
    out[static_cast<std::size_t>(i)] =
        static_cast<float>(static_cast<double>(codes.code(i) - q.zero_at(c)) * q.scale_at(c));
  }
  return std::make_shared<const Tensor>(std::move(reals));
}

// Operators whose results are elements of their inputs: inside the range when the inputs are.
constexpr std::array only_move = {
    std::string_view{"Concat"},         std::string_view{"Expand"},
    std::string_view{"Flatten"},        std::string_view{"Gather"},
    std::string_view{"GatherElements"}, std::string_view{"GatherND"},
    std::string_view{"GlobalMaxPool"},  std::string_view{"Identity"},
    std::string_view{"MaxPool"},        std::string_view{"Pack"},
    std::string_view{"Relu"},           std::string_view{"Reshape"},
    std::string_view{"Reverse"},        std::string_view{"Slice"},
    std::string_view{"SpaceToDepth"},   std::string_view{"DepthToSpace"},
    std::string_view{"Split"},          std::string_view{"Squeeze"},
    std::string_view{"StridedSlice"},   std::string_view{"Tile"},
    std::string_view{"Transpose"},      std::string_view{"Unpack"},
    std::string_view{"Unsqueeze"}};

class Dequantizer {
 public:
  explicit Dequantizer(const Graph& graph) : g_(graph), patch_(graph, "dequantize-graph") {}

  Result<Patch> run() {
    for (std::size_t i = 0; i < g_.values().size(); ++i) turn_value(static_cast<ValueId>(i));
    for (std::size_t i = 0; i < g_.nodes().size(); ++i) turn_node(static_cast<NodeId>(i));
    for (std::size_t i = 0; i < g_.states().size(); ++i) turn_state(i);
    return std::move(patch_);
  }

 private:
  bool is_input(ValueId id) const { return std::ranges::count(g_.inputs(), id) > 0; }

  ValueId scalar(const std::string& name, float number) {
    Value v;
    v.name = name;
    v.constant = std::make_shared<const Tensor>(Tensor::scalar(number));
    return patch_.add_value(std::move(v));
  }

  void turn_value(ValueId id) {
    Value v = g_.value(id);
    if (!coded(v)) return;
    if (is_input(id)) return dequantize_input(id, v);
    if (v.constant) v.constant = reals_of(*v.constant, v.quant);
    v.dtype = DType::f32;
    v.quant = {};
    patch_.set_value(id, std::move(v));
  }

  void turn_state(std::size_t i) {
    const State& state = g_.states()[i];
    const Value& v = g_.value(state.in);
    if (state.initial && coded(v)) patch_.set_state_start(i, reals_of(*state.initial, v.quant));
  }

  void dequantize_input(ValueId id, const Value& v) {
    Value real;
    real.name = v.name + "/real";
    real.shape = v.shape;
    real.origin = v.origin;
    const ValueId out = patch_.add_value(std::move(real));
    real_inputs_[id] = out;
    Tensor zero(v.dtype, {});
    zero.set_code(0, v.quant.zero_at(0));
    Value z;
    z.name = v.name + "/zero";
    z.dtype = v.dtype;
    z.constant = std::make_shared<const Tensor>(std::move(zero));
    const ValueId scale = scalar(v.name + "/scale", static_cast<float>(v.quant.scale_at(0)));
    patch_.add_node({v.name + "/dequantize",
                     "DequantizeLinear",
                     {},
                     {id, scale, patch_.add_value(std::move(z))},
                     {out},
                     {}});
  }

  // Integer constants without parameters of their own among coded operands: a bias counts in
  // x_scale * w_scale, a bound or filling counts as x does.
  void turn_plain_constants(const Node& node) {
    const Value& x = g_.value(node.inputs[0]);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == no_id || coded(g_.value(id)) || !g_.value(id).constant) continue;
      Value v = g_.value(id);
      QuantParams q;
      const bool product = node.op == "Conv" || node.op == "ConvTranspose" || node.op == "Gemm";
      if (product && i == 2 && v.dtype == DType::i32) {
        const QuantParams& w = g_.value(node.inputs[1]).quant;
        for (std::size_t c = 0; c < w.scale.size(); ++c)
          q.scale.push_back(x.quant.scale_at(0) * w.scale[c]), q.zero.push_back(0);
        q.axis = q.per_channel() ? static_cast<int>(v.shape.size()) - 1 : -1;
      } else if ((node.op == "Pad" || node.op == "Clip") && v.dtype == x.dtype) {
        q = x.quant;
      }
      if (!q.quantized()) continue;
      v.constant = reals_of(*v.constant, q);
      v.dtype = DType::f32;
      patch_.set_value(id, std::move(v));
    }
  }

  // out = x held between the reals of the least and the greatest code of `codes`.
  Node clip(const std::string& name, const Node& like, ValueId x, ValueId out, const Value& codes) {
    const CodeRange range = code_range(codes.dtype);
    const auto real = [&](std::int64_t code) {
      return static_cast<float>(static_cast<double>(code - codes.quant.zero_at(0)) *
                                codes.quant.scale_at(0));
    };
    const ValueId low = scalar(codes.name + "/least", real(range.low)),
                  high = scalar(codes.name + "/greatest", real(range.high));
    return {name, "Clip", {}, {x, low, high}, {out}, like.origin};
  }

  bool stays_inside(const Node& node, const Value& y) const {
    if (std::ranges::find(only_move, node.op) == only_move.end()) return false;
    return std::ranges::all_of(node.inputs, [&](ValueId v) {
      return v == no_id || !coded(g_.value(v)) || g_.value(v).quant == y.quant;
    });
  }

  void turn_node(NodeId id) {
    const Node& old = g_.node(id);
    Node node = old;
    for (ValueId& in : node.inputs)
      if (const auto real = real_inputs_.find(in); real != real_inputs_.end()) in = real->second;
    const bool from_codes =
        !old.inputs.empty() && old.inputs[0] != no_id && coded(g_.value(old.inputs[0]));
    if (from_codes) turn_plain_constants(old);
    if (node.op == "DequantizeLinear" && from_codes) {
      node = {node.name, "Identity", {}, {node.inputs[0]}, node.outputs, node.origin};
    } else if ((node.op == "QuantizeLinear" || node.op == "Requantize") &&
               coded(g_.value(node.outputs[0]))) {
      const Value& y = g_.value(node.outputs[0]);
      if (y.quant.per_channel())
        node = {node.name, "Identity", {}, {node.inputs[0]}, node.outputs, node.origin};
      else
        node = clip(node.name, node, node.inputs[0], node.outputs[0], y);
    } else {
      for (ValueId& out : node.outputs) hold_inside(old, out);
    }
    if (node.op != old.op || node.inputs != old.inputs || node.outputs != old.outputs)
      patch_.replace_node(id, std::move(node));
  }

  // Puts a clip between a node and its coded output where its result may leave the codes' range.
  void hold_inside(const Node& node, ValueId& out) {
    if (out == no_id || !coded(g_.value(out)) || g_.value(out).quant.per_channel()) return;
    const Value& y = g_.value(out);
    if (stays_inside(node, y)) return;
    Value wide = y;
    wide.name = y.name + "/unclamped";
    wide.dtype = DType::f32;
    wide.quant = {};
    const ValueId inner = patch_.add_value(std::move(wide));
    patch_.add_node(clip(node.name + "/clamp:" + y.name, node, inner, out, y));
    out = inner;
  }

  const Graph& g_;
  Patch patch_;
  std::map<ValueId, ValueId> real_inputs_;  // a coded input of the graph -> its reals
};

}  // namespace

Result<Patch> dequantize_graph(const Graph& graph) {
  return Dequantizer(graph).run();
}

}  // namespace lockstep
