#include "npu/handed_on.h"

#include <algorithm>

#include "arith/arith.h"
#include "op/op.h"

namespace lockstep {

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

std::optional<Tensor> NpuHandedOn::remade(
    const NpuBuffer& b, const std::map<std::pair<int, std::string>, Tensor>& made) const {
  const NpuPair& pair = *mapping_.find(b.name);
  const ValueId id = model_.find_value(pair.value);
  if (id == no_id || model_.value(id).producer == no_id) return {};
  const Node& n = model_.node(model_.value(id).producer);
  std::vector<Tensor> fed;
  std::vector<const Tensor*> in(n.inputs.size(), nullptr);
  fed.reserve(n.inputs.size());
  for (std::size_t i = 0; i < n.inputs.size(); ++i) {
    if (n.inputs[i] == no_id) continue;
    const Value& x = model_.value(n.inputs[i]);
    if ((in[i] = x.constant.get())) continue;
    for (const auto& [at, codes] : made)
      if (const NpuPair* p = mapping_.find(at.second);
          p && p->value == x.name && reaches(at.first, b.epoch) && fed.empty()) {
        fed.push_back(model_codes(*program_.find_buffer(at.second), *p, x, codes));
        in[i] = &fed.back();
      }
    if (!in[i]) return {};
  }
  if (fed.empty() || n.outputs.size() != 1) return {};
  std::vector<Tensor> out;
  out.emplace_back(model_.value(id).dtype, model_.value(id).shape);
  EvalContext context{NodeView{model_, n}, *find_arithmetic("neural-art")->numerics, in, out};
  const OpDef* op = find_op(n.op);
  if (!op || !op->eval(context).ok()) return {};
  auto codes = codes_for(b, pair, model_.value(id), out[0]);
  return codes.ok() ? std::optional(std::move(codes).value()) : std::nullopt;
}

}  // namespace lockstep
