#include "pass/stated_quants.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "num/npu_fixed.h"
#include "pass/pass.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

using Json = nlohmann::json;

const Json& member(const Json& j, const char* key) {
  static const Json none;
  return j.is_object() && j.contains(key) ? j.at(key) : none;
}

// {"params": [[scales], [zero points]], "class": "integer", "type": "S8"}; 32-bit biases follow
// from what they are added to.
QuantParams quant_of(const Json& format) {
  QuantParams q;
  const Json &params = member(format, "params"), &type = member(format, "type");
  const std::string bits = type.is_string() ? type.get<std::string>() : "";
  if ((bits != "S8" && bits != "U8") || !params.is_array() || params.empty() ||
      !params[0].is_array())
    return q;
  for (const Json& s : params[0]) {
    if (!s.is_number() || !(s.get<double>() > 0)) return {};
    q.scale.push_back(static_cast<double>(static_cast<float>(s.get<double>())));
  }
  const Json zeros = params.size() > 1 && params[1].is_array() ? params[1] : Json::array();
  for (const Json& z : zeros) {
    if (!z.is_number() || std::abs(z.get<double>()) > 255) return {};
    q.zero.push_back(z.get<std::int32_t>());
  }
  if (q.zero.empty()) q.zero.assign(q.scale.size(), 0);
  return q.zero.size() == q.scale.size() || q.zero.size() == 1 ? q : QuantParams{};
}

// x_Q.json beside x.onnx; empty where there is none.
std::string file_beside(const Graph& g) {
  constexpr std::string_view ending = ".onnx";
  if (g.format() != "onnx" || !g.file().ends_with(ending)) return {};
  const std::string path = g.file().substr(0, g.file().size() - ending.size()) + "_Q.json";
  return file_exists(path) ? path : "";
}

DType type_of(const QuantParams& q) {
  return std::ranges::any_of(q.zero, [](std::int32_t z) { return z > 127; }) ? DType::u8
                                                                             : DType::i8;
}

ValueId add_constant(Patch& patch, std::string name, Tensor tensor) {
  Value v;
  v.name = std::move(name);
  v.dtype = tensor.dtype();
  v.shape = tensor.shape();
  v.constant = std::make_shared<const Tensor>(std::move(tensor));
  return patch.add_value(std::move(v));
}

// Inputs of a (de)quantizer behind its first: scale and zero point.
std::vector<ValueId> add_quant(Patch& patch, const std::string& stem, const QuantParams& q,
                               DType type) {
  const auto n = static_cast<std::int64_t>(q.scale.size());
  const Shape shape = n > 1 ? Shape{n} : Shape{};
  std::vector<float> scales(q.scale.begin(), q.scale.end());
  Tensor zero(type, shape);
  for (std::int64_t i = 0; i < n; ++i) zero.set_code(i, q.zero_at(static_cast<std::size_t>(i)));
  return {add_constant(patch, stem + "/scale",
                       Tensor::of<float>(shape, std::span<const float>(scales))),
          add_constant(patch, stem + "/zero", std::move(zero))};
}

// The axis of a product's weights that belongs to its output channels.
std::size_t channel_axis(const Node& n, const Value& w) {
  if (n.op == "Conv") return 0;
  if (n.op == "Gemm") return n.attrs.integer("transB", 0) != 0 ? 0 : 1;
  return n.op == "ConvTranspose" ? 1 : w.shape.size() - 1;
}

// Codes of real weights; nothing where a weight lies between two steps.
std::optional<Tensor> codes_of(const Value& w, const QuantParams& q, std::size_t axis) {
  const auto reals = w.constant->as<float>();
  std::size_t inner = 1;
  for (std::size_t d = axis + 1; d < w.shape.size(); ++d)
    inner *= static_cast<std::size_t>(w.shape[d]);
  const auto channels = static_cast<std::size_t>(w.shape[axis]);
  Tensor codes(type_of(q), w.shape);
  const std::int64_t low = codes.dtype() == DType::u8 ? 0 : -128, high = low + 255;
  for (std::size_t i = 0; i < reals.size(); ++i) {
    const std::size_t k = i / inner % channels;
    const double exact = static_cast<double>(reals[i]) / q.scale_at(k) + q.zero_at(k);
    if (!(std::abs(exact) < 1000)) return {};
    const std::int64_t code = npu_nearest(exact);
    if (std::abs(exact - static_cast<double>(code)) > 0.01 || code < low || code > high) return {};
    codes.set_code(static_cast<std::int64_t>(i), code);
  }
  return codes;
}

class Stater {
 public:
  Stater(const Graph& g, const StatedQuants& quants)
      : g_(g), quants_(quants), uses_(g), patch_(g, "quantize-as-stated") {}

