// DQ... -> operator -> (Relu or Clip) -> Q becomes one operator on codes, whatever 8-bit types
// meet.
#include <algorithm>
#include <optional>

#include "pass/qdq.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

constexpr std::string_view operators[] = {
    "Conv", "ConvTranspose",     "Gemm",        "MatMul",    "Add", "Sub",
    "Mul",  "GlobalAveragePool", "AveragePool", "ReduceMean"};

// Elements go where they go, whatever they are: on codes where both sides have one quantization.
constexpr std::string_view movers[] = {"Transpose", "Reshape",      "Flatten",      "Squeeze",
                                       "Unsqueeze", "Identity",     "MaxPool",      "GlobalMaxPool",
                                       "Slice",     "StridedSlice", "SpaceToDepth", "DepthToSpace",
                                       "Relu",      "Concat",       "Expand"};

bool is_byte(DType t) {
  return t == DType::i8 || t == DType::u8;
}

// What lies between an operator and its one quantizer.
struct Tail {
  const Node* q = nullptr;
  std::vector<const Node*> clamps;  // Relu and Clip, in order
  std::string activation = "none";
};

std::optional<float> bound(const Graph& g, const Node& clip, std::size_t i) {
  if (!has_input(clip, i)) return {};
  const Tensor* t = g.value(clip.inputs[i]).constant.get();
  return t && t->dtype() == DType::f32 && t->count() == 1 ? std::optional(t->as<float>()[0])
                                                          : std::nullopt;
}

std::optional<Tail> tail_of(const Graph& g, const Uses& uses, const Node& n) {
  Tail tail;
  const Node* reader = uses.only_reader(n.outputs[0]);
  for (; reader && tail.clamps.empty() && (reader->op == "Relu" || reader->op == "Clip");
       reader = uses.only_reader(reader->outputs[0])) {
    if (reader->op == "Relu")
      tail.activation = "relu";
    else if (bound(g, *reader, 1) == 0.f && bound(g, *reader, 2) == 6.f)
      tail.activation = "relu6";
    else
      return {};
    tail.clamps.push_back(reader);
  }
  if (!reader || reader->op != "QuantizeLinear" ||
      (!tail.clamps.empty() && n.op != "Conv" && n.op != "Gemm" && n.op != "Add"))
    return {};
  tail.q = reader;
  return is_byte(g.value(reader->outputs[0]).dtype) ? std::optional(tail) : std::nullopt;
}

class Rewriter {
 public:
  explicit Rewriter(const Graph& g) : g_(g), uses_(g), patch_(g, "run-on-codes") {}

  void look_at(const Node& n) {
    if (n.op == "QuantizeLinear") return requantize(n);
    if (std::ranges::find(movers, n.op) != std::end(movers)) return move(n);
    if (std::ranges::find(operators, n.op) == std::end(operators)) return;
    const auto tail = tail_of(g_, uses_, n);
    if (!tail || !states(*tail->q, g_.value(tail->q->outputs[0]))) return;
    Node next = n;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      if (n.inputs[i] == no_id) continue;
      const Node* dq = uses_.maker(n, i, "DequantizeLinear");
      if (dq && states(*dq, g_.value(dq->inputs[0])))
        next.inputs[i] = state(*dq, dq->inputs[0]);
      else if (n.op != "ReduceMean" || i == 0)
        return;  // its axes are no codes
    }
    if (n.op == "ReduceMean" && !is_byte(g_.value(next.inputs[0]).dtype)) return;
    next.outputs = {state(*tail->q, tail->q->outputs[0])};
    if (tail->activation != "none") next.attrs.set("activation", tail->activation);
    patch_.replace_node(uses_.id_of(n), std::move(next));
    patch_.remove_node(uses_.id_of(*tail->q));
    for (const Node* clamp : tail->clamps) patch_.remove_node(uses_.id_of(*clamp));
  }

  void move(const Node& n) {
    const Node* q = n.outputs.size() == 1 ? uses_.only_reader(n.outputs[0]) : nullptr;
    if (!q || q->op != "QuantizeLinear" || !is_byte(g_.value(q->outputs[0]).dtype) ||
        !states(*q, g_.value(q->outputs[0])))
      return;
    const QuantParams quant = stated_quant(g_, *q, g_.value(q->outputs[0]).shape.size());
    Node next = n;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      if (n.inputs[i] == no_id || (i > 0 && n.op != "Concat")) continue;
      const Node* dq = uses_.maker(n, i, "DequantizeLinear");
      if (!dq || !states(*dq, g_.value(dq->inputs[0])) || quant.per_channel()) return;
      const Value& x = g_.value(dq->inputs[0]);
      const QuantParams from = stated_quant(g_, *dq, x.shape.size());
      if (from.scale != quant.scale || from.zero_at(0) != quant.zero_at(0) ||
          x.dtype != g_.value(q->outputs[0]).dtype)
        return;
      next.inputs[i] = state(*dq, dq->inputs[0]);
    }
    next.outputs = {state(*q, q->outputs[0])};
    patch_.replace_node(uses_.id_of(n), std::move(next));
    patch_.remove_node(uses_.id_of(*q));
  }

  // A quantizer right behind a dequantizer.
  void requantize(const Node& q) {
    const Node* dq = uses_.maker(q, 0, "DequantizeLinear");
    if (!dq || g_.value(dq->inputs[0]).constant) return;
    const Value &x = g_.value(dq->inputs[0]), &y = g_.value(q.outputs[0]);
    if (!is_byte(x.dtype) || !is_byte(y.dtype) || !states(*dq, x) || !states(q, y)) return;
    Node next = q;
    next.op = "Requantize";
    next.attrs = {};
    next.inputs = {state(*dq, dq->inputs[0])};
    next.outputs = {state(q, q.outputs[0])};
    patch_.replace_node(uses_.id_of(q), std::move(next));
  }

  Patch finish() { return std::move(patch_); }

 private:
  bool states(const Node& n, const Value& codes) const {
    return is_integer(codes.dtype) && stated_quant(g_, n, codes.shape.size()).quantized();
  }
  ValueId state(const Node& n, ValueId v) {
    Value codes = g_.value(v);
    codes.quant = stated_quant(g_, n, codes.shape.size());
    patch_.set_value(v, std::move(codes));
    return v;
  }

  const Graph& g_;
  Uses uses_;
  Patch patch_;
};

}  // namespace

Result<Patch> run_on_codes(const Graph& g) {
  Rewriter rewriter(g);
  for (const Node& n : g.nodes()) rewriter.look_at(n);
  return rewriter.finish();
}

// Dequantizers whose result nobody reads.
Result<Patch> drop_idle_dequantizers(const Graph& g) {
  Patch patch(g, "drop-idle-dequantizers");
  const Uses uses(g);
  for (const Node& n : g.nodes())
    if (n.op == "DequantizeLinear" && uses.of(n.outputs[0]).empty() &&
        !uses.is_output(n.outputs[0]))
      patch.remove_node(uses.id_of(n));
  return patch;
}

}  // namespace lockstep
