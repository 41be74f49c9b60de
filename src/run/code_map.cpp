#include "run/code_map.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "num/litert_sums.h"
#include "num/xnnpack.h"
#include "op/op_binary.h"
#include "op/op_codes.h"
#include "run/node_kernels.h"

namespace lockstep {
namespace {

// Operators whose every element follows from the elements at the same place, and from nothing else.
constexpr std::array<std::string_view, 48> placewise = {"Abs",
                                                        "Add",
                                                        "BoundedRelu",
                                                        "Ceil",
                                                        "Celu",
                                                        "Clip",
                                                        "Cos",
                                                        "DequantizeLinear",
                                                        "Div",
                                                        "Elu",
                                                        "Equal",
                                                        "Erf",
                                                        "Exp",
                                                        "Floor",
                                                        "Gelu",
                                                        "Greater",
                                                        "GreaterOrEqual",
                                                        "HardSigmoid",
                                                        "HardSwish",
                                                        "Identity",
                                                        "LeakyRelu",
                                                        "Less",
                                                        "LessOrEqual",
                                                        "Log",
                                                        "Max",
                                                        "Min",
                                                        "Mish",
                                                        "Mul",
                                                        "Neg",
                                                        "PRelu",
                                                        "Pow",
                                                        "QuantizeLinear",
                                                        "Reciprocal",
                                                        "Relu",
                                                        "Requantize",
                                                        "Round",
                                                        "Rsqrt",
                                                        "Selu",
                                                        "Shrink",
                                                        "Sigmoid",
                                                        "Sign",
                                                        "Softplus",
                                                        "Softsign",
                                                        "Sqrt",
                                                        "SquaredDifference",
                                                        "Sub",
                                                        "Tanh",
                                                        "ThresholdedRelu"};

bool byte_wide(const Value& v) {
  return v.dtype == DType::i8 || v.dtype == DType::u8;
}

// The axis of y along which a constant operand moves: -1 for a single number, -2 for several axes.
int axis_of(const Shape& y, const Shape& c) {
  int axis = -1;
  for (std::size_t k = 0; k < c.size(); ++k) {
    if (c[c.size() - 1 - k] == 1) continue;
    if (axis != -1 || k >= y.size()) return -2;
    axis = static_cast<int>(y.size() - 1 - k);
  }
  return axis;
}

// Scales and zero points are lists along the attribute `axis`.
int scale_axis(const Graph& g, const Node& n) {
  const Value& scale = g.value(n.inputs[1]);
  if (count_of(scale.shape) == 1) return -1;
  if (n.attrs.integer("block_size", 0) != 0) return -2;
  const std::int64_t rank = static_cast<std::int64_t>(g.value(n.inputs[0]).shape.size()),
                     axis = n.attrs.integer("axis", 1);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

struct Search {
  const Graph& g;
  std::span<const Tensor* const> constants;
  std::span<const CodeMap> maps;

  CodeMap of(const Node& n) const {
    CodeMap map;
    if (!std::ranges::binary_search(placewise, n.op) || n.outputs.size() != 1) return {};
    const Value& y = g.value(n.outputs[0]);
    if (size_of(y.dtype) != 1 && y.dtype != DType::f32 && y.dtype != DType::i16) return {};
    if (place_may_count(n, y)) return {};
    const bool scaled = n.op == "QuantizeLinear" || n.op == "DequantizeLinear";
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      if (n.inputs[i] == no_id) continue;
      const Value& v = g.value(n.inputs[i]);
      if (constants[static_cast<std::size_t>(n.inputs[i])]) {
        const int axis = scaled ? scale_axis(g, n) : axis_of(y.shape, v.shape);
        if (axis == -2 || (axis >= 0 && map.axis >= 0 && axis != map.axis)) return {};
        map.axis = std::max(map.axis, axis);
        continue;
      }
      CodeMap from = maps[static_cast<std::size_t>(n.inputs[i])];
      if (from.source == no_id && byte_wide(v)) from.source = n.inputs[i];
      if (from.source == no_id || (map.source != no_id && map.source != from.source)) return {};
      if (from.axis >= 0 && map.axis >= 0 && from.axis != map.axis) return {};
      map = {from.source, std::max(map.axis, from.axis)};
    }
    if (map.source == no_id || g.value(map.source).shape != y.shape) return {};
    return room(map) < 0 && !lone(n, map) ? CodeMap{} : map;
  }

  // In some arithmetic: between types and to 16 bits (N83), sums of scales far apart (N110).
  bool place_may_count(const Node& n, const Value& y) const {
    const std::int64_t count = count_of(y.shape);
    if (n.op == "Requantize") return g.value(n.inputs[0]).dtype != y.dtype && count % 16 != 0;
    if (n.op == "QuantizeLinear") return y.dtype == DType::i16 && count % 8 != 0;
    if (n.op != "Add") return false;
    const Value &a = g.value(n.inputs[0]), &b = g.value(n.inputs[1]);
    if (!is_code(a) || !is_code(b) || !is_code(y)) return false;
    const BinaryState state = xnnpack_add.prepare(binary_scales(NodeView{g, n}));
    if (!sums_by_rows(xnnpack_add, state)) return false;
    // Rows in whole vectors alone: so are those of the 256 codes.
    const SumRows rows = sum_rows(state, y.dtype == DType::u8, a.shape, b.shape);
    return rows.whole != rows.row;
  }

  // A function of one operand has the same meaning whatever its shape.
  bool lone(const Node& n, const CodeMap& map) const {
    return n.inputs.size() == 1 && map.source == n.inputs[0] && map.axis < 0 &&
           !g.value(map.source).shape.empty();
  }

  // The innermost axis on which anything moves, where it is not the channels': it carries the 256
  // codes.
  int room(const CodeMap& map) const {
    const Shape& s = g.value(map.source).shape;
    if (map.axis >= 0 && s[static_cast<std::size_t>(map.axis)] > 4096) return -1;
    for (int a = static_cast<int>(s.size()) - 1; a >= 0; --a)
      if (s[static_cast<std::size_t>(a)] > 1 && a != map.axis) return a;
    return -1;
  }
};

// One node over other extents, evaluated as the executor would.
Result<Tensor> evaluate(const Graph& g, const Numerics& num,
                        std::span<const Tensor* const> constants, const Node& node,
                        const Shape& shape, const std::map<ValueId, Tensor>& known) {
  GraphBuilder b(g.file(), g.format());
  Node copy = node;
  std::vector<const Tensor*> in;
  for (ValueId& id : copy.inputs) {
    if (id == no_id) {
      in.push_back(nullptr);
      continue;
    }
    Value v = g.value(id);
    v.producer = no_id;
    const auto it = known.find(id);
    if (it != known.end()) v.shape = shape;
    const Tensor* const constant = constants[static_cast<std::size_t>(id)];
    in.push_back(it == known.end() ? constant : &it->second);
    if (constant) v.constant = std::shared_ptr<const Tensor>(std::shared_ptr<void>(), constant);
    const ValueId there = b.find(v.name);
    id = there == no_id ? b.add_value(std::move(v)) : there;
  }
  Value y = g.value(node.outputs[0]);
  y.producer = no_id;
  y.shape = shape;
  copy.outputs = {b.add_value(std::move(y))};
  std::vector<Tensor> out{Tensor(g.value(node.outputs[0]).dtype, shape)};
  const NodeView view{b.so_far(), copy};
  std::vector<const Tensor*> constant(in.size(), nullptr);
  for (std::size_t i = 0; i < in.size(); ++i)
    if (node.inputs[i] != no_id && !known.contains(node.inputs[i])) constant[i] = in[i];
  const KernelProblem problem{view, num, constant};
  if (const Kernel* const kernel = pick_kernel(problem)) {
    run_kernel(*kernel, *kernel->prepare(problem), view, constant, in, out);
    return std::move(out[0]);
  }
  EvalContext context{view, num, in, out};
  LOCKSTEP_CHECK(find_op(node.op)->eval(context));
  return std::move(out[0]);
}

// The nodes between the source and `id`, in order.
void collect(const Graph& g, std::span<const Tensor* const> constants, ValueId source, ValueId id,
             std::vector<NodeId>& nodes) {
  if (id == source || constants[static_cast<std::size_t>(id)]) return;
  const NodeId n = g.value(id).producer;
  for (const ValueId in : g.node(n).inputs)
    if (in != no_id) collect(g, constants, source, in, nodes);
  if (std::ranges::count(nodes, n) == 0) nodes.push_back(n);
}

}  // namespace

std::vector<NodeId> nodes_between(const Graph& g, std::span<const Tensor* const> constants,
                                  ValueId source, ValueId id) {
  std::vector<NodeId> nodes;
  collect(g, constants, source, id, nodes);
  return nodes;
}

std::vector<CodeMap> code_maps(const Graph& graph, std::span<const Tensor* const> constants,
                               std::span<const ValueId> stops) {
  std::vector<CodeMap> maps(graph.values().size());
  const Search search{graph, constants, maps};
  std::vector<char> stop(graph.values().size(), 0);
  for (const ValueId v : stops) stop[static_cast<std::size_t>(v)] = 1;
  for (const Node& n : graph.nodes())
    if (n.outputs.size() == 1 && n.outputs[0] != no_id &&
        !stop[static_cast<std::size_t>(n.outputs[0])] &&
        !constants[static_cast<std::size_t>(n.outputs[0])])
      maps[static_cast<std::size_t>(n.outputs[0])] = search.of(n);
  return maps;
}

CodeTable code_table(const Graph& g, const Numerics& num, std::span<const Tensor* const> constants,
                     std::span<const CodeMap> maps, ValueId id) {
  const CodeMap map = maps[static_cast<std::size_t>(id)];
  const Value& source = g.value(map.source);
  const int moving = Search{g, constants, maps}.room(map);
  const std::size_t room = moving < 0 ? source.shape.size() - 1 : static_cast<std::size_t>(moving);
  Shape shape(source.shape.size(), 1);
  shape[room] = 256;
  CodeTable table;
  if (map.axis >= 0)
    table.channels = shape[static_cast<std::size_t>(map.axis)] =
        source.shape[static_cast<std::size_t>(map.axis)];
  // Element of channel c and byte q.
  const auto at = [&](std::int64_t c, std::int64_t q) {
    return static_cast<std::size_t>(map.axis < static_cast<int>(room) ? c * 256 + q
                                                                      : q * table.channels + c);
  };
  std::map<ValueId, Tensor> known;
  Tensor& x = known.emplace(map.source, Tensor(source.dtype, shape)).first->second;
  for (std::int64_t c = 0; c < table.channels; ++c)
    for (std::int64_t q = 0; q < 256; ++q) x.bytes()[at(c, q)] = static_cast<std::byte>(q);
  std::vector<NodeId> nodes;
  collect(g, constants, map.source, id, nodes);
  for (const NodeId n : nodes) {
    auto made = evaluate(g, num, constants, g.node(n), shape, known);
    if (!made.ok()) return {};
    known.insert_or_assign(g.node(n).outputs[0], std::move(made).value());
  }
  const Tensor& y = known.at(id);
  table.width = size_of(y.dtype());
  table.entries.resize(static_cast<std::size_t>(table.channels) * 256 * table.width);
  for (std::int64_t c = 0; c < table.channels; ++c)
    for (std::int64_t q = 0; q < 256; ++q)
      std::memcpy(table.entries.data() + static_cast<std::size_t>(c * 256 + q) * table.width,
                  y.bytes().data() + at(c, q) * table.width, table.width);
  return table;
}

}  // namespace lockstep