  Patch run() {
    next_.assign(g_.nodes().begin(), g_.nodes().end());
    for (std::size_t n = 0; n < next_.size(); ++n) {
      weights(next_[n]);
      for (const ValueId y : g_.nodes()[n].outputs)
        if (y != no_id) result(g_.nodes()[n], y);
    }
    for (std::size_t n = 0; n < next_.size(); ++n)
      if (next_[n].inputs != g_.nodes()[n].inputs)
        patch_.replace_node(static_cast<NodeId>(n), std::move(next_[n]));
    return std::move(patch_);
  }

 private:
  const QuantParams* stated(const Value& v) const {
    const auto it = quants_.find(v.name);
    return it == quants_.end() || !it->second.quantized() ? nullptr : &it->second;
  }

  void weights(Node& n) {
    if ((n.op != "Conv" && n.op != "ConvTranspose" && n.op != "Gemm" && n.op != "MatMul") ||
        n.inputs.size() < 2)
      return;
    const Value& w = g_.value(n.inputs[1]);
    const QuantParams* const q = stated(w);
    if (!q || !w.constant || w.dtype != DType::f32 || w.shape.size() < 2) return;
    const std::size_t axis = channel_axis(n, w);
    if (q->per_channel() && static_cast<std::int64_t>(q->scale.size()) != w.shape[axis]) return;
    auto codes = codes_of(w, *q, axis);
    if (!codes) return;
    const DType type = codes->dtype();
    Node dq;
    dq.op = "DequantizeLinear", dq.name = w.name + "/dequantize", dq.origin = n.origin;
    dq.inputs = add_quant(patch_, w.name, *q, type);
    dq.inputs.insert(dq.inputs.begin(), add_constant(patch_, w.name + "/codes", std::move(*codes)));
    if (q->per_channel()) dq.attrs.set("axis", static_cast<std::int64_t>(axis));
    n.inputs[1] = add_like(w, "/dequantized", DType::f32);
    dq.outputs = {n.inputs[1]};
    patch_.add_node(std::move(dq));
  }

  // Quantizer and dequantizer between a result and those of its readers that are no quantizers.
  void result(const Node& maker, ValueId y) {
    const Value& v = g_.value(y);
    const QuantParams* const q = stated(v);
    if (!q || q->per_channel() || v.dtype != DType::f32 || v.constant ||
        maker.op == "DequantizeLinear")
      return;
    const auto reads = [&](const Use& u) { return g_.node(u.node).op != "QuantizeLinear"; };
    if (std::ranges::none_of(uses_.of(y), reads)) return;
    const std::vector<ValueId> quant = add_quant(patch_, v.name, *q, type_of(*q));
    Node to, from;
    to.op = "QuantizeLinear", to.name = v.name + "/state";
    from.op = "DequantizeLinear", from.name = v.name + "/stated";
    to.origin = from.origin = maker.origin;
    to.inputs = {y, quant[0], quant[1]};
    to.outputs = {add_like(v, "/stated_codes", type_of(*q))};
    from.inputs = {to.outputs[0], quant[0], quant[1]};
    from.outputs = {add_like(v, "/stated", DType::f32)};
    for (const Use& u : uses_.of(y))
      if (reads(u)) next_[static_cast<std::size_t>(u.node)].inputs[u.slot] = from.outputs[0];
    patch_.add_node(std::move(to));
    patch_.add_node(std::move(from));
  }

  ValueId add_like(const Value& v, const char* suffix, DType type) {
    Value like = v;
    like.name += suffix;
    like.dtype = type;
    like.constant = nullptr, like.folded = false, like.producer = no_id;
    return patch_.add_value(std::move(like));
  }

  const Graph& g_;
  const StatedQuants& quants_;
  Uses uses_;
  Patch patch_;
  std::vector<Node> next_;
};

}  // namespace

Result<StatedQuants> stated_quants(std::string_view text, const std::string& file) {
  const Json j = Json::parse(text, nullptr, false);
  if (!member(j, "tensors").is_object())
    return Error{file, "no object 'tensors'",
                 "the quantizations that the compiler writes beside its optimized graph", ""};
  StatedQuants quants;
  for (const auto& [name, t] : member(j, "tensors").items())
    if (QuantParams q = quant_of(member(t, "format")); q.quantized())
      quants.insert_or_assign(name, std::move(q));
  return quants;
}

Result<Patch> quantize_as_stated(const Graph& g) {
  const std::string path = file_beside(g);
  if (path.empty()) return Patch(g, "quantize-as-stated");
  LOCKSTEP_TRY(const Bytes bytes, read_file(path, std::uint64_t{1} << 28));
  LOCKSTEP_TRY(const StatedQuants quants,
               stated_quants({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path));
  return Stater(g, quants).run();
}

Result<Graph> as_stated(Graph graph) {
  constexpr std::string_view names[] = {"quantize-as-stated"};
  return apply_passes(std::move(graph), names);
}

}  // namespace lockstep
