// How each operator computes on tensors whose axes lie in another order, as onnxruntime's transpose
// optimizer turns it (N115).
#include <algorithm>
#include <array>
#include <optional>

#include "op/op_move.h"
#include "pass/transposes.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

using Axes = std::vector<std::int64_t>;

enum class Turn : std::uint8_t {
  none,       // the runtime stops here
  never,      // it would go on elsewhere than here: counted, not turned
  all,        // every input
  first,      // the first input
  broadcast,  // every input but scalars
  axis_all,   // every input, and an axis
  axis_first,
  softmax,
  pad,
  reduce,
  arg,
  squeeze,
  unsqueeze,
  slice,
  tile,
  transpose,
  quantizer,
  reshape,
};

struct Row {
  std::string_view op;
  Turn turn;
};
constexpr auto rows = std::to_array<Row>({{"ArgMax", Turn::arg},
                                          {"ArgMin", Turn::arg},
                                          {"Clip", Turn::first},
                                          {"Concat", Turn::axis_all},
                                          {"DequantizeLinear", Turn::quantizer},
                                          {"Hardmax", Turn::softmax},
                                          {"LogSoftmax", Turn::softmax},
                                          {"MaxPool", Turn::never},
                                          {"Pad", Turn::pad},
                                          {"QuantizeLinear", Turn::quantizer},
                                          {"Reshape", Turn::reshape},
                                          {"Resize", Turn::never},
                                          {"Slice", Turn::slice},
                                          {"Softmax", Turn::softmax},
                                          {"Split", Turn::axis_first},
                                          {"Squeeze", Turn::squeeze},
                                          {"Tile", Turn::tile},
                                          {"Transpose", Turn::transpose},
                                          {"Unsqueeze", Turn::unsqueeze}});
// Sorted. Element by element over one input; over operands spread against each other; over axes.
constexpr auto of_one = std::to_array<std::string_view>(
    {"Abs",      "Acos",       "Acosh", "Asin",           "Asinh",       "Atan",
     "Atanh",    "Cast",       "Ceil",  "Celu",           "Cos",         "Cosh",
     "Erf",      "Exp",        "Floor", "Gelu",           "HardSigmoid", "HardSwish",
     "Identity", "IsInf",      "IsNaN", "LeakyRelu",      "Log",         "Neg",
     "Not",      "Reciprocal", "Relu",  "Round",          "Selu",        "Shrink",
     "Sigmoid",  "Sign",       "Sin",   "Sinh",           "Softplus",    "Softsign",
     "Sqrt",     "Tan",        "Tanh",  "ThresholdedRelu"});
constexpr auto of_spread = std::to_array<std::string_view>(
    {"Add",  "And",         "BitShift", "Div",  "Equal", "Greater", "GreaterOrEqual",
     "Less", "LessOrEqual", "Max",      "Mean", "Min",   "Mod",     "Mul",
     "Or",   "PRelu",       "Pow",      "Sub",  "Sum",   "Where",   "Xor"});
constexpr auto of_axes = std::to_array<std::string_view>(
    {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
     "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"});
static_assert(std::ranges::is_sorted(of_one) && std::ranges::is_sorted(of_spread) &&
              std::ranges::is_sorted(of_axes));

Turn turn_of(const Node& n) {
  if (std::ranges::binary_search(of_one, n.op)) return Turn::all;
  if (std::ranges::binary_search(of_spread, n.op)) return Turn::broadcast;
  if (std::ranges::binary_search(of_axes, n.op)) return Turn::reduce;
  const auto row = std::ranges::find(rows, n.op, &Row::op);
  return row == rows.end() ? Turn::none : row->turn;
}

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// What an input or an attribute states, each axis once, from 0.
std::optional<Axes> stated(const Draft& d, const Node& n, std::size_t slot, std::string_view attr) {
  if (has_input(n, slot)) {
    const Tensor* const t = d.value(n.inputs[slot]).constant.get();
    return t ? std::optional(integers_of(*t)) : std::nullopt;
  }
  return n.attrs.has(attr) ? std::optional(n.attrs.integers(attr)) : std::nullopt;
}

