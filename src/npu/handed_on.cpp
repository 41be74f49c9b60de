#include "npu/handed_on.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "arith/arith.h"
#include "op/op.h"

namespace lockstep {
namespace {

constexpr std::string_view carriers[] = {"QuantizeLinear", "DequantizeLinear", "Requantize", "Relu",
                                         "Clip",           "Reshape",          "Transpose",  "Pad",
                                         "MaxPool"};

// What tables compute.
constexpr std::string_view functions[] = {
    "Sigmoid",  "Tanh",     "HardSigmoid", "HardSwish", "LeakyRelu", "PRelu", "Elu",
    "Softplus", "Softsign", "Mish",        "Gelu",      "Erf",       "Exp",   "Log",
    "Sqrt",     "Rsqrt",    "Reciprocal",  "Neg",       "Abs"};

std::int64_t nearest(double code, DType type) {
  const std::int64_t low = type == DType::u8 ? 0 : -128;
  return static_cast<std::int64_t>(
      std::clamp(std::floor(code + 0.5), static_cast<double>(low), static_cast<double>(low + 255)));
}

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
  bool taken = false;  // the one function on the way
  for (ValueId id = result; id != no_id && model_.value(id).producer != no_id;) {
    const Node& n = model_.node(model_.value(id).producer);
    const bool function = std::ranges::count(functions, n.op) > 0;
    if (!passes_on(id) && (!function || std::exchange(taken, true))) return 0;
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

std::optional<NpuHandedOn::Known> NpuHandedOn::computed(ValueId id, const Source& source, int hops,
                                                        unsigned from_reference) const {
  if (model_.value(id).producer == no_id) return {};
  const Node& n = model_.node(model_.value(id).producer);
  std::vector<Known> fed;
  fed.reserve(n.inputs.size());
  std::vector<const Tensor*> in;
  bool own = false;
  static const Made none;
  const Source reference{source.epoch, none, source.reference};
  for (std::size_t i = 0; i < n.inputs.size(); ++i) {
    in.push_back(nullptr);
    if (n.inputs[i] == no_id) continue;
    const bool other = i < 32 && (from_reference >> i & 1) != 0;
    auto k = known(n.inputs[i], other ? reference : source, hops);
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

void NpuHandedOn::add_products(const Node& n, const Value& z, const Source& source, int hops,
                               std::vector<Tensor>& all) const {
  if (n.op != "Mul" || n.inputs.size() != 2 || z.quant.scale.size() != 1) return;
  if (z.dtype != DType::i8 && z.dtype != DType::u8) return;
  static const Made none;
  std::array<std::vector<Known>, 2> either;
  std::array<std::int64_t, 2> zero{};
  double m = 1 / z.quant.scale[0];
  for (std::size_t i = 0; i < 2; ++i) {
    const Value& x = model_.value(n.inputs[i]);
    if (!is_integer(x.dtype) || x.quant.scale.size() != 1 ||
        (x.shape != z.shape && count_of(x.shape) != 1))
      return;
    m *= x.quant.scale[0], zero[i] = x.quant.zero_at(0);
    for (const Made* made : {&source.made, &none})
      if (auto k = known(n.inputs[i], {source.epoch, *made, source.reference}, hops);
          k && (made == &none || k->own))
        either[i].push_back(std::move(*k));
  }
  if (either[0].size() + either[1].size() < 3) return;
  const auto at = [](const Known& k, std::int64_t i) {
    return k.tensor.code(k.tensor.count() == 1 ? 0 : i);
  };
  for (const Known& x : either[0])
    for (const Known& y : either[1])
      for (const Known& x_of_zero : either[0])
        for (const Known& y_of_zero : either[1]) {
          Tensor out(z.dtype, z.shape);
          for (std::int64_t i = 0; i < out.count(); ++i) {
            const std::int64_t sum = at(x, i) * at(y, i) - zero[0] * at(y_of_zero, i) -
                                     zero[1] * at(x_of_zero, i) + zero[0] * zero[1];
            const double code =
                m * static_cast<double>(sum) + static_cast<double>(z.quant.zero_at(0));
            out.set_code(i, nearest(code, z.dtype));
          }
          all.push_back(std::move(out));
        }
}

std::vector<Tensor> NpuHandedOn::remade(const NpuBuffer& b, const Made& made,
                                        const Sample& reference) const {
  constexpr int most_operations = 16;
  const NpuPair& pair = *mapping_.find(b.name);
  const ValueId id = model_.find_value(pair.value);
  if (id == no_id || model_.value(id).producer == no_id) return {};
  const Source source{b.epoch, made, reference};
  const Node& n = model_.node(model_.value(id).producer);
  std::vector<unsigned> choices = {0}, operands;
  for (std::size_t i = 0; i < n.inputs.size() && i < 32; ++i)
    if (n.inputs[i] != no_id && !model_.value(n.inputs[i]).constant) operands.push_back(1u << i);
  if (operands.size() == 2) choices.insert(choices.end(), operands.begin(), operands.end());
  std::vector<Tensor> all;
  for (const unsigned from_reference : choices)
    if (auto again = computed(id, source, most_operations, from_reference); again && again->own)
      all.push_back(std::move(again->tensor));
  add_products(n, model_.value(id), source, most_operations, all);
  std::vector<Tensor> held;
  for (const Tensor& t : all)
    if (auto codes = codes_for(b, pair, model_.value(id), t); codes.ok())
      held.push_back(std::move(codes).value());
  return held;
}

std::optional<Tensor> NpuHandedOn::made_in(const std::vector<int>& epochs, std::string_view value,
                                           const Made& made) const {
  for (const auto& [at, codes] : made)
    if (const NpuPair* p = mapping_.find(at.second);
        p && p->value == value && std::ranges::count(epochs, at.first) > 0)
      return model_codes(*program_.find_buffer(at.second), *p,
                         model_.value(model_.find_value(p->value)), codes);
  return {};
}

}  // namespace lockstep
