// Merging, removing and dropping: what stands between quantized operators
// without computing anything.
#include <algorithm>
#include <utility>

#include "num/ort_codes.h"
#include "pass/qdq.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

// Constants are one where they are one of the file; single numbers also where they are equal, but
// never zero points of 8 and 16 bits: the runtime shares no constants of those types.
bool same_operand(const Graph& g, ValueId a, ValueId b) {
  if (a == b) return true;
  if (a == no_id || b == no_id) return false;
  const Tensor *const x = g.value(a).constant.get(), *const y = g.value(b).constant.get();
  return x && y && size_of(x->dtype()) > 2 && x->count() == 1 && x->shape().size() < 2 && *x == *y;
}

bool same_node(const Graph& g, const Node& a, const Node& b) {
  if (a.op != b.op || a.inputs.size() != b.inputs.size() || !(a.attrs == b.attrs)) return false;
  for (std::size_t i = 0; i < a.inputs.size(); ++i)
    if (!same_operand(g, a.inputs[i], b.inputs[i])) return false;
  return true;
}

// A constant of the graph under a new name.
ValueId add_constant(Patch& patch, std::string name, Tensor tensor) {
  Value v;
  v.name = std::move(name);
  v.dtype = tensor.dtype();
  v.shape = tensor.shape();
  v.constant = std::make_shared<const Tensor>(std::move(tensor));
  return patch.add_value(std::move(v));
}

Tensor scalar_code(DType dtype, std::int32_t code) {
  Tensor t(dtype, {});
  t.set_code(0, code);
  return t;
}

// parent Q -> DQ -> Q -> DQ, nothing else attached, each pair of one scale and zero point.
struct DoublePair {
  const Node *first_q, *first_dq, *second_q, *second_dq;
  ScalarQuant first, second;
};

std::optional<DoublePair> double_pair(const Graph& g, const Uses& uses, const Node& dq) {
  if (dq.op != "DequantizeLinear") return {};
  DoublePair p{
      uses.maker(dq, 0, "QuantizeLinear"), &dq, uses.only_reader(dq.outputs[0]), nullptr, {}, {}};
  if (!p.first_q || uses.only_reader(p.first_q->outputs[0]) != &dq) return {};
  if (!p.second_q || p.second_q->op != "QuantizeLinear") return {};
  p.second_dq = uses.only_reader(p.second_q->outputs[0]);
  if (!p.second_dq || p.second_dq->op != "DequantizeLinear") return {};
  const auto a = scalar_quant(g, *p.first_q), b = scalar_quant(g, dq),
             c = scalar_quant(g, *p.second_q), d = scalar_quant(g, *p.second_dq);
  if (!a || !b || !c || !d || !(*a == *b) || !(*c == *d) || !a->has_zero || !c->has_zero ||
      a->dtype != c->dtype)
    return {};
  if (a->dtype == DType::i32) return {};  // 8 and 16 bits
  p.first = *a;
  p.second = *c;
  return p;
}

using Makers = std::vector<std::vector<std::size_t>>;  // of each node's inputs

// Nodes from the last one that nobody reads, makers first, the later maker before the earlier.
std::vector<std::size_t> walked(const Makers& makers) {
  std::vector<bool> read(makers.size(), false), seen(makers.size(), false);
  for (const auto& list : makers)
    for (const std::size_t m : list) read[m] = true;
  std::vector<std::size_t> order;
  std::vector<std::pair<std::size_t, bool>> stack;  // a node, and whether its makers are done
  for (std::size_t n = 0; n < makers.size(); ++n)
    if (!read[n]) stack.emplace_back(n, false);
  while (!stack.empty()) {
    const auto [n, done] = stack.back();
    stack.pop_back();
    if (done) order.push_back(n);
    if (done || seen[n]) continue;
    seen[n] = true;
    stack.emplace_back(n, true);
    auto sorted = makers[n];
    std::ranges::sort(sorted);
    for (const std::size_t m : sorted) stack.emplace_back(m, false);
  }
  return order;
}

// The place of each node in the order in which the runtime visits them: walked, once each reader of
// a dequantizer but the first has a copy of its own, numbered behind all nodes.
std::vector<std::size_t> visiting_order(const Graph& g, const Uses& uses) {
  Makers makers(g.nodes().size());
  for (std::size_t n = 0; n < g.nodes().size(); ++n)
    for (const ValueId v : g.nodes()[n].inputs)
      if (v != no_id && g.value(v).producer != no_id)
        makers[n].push_back(static_cast<std::size_t>(g.value(v).producer));
  const std::size_t count = makers.size();
  for (const std::size_t n : walked(makers)) {
    if (g.nodes()[n].op != "DequantizeLinear") continue;
    bool first = !uses.is_output(g.nodes()[n].outputs[0]);
    for (const Use& use : uses.of(g.nodes()[n].outputs[0])) {
      if (std::exchange(first, false)) continue;
      auto copy = makers[n];
      *std::ranges::find(makers[static_cast<std::size_t>(use.node)], n) = makers.size();
      makers.push_back(std::move(copy));
    }
  }
  std::vector<std::size_t> place(makers.size(), 0);
  std::size_t next = 0;
  for (const std::size_t n : walked(makers)) place[n] = next++;
  place.resize(count);
  return place;
}

