// DQ... -> operator -> Q becomes one operator on codes, where onnxruntime has one for those types.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "pass/qdq.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

constexpr std::string_view unsigned_mark = "unsigned";

bool marked(const Node& n) {
  return n.attrs.text("codes", "") == unsigned_mark || n.attrs.text("makes", "") == unsigned_mark;
}

// The type in which the runtime holds these codes: uint8 where their maker is marked.
DType runtime_type(const Graph& g, ValueId v) {
  const Value& value = g.value(v);
  return value.producer != no_id && marked(g.node(value.producer)) ? DType::u8 : value.dtype;
}

// An operator between dequantized inputs and one quantized output (or none).
struct Group {
  std::vector<const Node*> dq;  // one for each input
  const Node* q = nullptr;
};

// Codes of four bits: the runtime has no operators on them.
bool is_narrow(const Node& n) {
  return n.attrs.integer("bits", 8) == 4;
}

// Every input dequantized; the output read by exactly one Q, or (where allowed) by none.
std::optional<Group> group_of(const Graph& g, const Uses& uses, const Node& n, bool without_q) {
  Group group;
  for (std::size_t i = 0; i < n.inputs.size(); ++i) {
    if (n.inputs[i] == no_id) continue;
    group.dq.push_back(uses.maker(n, i, "DequantizeLinear"));
    if (!group.dq.back() || is_narrow(*group.dq.back())) return {};
  }
  if (const Node* const reader = uses.only_reader(n.outputs[0]);
      reader && reader->op == "QuantizeLinear") {
    if (is_narrow(*reader)) return {};
    group.q = reader;
    return group;
  }
  for (const Use& use : uses.of(n.outputs[0]))
    if (g.node(use.node).op == "QuantizeLinear") return {};
  if (!without_q) return {};
  return group;
}

bool is_byte(DType t) {
  return t == DType::i8 || t == DType::u8;
}

// Which groups have an integer operator; `types` are the runtime's, of the inputs'
// codes, `y` of the output's.
bool fuses_conv(const std::vector<DType>& types, DType y) {
  return types[0] == DType::u8 && y == DType::u8 && is_byte(types[1]) &&
         (types.size() < 3 || types[2] == DType::i32);
}
bool fuses_gemm(const Node& n, const std::vector<DType>& types, std::optional<DType> y) {
  if (!is_byte(types[0]) || !is_byte(types[1]) || (types[0] == DType::i8 && types[1] != DType::i8))
    return false;
  if (y && *y != types[0]) return false;
  if (types.size() < 3) return true;
  return types[2] == DType::i32 && n.attrs.real("beta", 1) == 1 && n.attrs.real("alpha", 1) == 1;
}
bool fuses_matmul(const std::vector<DType>& types, std::optional<DType> y) {
  return types[0] == DType::u8 && is_byte(types[1]) && (!y || *y == types[0]);
}
bool fuses_alike(const std::vector<DType>& types, DType y) {
  return is_byte(y) && std::ranges::all_of(types, [&](DType t) { return t == y; });
}

// Whether quantization parameters can stand on the value: those of its
// maker, or the ones DQ states.
bool states_as(const Graph& g, const Node& dq) {
  const Value& codes = g.value(dq.inputs[0]);
  const QuantParams stated = stated_quant(g, dq, codes.shape.size());
  return stated.quantized() &&
         (!codes.quant.quantized() || codes.quant == stated || codes.constant);
}

class Fuser {
 public:
  Fuser(const Graph& g, std::string label) : uses(g), patch(g, std::move(label)), g_(g) {}

  // Replaces the group by its operator on codes.
  void fuse(const Node& n, const Group& group) {
    Node next = n;
    std::size_t at = 0;
    for (ValueId& v : next.inputs) {
      if (v == no_id) continue;
      const Node& dq = *group.dq[at++];
      Value codes = g_.value(dq.inputs[0]);
      codes.quant = stated_quant(g_, dq, codes.shape.size());
      patch.set_value(dq.inputs[0], std::move(codes));
      v = dq.inputs[0];
      freed_.insert({uses.id_of(dq), uses.id_of(n), at});
    }
    const auto held_otherwise = [&](ValueId v) {
      return v != no_id && g_.value(v).dtype == DType::i8 && runtime_type(g_, v) == DType::u8;
    };
    if (std::ranges::any_of(next.inputs, held_otherwise))
      next.attrs.set("codes", std::string(unsigned_mark));
    if (group.q) {
      if (marked(*group.q)) next.attrs.set("makes", std::string(unsigned_mark));
      next.outputs = {group.q->outputs[0]};
      Value codes = g_.value(group.q->outputs[0]);
      codes.quant = stated_quant(g_, *group.q, codes.shape.size());
      patch.set_value(group.q->outputs[0], std::move(codes));
      patch.remove_node(uses.id_of(*group.q));
    }
    patch.replace_node(uses.id_of(n), std::move(next));
  }

