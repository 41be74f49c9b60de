// Families of operations that one defect of a device may strike alike.
#include <algorithm>
#include <array>
#include <functional>

#include "diagnose/judge.h"
#include "diagnose/scope.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

// The unit of an accelerator, or the routine of a library, that computes operations of a kind.
struct Unit {
  std::string_view name;
  std::array<std::string_view, 8> ops;
};
constexpr Unit units[] = {
    {"every operation with weights", {"Conv", "ConvTranspose", "Gemm", "MatMul"}},
    {"every operation of two operands", {"Add", "Sub", "Mul", "Div", "Max", "Min"}},
    {"every pooling",
     {"AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean"}},
    {"every function by table",
     {"Sigmoid", "Tanh", "HardSwish", "LeakyRelu", "Elu", "Softmax", "Gelu", "HardSigmoid"}},
};

bool unequal_scales(const NodeView& n) {
  const Graph& g = n.graph;
  double first = 0;
  for (const ValueId in : n.node.inputs) {
    if (in == no_id) continue;
    const QuantParams q = step_of(g, in);
    if (q.scale.size() != 1 || q.per_channel()) continue;
    if (first > 0 && q.scale[0] != first) return true;
    first = q.scale[0];
  }
  return false;
}

bool is_combination(const NodeView& n) {
  static constexpr std::string_view ops[] = {"Add", "Sub", "Mul",    "Div",
                                             "Max", "Min", "Concat", "Sum"};
  return std::ranges::count(ops, n.node.op) > 0;
}

bool keeps_state(const NodeView& n) {
  return std::ranges::any_of(n.graph.states(), [&](const State& s) {
    return std::ranges::count(n.node.inputs, s.in) > 0;
  });
}

bool is_conv(const NodeView& n) {
  return n.node.op == "Conv" && n.has_input(0) && n.has_input(1);
}

// Groups of one input channel each.
bool is_channel_wise(const NodeView& n) {
  if (!is_conv(n)) return false;
  const std::int64_t group = n.attrs().integer("group", 1);
  return group > 1 && group == n.input(0).shape[channel_axis(n, n.input(0).shape)];
}

std::vector<std::int64_t> kernel_of(const NodeView& n) {
  const Shape& w = n.input(1).shape;
  if (w.size() < 3) return {};
  if (n.attrs().text("weights", "OIHW") == "OIHW") return {w.begin() + 2, w.end()};
  return {w.begin() + 1, w.end() - 1};
}

bool some_above_one(const NodeView& n, std::string_view attr) {
  return std::ranges::any_of(n.attrs().integers(attr, {}), [](std::int64_t x) { return x > 1; });
}

bool pads(const NodeView& n) {
  const std::string automatic = n.attrs().text("auto_pad", "NOTSET");
  return automatic.starts_with("SAME") ||
         std::ranges::any_of(n.attrs().integers("pads", {}), [](std::int64_t x) { return x != 0; });
}

// The node's result, or the codes made of it, under the user's name or the reference's.
bool makes_one_of(const NodeView& n, const std::vector<std::string>& tensors) {
  const auto is_one = [&](ValueId v) {
    const Value& value = n.graph.value(v);
    return std::ranges::count(tensors, value.name) > 0 ||
           (!value.origin.name.empty() && std::ranges::count(tensors, value.origin.name) > 0);
  };
  return std::ranges::any_of(n.node.outputs, [&](ValueId v) {
    if (v == no_id) return false;
    if (is_one(v)) return true;
    const auto readers = n.graph.consumers(v);
    return std::ranges::any_of(readers, [&](NodeId r) {
      return n.graph.node(r).op == "QuantizeLinear" && is_one(n.graph.node(r).outputs[0]);
    });
  });
}

struct Trait {
  std::string_view name;
  std::function<bool(const NodeView&)> holds;
  Scope kind = Scope::this_operator;
};

const std::vector<Trait>& traits() {
  static const std::vector<Trait> all = {
      {"every combination of operands with different scales",
       [](const NodeView& n) { return is_combination(n) && unequal_scales(n); },
       Scope::unequal_scales},
      {"every operation that keeps a state", keeps_state},
      {"every channel-wise convolution", is_channel_wise},
      {"every 1x1 convolution",
       [](const NodeView& n) {
         if (!is_conv(n) || is_channel_wise(n)) return false;
         const auto kernel = kernel_of(n);
         return !kernel.empty() &&
                std::ranges::all_of(kernel, [](std::int64_t k) { return k == 1; });
       }},
      {"every dilated convolution",
       [](const NodeView& n) { return is_conv(n) && some_above_one(n, "dilations"); }},
      {"every strided convolution",
       [](const NodeView& n) { return is_conv(n) && some_above_one(n, "strides"); }},
      {"every convolution with padding", [](const NodeView& n) { return is_conv(n) && pads(n); }},
      {"every convolution that is not channel-wise",
       [](const NodeView& n) { return is_conv(n) && !is_channel_wise(n); }},
      {"every operation with one weight scale per channel",
       [](const NodeView& n) {
         return n.has_input(1) && n.input(1).constant && n.input(1).quant.per_channel();
       }},
  };
  return all;
}

}  // namespace

std::vector<Family> families_of(const Executor& reference, NodeId node,
                                const std::vector<NodeId>& among,
                                std::span<const UnitWork> units_of_program) {
  const Graph& g = reference.graph();
  const NodeView own{g, g.node(node)};
  std::vector<Family> families = {{"this operation", Scope::this_node, {node}}};
  const auto add = [&](std::string name, Scope kind,
                       const std::function<bool(const NodeView&)>& holds) {
    if (!holds(own)) return;
    Family f{std::move(name), kind, {}};
    for (const NodeId n : among)
      if (holds({g, g.node(n)})) f.nodes.push_back(n);
    if (std::ranges::none_of(families, [&](const Family& other) { return other.nodes == f.nodes; }))
      families.push_back(std::move(f));
  };
  for (const Trait& t : traits()) add(std::string(t.name), t.kind, t.holds);
  add("every " + own.node.op, Scope::this_operator,
      [&](const NodeView& n) { return n.node.op == own.node.op; });
  for (const Unit& unit : units)
    add(std::string(unit.name), Scope::this_operator,
        [&](const NodeView& n) { return std::ranges::count(unit.ops, n.node.op) > 0; });
  for (const UnitWork& unit : units_of_program)
    add("every operation on " + unit.unit, Scope::this_operator,
        [&](const NodeView& n) { return makes_one_of(n, unit.tensors); });
  add("every operation at which it could act", Scope::every_node,
      [](const NodeView&) { return true; });
  std::ranges::stable_sort(families.begin() + 1, families.end(), {},
                           [](const Family& f) { return f.nodes.size(); });
  return families;
}

}  // namespace lockstep