bool is_clip(const Node& n) {
  return n.op == "Relu" || n.op == "Clip";
}

// Least and greatest real that a Relu or a Clip with constant bounds lets through.
std::optional<std::pair<float, float>> clip_range(const Graph& g, const Node& n) {
  float low = -3.402823466e38f, high = 3.402823466e38f;
  if (n.op == "Relu") return std::pair{0.0f, high};
  low = static_cast<float>(n.attrs.real("min", low));
  high = static_cast<float>(n.attrs.real("max", high));
  for (std::size_t i = 1; i < 3; ++i) {
    if (!has_input(n, i)) continue;
    const Tensor* const t = g.value(n.inputs[i]).constant.get();
    if (!t || t->count() != 1) return {};
    (i == 1 ? low : high) = static_cast<float>(t->number(0));
  }
  return std::pair{low, high};
}

// The clip lets through all that the codes behind it can hold.
bool redundant(const Graph& g, const Node& clip, const Node& q) {
  const auto quant = scalar_quant(g, q);
  if (!quant || !quant->has_zero || (quant->dtype != DType::i8 && quant->dtype != DType::u8))
    return false;
  if (clip.op == "Relu" && q.attrs.integer("bits", 8) == 4)
    return true;  // the runtime looks at no zero point of four bits
  const CodeRange range = code_range(quant->dtype);
  if (clip.op == "Relu") return quant->zero == range.low;
  const auto reals = clip_range(g, clip);
  if (!reals) return false;
  const float low = quant->scale * static_cast<float>(range.low - quant->zero);
  const float high = quant->scale * static_cast<float>(range.high - quant->zero);
  constexpr float epsilon = 1.1920929e-7f;
  return !(epsilon < reals->first - low || epsilon < high - reals->second);
}

}  // namespace

Result<Patch> merge_equal_quantize(const Graph& g) {
  Patch patch(g, "merge-equal-quantize");
  const Uses uses(g);
  const std::vector<std::size_t> place = visiting_order(g, uses);
  for (std::size_t v = 0; v < g.values().size(); ++v) {
    auto readers = uses.of(static_cast<ValueId>(v));
    std::ranges::stable_sort(
        readers, {}, [&](const Use& use) { return place[static_cast<std::size_t>(use.node)]; });
    std::vector<const Node*> kept;
    for (const Use& use : readers) {
      const Node& n = g.node(use.node);
      if (use.slot != 0 || (n.op != "QuantizeLinear" && n.op != "DequantizeLinear")) continue;
      const auto twin =
          std::ranges::find_if(kept, [&](const Node* k) { return same_node(g, *k, n); });
      if (twin == kept.end() || uses.is_output(n.outputs[0]) || uses.of(n.outputs[0]).empty()) {
        kept.push_back(&n);
        continue;
      }
      patch.replace_uses(n.outputs[0], (*twin)->outputs[0]);
      patch.remove_node(use.node);
    }
  }
  return patch;
}

Result<Patch> remove_double_qdq(const Graph& g) {
  Patch patch(g, "remove-double-qdq");
  const Uses uses(g);
  for (const Node& node : g.nodes()) {
    const auto p = double_pair(g, uses, node);
    if (!p) continue;
    patch.remove_node(uses.id_of(*p->first_dq));
    patch.remove_node(uses.id_of(*p->second_q));
    Node q = *p->first_q, dq = *p->second_dq;
    dq.inputs[0] = q.outputs[0];
    if (!(p->first == p->second)) {
      const CodeRange codes_of_type = code_range(p->first.dtype);
      const PairRange merged =
          merged_pair({p->first.scale, p->first.zero}, {p->second.scale, p->second.zero},
                      static_cast<std::int32_t>(codes_of_type.low),
                      static_cast<std::int32_t>(codes_of_type.high));
      const std::string name = g.value(q.outputs[0]).name;
      q.inputs[1] = dq.inputs[1] =
          add_constant(patch, name + "/merged_scale", Tensor::scalar(merged.scale));
      q.inputs[2] = dq.inputs[2] =
          add_constant(patch, name + "/merged_zero", scalar_code(p->first.dtype, merged.zero));
      Value codes = g.value(q.outputs[0]);
      codes.quant = {{merged.scale}, {merged.zero}, -1};
      patch.set_value(q.outputs[0], std::move(codes));
    }
    patch.replace_node(uses.id_of(*p->first_q), std::move(q));
    patch.replace_node(uses.id_of(*p->second_dq), std::move(dq));
    return patch;  // one pair at a time: pairs can follow one another
  }
  return patch;
}

Result<Patch> drop_redundant_clip(const Graph& g) {
  Patch patch(g, "drop-redundant-clip");
  const Uses uses(g);
  for (std::size_t i = g.nodes().size(); i-- > 0;) {
    const Node& clip = g.nodes()[i];
    if (!is_clip(clip)) continue;
    const Node* const q = uses.only_reader(clip.outputs[0]);
    if (!q || q->op != "QuantizeLinear" || !redundant(g, clip, *q)) continue;
    Node next = *q;
    next.inputs[0] = clip.inputs[0];
    patch.replace_node(uses.id_of(*q), std::move(next));
    patch.remove_node(static_cast<NodeId>(i));
  }
  return patch;
}

}  // namespace lockstep