  // Dequantizers that nobody reads any more go with their groups.
  Patch finish() {
    std::map<NodeId, std::size_t> count;
    for (const auto& [dq, reader, slot] : freed_) ++count[dq];
    for (const auto& [dq, freed] : count) {
      const ValueId v = g_.node(dq).outputs[0];
      if (!uses.is_output(v) && uses.of(v).size() == freed) patch.remove_node(dq);
    }
    return std::move(patch);
  }

  std::vector<DType> types(const Group& group) const {
    std::vector<DType> out;
    for (const Node* dq : group.dq) out.push_back(runtime_type(g_, dq->inputs[0]));
    return out;
  }
  std::optional<DType> output_type(const Group& group) const {
    if (!group.q) return {};
    return runtime_type(g_, group.q->outputs[0]);
  }
  bool states(const Group& group) const {
    return std::ranges::all_of(group.dq, [&](const Node* dq) { return states_as(g_, *dq); }) &&
           (!group.q ||
            stated_quant(g_, *group.q, g_.value(group.q->outputs[0]).shape.size()).quantized());
  }

  Uses uses;
  Patch patch;

 private:
  const Graph& g_;
  std::set<std::tuple<NodeId, NodeId, std::size_t>> freed_;
};

// Fuses every node for which `wanted(fuser, node, group)` holds.
template <class Wanted>
Result<Patch> fuse_all(const Graph& g, std::string label, bool without_q, Wanted&& wanted) {
  Fuser fuser(g, std::move(label));
  for (const Node& n : g.nodes()) {
    const auto group = group_of(g, fuser.uses, n, without_q);
    if (group && !group->dq.empty() && fuser.states(*group) && wanted(fuser, n, *group))
      fuser.fuse(n, *group);
  }
  return fuser.finish();
}

}  // namespace

// int8 codes that pass from one Q to one reader of one DQ are held as uint8 (code + 128).
Result<Patch> mark_unsigned_codes(const Graph& g) {
  Patch patch(g, "mark-unsigned-codes");
  const Uses uses(g);
  for (const Node& q : g.nodes()) {
    // a constant is coded once
    if (q.op != "QuantizeLinear" || marked(q) || g.value(q.inputs[0]).constant) continue;
    const Node* const dq = uses.only_reader(q.outputs[0]);
    if (!dq || dq->op != "DequantizeLinear") continue;
    const std::size_t readers =
        uses.of(dq->outputs[0]).size() + (uses.is_output(dq->outputs[0]) ? 1 : 0);
    const auto a = scalar_quant(g, q), b = scalar_quant(g, *dq);
    if (readers > 1 || !a || !b || !a->has_zero || !b->has_zero || a->dtype != DType::i8 ||
        a->zero != b->zero)
      continue;
    Node next = q;
    next.attrs.set("codes", std::string(unsigned_mark));
    patch.replace_node(uses.id_of(q), std::move(next));
  }
  return patch;
}

Result<Patch> fuse_qdq_conv(const Graph& g) {
  return fuse_all(g, "fuse-qdq-conv", false, [](const Fuser& f, const Node& n, const Group& group) {
    return n.op == "Conv" && group.dq.size() >= 2 &&
           fuses_conv(f.types(group), *f.output_type(group));
  });
}

Result<Patch> fuse_qdq_dense(const Graph& g) {
  return fuse_all(g, "fuse-qdq-dense", true, [](const Fuser& f, const Node& n, const Group& group) {
    if (n.op == "Gemm" &&
        group.dq.size() >= 2)  // only here the runtime wants the zero points to be there
      return has_input(*group.dq[0], 2) && has_input(*group.dq[1], 2) &&
             fuses_gemm(n, f.types(group), f.output_type(group));
    return n.op == "MatMul" && group.dq.size() == 2 &&
           fuses_matmul(f.types(group), f.output_type(group));
  });
}

Result<Patch> fuse_qdq_binary(const Graph& g) {
  return fuse_all(g, "fuse-qdq-binary", false,
                  [](const Fuser& f, const Node& n, const Group& group) {
                    return (n.op == "Add" || n.op == "Mul") && group.dq.size() == 2 &&
                           fuses_alike(f.types(group), *f.output_type(group));
                  });
}

Result<Patch> fuse_qdq_unary(const Graph& g) {
  return fuse_all(
      g, "fuse-qdq-unary", false, [](const Fuser& f, const Node& n, const Group& group) {
        return (n.op == "AveragePool" || n.op == "GlobalAveragePool" || n.op == "Softmax") &&
               group.dq.size() == 1 && fuses_alike(f.types(group), *f.output_type(group));
      });
}

// The runtime folds constants itself before it runs: what was computed at
// import is as good as stored.
Result<Patch> store_folded_constants(const Graph& g) {
  Patch patch(g, "store-folded-constants");
  for (std::size_t v = 0; v < g.values().size(); ++v) {
    Value value = g.values()[v];
    // without a maker: replaceable
    if (!value.constant || !value.folded || value.producer == no_id) continue;
    value.folded = false;
    patch.set_value(static_cast<ValueId>(v), std::move(value));
  }
  return patch;
}

}  // namespace lockstep
