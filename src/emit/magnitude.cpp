#include "emit/magnitude.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "op/op.h"

namespace lockstep {
namespace {

using Known = std::optional<Magnitude>;
constexpr int most_steps = 8;

Known of_constant(const Tensor& t) {
  if (t.dtype() != DType::f32) return {};
  std::optional<Magnitude> all;
  for (const float v : t.as<float>()) {
    if (!std::isfinite(v)) return {};
    if (v == 0) continue;
    const int e = std::ilogb(v);
    all =
        all ? Magnitude{std::min(all->least, e), std::max(all->most, e + 1)} : Magnitude{e, e + 1};
  }
  return all ? all : Magnitude{};
}

// Codes of so many bits less a zero point, times a scale.
Known of_codes(const NodeView& v) {
  if (!v.constant(1) || size_of(v.input(0).dtype) > 2) return {};
  const Known scale = of_constant(*v.constant(1));
  const int bits = 2 + 8 * static_cast<int>(size_of(v.input(0).dtype));
  return scale ? Known(Magnitude{scale->least, scale->most + bits}) : Known();
}

// A sum is zero or no less than the last bit of its smaller operand.
Known of_sum(const Known& a, const Known& b) {
  if (!a || !b) return {};
  return Magnitude{std::min(a->least, b->least) - 24, std::max(a->most, b->most) + 1};
}
Known of_product(const Known& a, const Known& b) {
  if (!a || !b) return {};
  return Magnitude{a->least + b->least - 1, a->most + b->most + 1};
}
Known of_quotient(const Known& a, const Known& b) {
  if (!a || !b) return {};
  return Magnitude{a->least - b->most - 1, a->most - b->least + 1};
}

Known known(const Graph& g, ValueId id, int steps) {
  const Value& value = g.value(id);
  if (value.constant) return of_constant(*value.constant);
  if (steps == 0 || value.dtype != DType::f32 || value.producer == no_id) return {};
  const NodeView v{g, g.node(value.producer)};
  const auto operand = [&](std::size_t i) {
    return v.has_input(i) ? known(g, v.node.inputs[i], steps - 1) : Known();
  };
  static const std::set<std::string, std::less<>> same{
      "Relu",    "Identity",  "Reshape", "Transpose", "Flatten",
      "Squeeze", "Unsqueeze", "Slice",   "Split",     "MaxPool"};
  const std::string& op = v.node.op;
  if (op == "DequantizeLinear") return of_codes(v);
  if (v.attrs().text("activation", "none") != "none") return {};
  if (same.contains(op)) return operand(0);
  if (op == "Add" || op == "Sub") return of_sum(operand(0), operand(1));
  if (op == "Mul") return of_product(operand(0), operand(1));
  if (op == "Div") return of_quotient(operand(0), operand(1));
  return {};
}

}  // namespace

std::optional<Magnitude> magnitude_of(const Graph& graph, ValueId value) {
  return known(graph, value, most_steps);
}

}  // namespace lockstep