bool normalize(Axes& axes, std::size_t rank) {
  for (std::int64_t& axis : axes) {
    if (axis < 0) axis += static_cast<std::int64_t>(rank);
    if (axis < 0 || at(axis) >= rank) return false;
  }
  auto sorted = axes;
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) == sorted.end();
}

// The attribute says it from now on, not the input.
void state(Draft& d, NodeId n, std::size_t slot, const std::string& attr, Axes axes) {
  if (has_input(d.node(n), slot)) d.set_input(n, slot, no_id);
  while (!d.node(n).inputs.empty() && d.node(n).inputs.back() == no_id) d.node(n).inputs.pop_back();
  d.node(n).attrs.set(attr, std::move(axes));
}

Axes turned_axes(const Axes& axes, const Perm& perm) {
  Axes next;
  for (const std::int64_t axis : axes) next.push_back(perm[at(axis)]);
  return next;
}

// The order that is left when axes of x (not of y) go.
Perm squeezed(const Axes& gone, const Perm& perm) {
  Perm left;
  for (const std::int64_t axis : perm) {
    if (std::ranges::find(gone, axis) != gone.end()) continue;
    left.push_back(axis - std::ranges::count_if(gone, [&](std::int64_t g) { return g < axis; }));
  }
  return left;
}

// The order behind an Unsqueeze, whose new axes stay in their places.
Perm unsqueezed(const Axes& added, const Perm& perm) {
  const std::size_t rank = perm.size() + added.size();
  Axes places;
  for (std::size_t i = 0; i < rank; ++i)
    if (std::ranges::find(added, static_cast<std::int64_t>(i)) == added.end())
      places.push_back(static_cast<std::int64_t>(i));
  Perm next;
  std::size_t from = 0;
  for (std::size_t i = 0; i < rank; ++i)
    next.push_back(std::ranges::find(added, static_cast<std::int64_t>(i)) != added.end()
                       ? static_cast<std::int64_t>(i)
                       : places[at(perm[from++])]);
  return next;
}

class Turner {
 public:
  Turner(Draft& d, NodeId transpose, NodeId n)
      : d_(d),
        transpose_(transpose),
        n_(n),
        perm_(*stated_perm(d.node(transpose))),
        back_(inverse_of(perm_)),
        inputs_(turned_inputs(d, d.node(n))) {}

  bool push() {
    switch (turn_of(d_.node(n_))) {
      case Turn::none:
      case Turn::never:
        return false;
      case Turn::all:
      case Turn::first:
        return turn_all();
      case Turn::broadcast:
        return same_ranks() && turn_all();
      case Turn::axis_all:
        return turn_axis({});
      case Turn::axis_first:
        return turn_axis(0);
      case Turn::softmax:
        return softmax();
      case Turn::pad:
        return pad();
      case Turn::reduce:
        return reduce();
      case Turn::arg:
        return arg();
      case Turn::squeeze:
        return squeeze();
      case Turn::unsqueeze:
        return unsqueeze();
      case Turn::slice:
        return slice();
      case Turn::tile:
        return tile();
      case Turn::transpose:
        return meet_transpose(d_, transpose_, n_, *stated_perm(node()));
      case Turn::quantizer:
        return quantizer();
      case Turn::reshape:
        return meet_reshape(d_, transpose_, n_);
    }
    return false;
  }

 private:
  Node& node() { return d_.node(n_); }
  std::size_t rank() const { return perm_.size(); }

  void turn_inputs() {
    for (const std::size_t i : inputs_) turn_input(d_, n_, i, back_);
  }
  bool turn_all() {
    turn_inputs();
    turn_outputs(d_, n_, perm_);
    return true;
  }

