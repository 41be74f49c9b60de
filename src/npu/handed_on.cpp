#include "npu/handed_on.h"

#include <algorithm>

#include "arith/arith.h"
#include "op/op.h"

namespace lockstep {
namespace {

constexpr std::string_view carriers[] = {"QuantizeLinear", "DequantizeLinear", "Requantize", "Relu",
                                         "Clip",           "Reshape",          "Transpose",  "Pad",
                                         "MaxPool"};

}  // namespace

NpuHandedOn::NpuHandedOn(const NpuProgram& program, const Graph& model, const NpuMapping& mapping)
    : program_(program), model_(model), mapping_(mapping) {
  for (const NpuEpoch& e : program.epochs) {
    std::set<int>& from = from_[e.number];
    from.insert(e.number);
    for (const NpuUnit& u : e.units) {
      const NpuBuffer* b = u.id.kind == NpuKind::stream && !u.buffer.empty()
                               ? program.find_buffer(u.buffer)
                               : nullptr;
      if (!b || b->is_param || b->epoch < 1 || b->epoch >= e.number || mapping.find(b->name))
        continue;
      if (const auto it = from_.find(b->epoch); it != from_.end())
        from.insert(it->second.begin(), it->second.end());
    }
  }
}

bool NpuHandedOn::reaches(int from, int to) const {
  const auto it = from_.find(to);
  return it != from_.end() && it->second.contains(from);
}

bool NpuHandedOn::makes(int epoch, std::string_view value) const {
  return std::ranges::any_of(program_.buffers, [&](const NpuBuffer& b) {
    const NpuPair* pair = b.is_param ? nullptr : mapping_.find(b.name);
    return pair && pair->value == value && b.epoch == epoch;
  });
}

double NpuHandedOn::step_of_unheld(std::string_view value) const {
  const ValueId result = model_.find_value(std::string(value));
  for (ValueId id = result; id != no_id && model_.value(id).producer != no_id;) {
    const Node& n = model_.node(model_.value(id).producer);
    id = n.inputs.empty() ? no_id : n.inputs[0];
    if (id == no_id || !is_integer(model_.value(id).dtype)) continue;
    const Value &x = model_.value(id), &y = model_.value(result);
    const bool held =
        std::ranges::any_of(mapping_.pairs, [&](const NpuPair& p) { return p.value == x.name; });
    return held || x.quant.scale.size() != 1 || y.quant.scale.size() != 1
               ? 0
               : x.quant.scale[0] / y.quant.scale[0];
  }
  return 0;
}

// What may stand between codes that are held and an operation that takes them.
bool NpuHandedOn::passes_on(ValueId id) const {
  const NodeId producer = model_.value(id).producer;
  return producer != no_id && std::ranges::count(carriers, model_.node(producer).op) > 0;
}

// The program's own codes, what follows from them, or the reference's.
std::optional<NpuHandedOn::Known> NpuHandedOn::known(ValueId id, const Source& source,
                                                     int hops) const {
  const Value& v = model_.value(id);
  if (v.constant) return Known{*v.constant, false};
  for (const auto& [at, codes] : source.made)
    if (const NpuPair* p = mapping_.find(at.second);
        p && p->value == v.name && reaches(at.first, source.epoch))
      return Known{model_codes(*program_.find_buffer(at.second), *p, v, codes), true};
  auto follows = hops > 0 && passes_on(id) ? computed(id, source, hops - 1) : std::nullopt;
  if (follows && follows->own) return follows;
  const auto it = source.reference.find(v.name);
  if (it != source.reference.end()) return Known{it->second, false};
  return follows;
}

std::optional<NpuHandedOn::Known> NpuHandedOn::computed(ValueId id, const Source& source,
                                                        int hops) const {
  if (model_.value(id).producer == no_id) return {};
  const Node& n = model_.node(model_.value(id).producer);
  std::vector<Known> fed;
  fed.reserve(n.inputs.size());
  std::vector<const Tensor*> in;
  bool own = false;
  for (const ValueId x : n.inputs) {
    in.push_back(nullptr);
    if (x == no_id) continue;
    auto k = known(x, source, hops);
    if (!k) return {};
    own |= k->own;
    fed.push_back(std::move(*k));
    in.back() = &fed.back().tensor;
  }
  if (n.outputs.size() != 1) return {};
  std::vector<Tensor> out;
  out.emplace_back(model_.value(id).dtype, model_.value(id).shape);
  EvalContext context{NodeView{model_, n}, *find_arithmetic("neural-art")->numerics, in, out};
  const OpDef* op = find_op(n.op);
  if (!op || !op->eval(context).ok()) return {};
  return Known{std::move(out[0]), own};
}

std::optional<Tensor> NpuHandedOn::remade(const NpuBuffer& b, const Made& made,
                                          const Sample& reference) const {
  constexpr int most_operations = 16;
  const NpuPair& pair = *mapping_.find(b.name);
  const ValueId id = model_.find_value(pair.value);
  const auto again =
      id == no_id ? std::nullopt : computed(id, {b.epoch, made, reference}, most_operations);
  if (!again || !again->own) return {};
  auto codes = codes_for(b, pair, model_.value(id), again->tensor);
  return codes.ok() ? std::optional(std::move(codes).value()) : std::nullopt;
}

}  // namespace lockstep