  // Constants of fewer axes get leading ones; others of fewer axes are left alone.
  bool same_ranks() {
    const auto short_input = [&](std::size_t i) {
      return d_.value(node().inputs[i]).shape.size() != rank();
    };
    for (const std::size_t i : inputs_) {
      const ValueId v = node().inputs[i];
      if (short_input(i) && (d_.value(v).shape.size() > rank() ||
                             (!d_.is_constant(v) && d_.constant_codes(v) == no_id)))
        return false;
    }
    for (const std::size_t i : inputs_)
      if (short_input(i)) widen(i);
    return true;
  }
  ValueId widened(ValueId v) {
    Value next = d_.value(v);
    const auto added = static_cast<int>(rank() - next.shape.size());
    next.shape.insert(next.shape.begin(), at(added), 1);
    if (next.quant.axis >= 0) next.quant.axis += added;
    if (next.constant)
      next.constant = std::make_shared<const Tensor>(next.constant->reshaped(next.shape));
    next.name += "/widened";
    return d_.add_value(std::move(next));
  }
  void widen(std::size_t i) {
    const ValueId v = node().inputs[i];
    if (d_.is_constant(v)) return d_.set_input(n_, i, widened(v));
    const NodeId dq = d_.maker(v);
    const std::size_t added = rank() - d_.value(v).shape.size();
    const std::int64_t axis = d_.node(dq).attrs.integer("axis", 1);
    if (d_.value(d_.node(dq).inputs[1]).shape.size() == 1 && axis >= 0)
      d_.node(dq).attrs.set("axis", axis + static_cast<std::int64_t>(added));
    d_.set_input(dq, 0, widened(d_.node(dq).inputs[0]));
    const ValueId next = widened(v);
    d_.set_output(dq, 0, next);
    d_.set_input(n_, i, next);
  }

  bool turn_axis(std::optional<std::int64_t> fallback) {
    if (!fallback && !node().attrs.has("axis")) return false;
    Axes axis{node().attrs.integer("axis", fallback.value_or(0))};
    if (!normalize(axis, rank())) return false;
    turn_all();
    node().attrs.set("axis", perm_[at(axis[0])]);
    return true;
  }
  bool softmax() {
    if (node().attrs.integer("flatten", 0) == 0) {
      Axes axis{node().attrs.integer("axis", -1)};
      if (!normalize(axis, rank())) return false;
      turn_all();
      node().attrs.set("axis", perm_[at(axis[0])]);
      return true;
    }
    Axes axis{node().attrs.integer("axis", 1)};
    if (!normalize(axis, rank())) return false;
    for (std::size_t i = 0; i < rank(); ++i)
      if ((i < at(axis[0])) != (perm_[i] < axis[0])) return false;
    return turn_all();
  }
  bool pad() {
    const auto pads = stated(d_, node(), 1, "pads");
    if (!pads || pads->size() != 2 * rank() || has_input(node(), 3) ||
        node().attrs.integer("pairs", 0) != 0)
      return false;
    Axes next;
    for (const std::size_t end : {std::size_t{0}, rank()})
      for (const std::int64_t axis : back_) next.push_back((*pads)[end + at(axis)]);
    state(d_, n_, 1, "pads", std::move(next));
    return turn_all();
  }
  bool reduce() {
    auto axes = stated(d_, node(), 1, "axes");
    const bool keep = node().attrs.integer("keepdims", 1) != 0;
    if (!axes || axes->empty()) {
      if (has_input(node(), 1) && !axes) return false;
      turn_inputs();
      if (keep || node().attrs.integer("noop_with_empty_axes", 0) != 0) turn_outputs(d_, n_, perm_);
      return true;
    }
    if (!normalize(*axes, rank())) return false;
    Axes next = turned_axes(*axes, perm_);
    std::ranges::sort(next);
    state(d_, n_, 1, "axes", next);
    turn_inputs();
    turn_outputs(d_, n_, keep ? perm_ : squeezed(next, perm_));
    return true;
  }
  bool arg() {
    Axes axis{node().attrs.integer("axis", 0)};
    if (!normalize(axis, rank())) return false;
    const Axes next = turned_axes(axis, perm_);
    node().attrs.set("axis", next[0]);
    turn_inputs();
    turn_outputs(d_, n_, node().attrs.integer("keepdims", 1) != 0 ? perm_ : squeezed(next, perm_));
    return true;
  }
  bool squeeze() {
    auto axes = stated(d_, node(), 1, "axes");
    if (!axes || !normalize(*axes, rank())) return false;
    Axes next = turned_axes(*axes, perm_);
    std::ranges::sort(next);
    state(d_, n_, 1, "axes", next);
    turn_inputs();
    turn_outputs(d_, n_, squeezed(next, perm_));
    return true;
  }
  bool unsqueeze() {
    auto axes = stated(d_, node(), 1, "axes");
    if (!axes || !normalize(*axes, rank() + axes->size())) return false;
    turn_inputs();
    turn_outputs(d_, n_, unsqueezed(*axes, perm_));
    return true;
  }
  bool slice() {
    auto axes = stated(d_, node(), 3, "axes");
    if (!axes) {
      const auto starts = stated(d_, node(), 1, "starts");
      if (!starts || has_input(node(), 3)) return false;
      axes = index_run(0, static_cast<std::int64_t>(starts->size()));
    }
    if (!normalize(*axes, rank())) return false;
    state(d_, n_, 3, "axes", turned_axes(*axes, perm_));
    return turn_all();
  }
  bool tile() {
    const auto repeats = stated(d_, node(), 1, "repeats");
    if (!repeats || repeats->size() != rank() || !has_input(node(), 1)) return false;
    Value next = d_.value(node().inputs[1]);
    Axes turned_repeats;
    for (const std::int64_t axis : back_) turned_repeats.push_back((*repeats)[at(axis)]);
    next.dtype = DType::i64;
    next.constant = std::make_shared<const Tensor>(
        Tensor::of<std::int64_t>(next.shape, std::span<const std::int64_t>(turned_repeats)));
    next.name += "/turned";
    d_.set_input(n_, 1, d_.add_value(std::move(next)));
    return turn_all();
  }
  bool quantizer() {
    if (!d_.value(node().inputs[1]).shape.empty()) {
      Axes axis{node().attrs.integer("axis", 1)};
      if (!normalize(axis, rank())) return false;
      if (d_.value(node().inputs[1]).shape != Shape{1})
        node().attrs.set("axis", perm_[at(axis[0])]);
    }
    return turn_all();
  }

  Draft& d_;
  NodeId transpose_, n_;
  Perm perm_, back_;
  std::vector<std::size_t> inputs_;
};

}  // namespace

bool has_handler(const Node& node) {
  return turn_of(node) != Turn::none && (node.op != "Transpose" || stated_perm(node));
}

bool turns_outputs(const Node& node) {
  return node.op != "Transpose" && node.op != "Reshape";
}

std::vector<std::size_t> turned_inputs(const Draft& d, const Node& n) {
  std::vector<std::size_t> slots;
  const Turn turn = turn_of(n);
  const bool all = turn == Turn::all || turn == Turn::axis_all;
  for (std::size_t i = 0; i < n.inputs.size(); ++i)
    if (n.inputs[i] != no_id && (i == 0 || all || turn == Turn::broadcast) &&
        (turn != Turn::broadcast || !d.value(n.inputs[i]).shape.empty()))
      slots.push_back(i);
  return slots;
}

bool push_transpose(Draft& d, NodeId transpose, NodeId n) {
  if (d.node(n).op == "Transpose" && !stated_perm(d.node(n))) return false;
  return Turner(d, transpose, n).push();
}

}  // namespace lockstep
