#include "op/op_move.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace lockstep {

Shape shape_of_sources(const Sources& sources) {
  Shape shape;
  for (const auto& axis : sources) shape.push_back(static_cast<std::int64_t>(axis.size()));
  return shape;
}

std::vector<std::int64_t> index_run(std::int64_t first, std::int64_t count, std::int64_t step) {
  std::vector<std::int64_t> run(static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
  for (std::size_t i = 0; i < run.size(); ++i) run[i] = first + static_cast<std::int64_t>(i) * step;
  return run;
}

std::vector<std::int64_t> slice_run(std::int64_t start, std::int64_t end, std::int64_t step,
                                    std::int64_t extent, std::int64_t least_start) {
  constexpr std::int64_t far = std::int64_t{1} << 41;  // no axis is longer
  step = std::clamp(step, -far, far);
  if (start < 0) start += extent;
  if (end < 0) end += extent;
  if (step > 0) {
    start = std::clamp<std::int64_t>(start, 0, extent);
    end = std::clamp<std::int64_t>(end, 0, extent);
    return index_run(start, (end - start + step - 1) / step, step);
  }
  start = std::clamp<std::int64_t>(start, std::min(least_start, extent - 1), extent - 1);
  end = std::clamp<std::int64_t>(end, -1, extent - 1);
  return index_run(start, (end - start + step + 1) / step, step);
}

Sources all_of(const Shape& shape) {
  Sources sources;
  for (const std::int64_t extent : shape) sources.push_back(index_run(0, extent));
  return sources;
}

namespace {

// Calls f(from, to) for every element of a tensor of `shape`: `from` is its offset under per-axis
// offset lists, negative when an axis comes from nowhere.
template <class F>
void for_each_source(const Sources& offsets, std::size_t axis, std::int64_t from, std::int64_t& to,
                     F&& f) {
  if (axis == offsets.size()) {
    f(from, to++);
    return;
  }
  for (const std::int64_t offset : offsets[axis])
    for_each_source(offsets, axis + 1, from < 0 || offset < 0 ? no_source : from + offset, to, f);
}

}  // namespace

void copy_from_sources(const Tensor& x, const Sources& sources, Tensor& y) {
  const Shape strides = strides_of(x.shape());
  Sources offsets = sources;
  for (std::size_t d = 0; d < offsets.size(); ++d)
    for (std::int64_t& index : offsets[d])
      if (index >= 0) index *= strides[d];
  const std::size_t size = size_of(x.dtype());
  const std::byte* in = x.bytes().data();
  std::byte* out = y.bytes().data();
  std::int64_t to = 0;
  for_each_source(offsets, 0, 0, to, [&](std::int64_t from, std::int64_t at) {
    if (from >= 0)
      std::memcpy(out + static_cast<std::size_t>(at) * size,
                  in + static_cast<std::size_t>(from) * size, size);
  });
}

void copy_strided(const Tensor& x, const Shape& shape, const Shape& strides, std::int64_t base,
                  Tensor& y) {
  const std::size_t size = size_of(x.dtype());
  const std::byte* in = x.bytes().data();
  std::byte* out = y.bytes().data();
  Shape at(shape.size(), 0);
  std::int64_t from = base;
  for (std::int64_t i = 0; i < y.count(); ++i) {
    std::memcpy(out + static_cast<std::size_t>(i) * size,
                in + static_cast<std::size_t>(from) * size, size);
    for (std::size_t d = shape.size(); d-- > 0;) {
      from += strides[d];
      if (++at[d] < shape[d]) break;
      from -= strides[d] * shape[d];
      at[d] = 0;
    }
  }
}

Result<void> copy_whole(EvalContext& c) {
  std::ranges::copy(c.in[0]->bytes(), c.out[0].bytes().begin());
  return {};
}

void fill(Tensor& y, const std::byte* element) {
  const std::size_t size = size_of(y.dtype());
  for (std::size_t i = 0; i < y.bytes().size(); i += size)
    std::memcpy(y.bytes().data() + i, element, size);
}

Result<std::size_t> normal_axis(const NodeView& n, std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r)
    return Error{n.where(), "axis " + std::to_string(axis),
                 r == 0 ? "none: the tensor is a scalar"
                        : std::to_string(-r) + " .. " + std::to_string(r - 1),
                 ""};
  return static_cast<std::size_t>(axis < 0 ? axis + r : axis);
}

Result<std::vector<std::size_t>> normal_axes(const NodeView& n, std::span<const std::int64_t> axes,
                                             std::size_t rank) {
  std::vector<std::size_t> normal;
  for (const std::int64_t axis : axes) {
    LOCKSTEP_TRY(const std::size_t a, normal_axis(n, axis, rank));
    if (std::ranges::count(normal, a))
      return Error{n.where(), "axis " + std::to_string(axis) + " twice", "each axis once", ""};
    normal.push_back(a);
  }
  return normal;
}

std::vector<std::int64_t> integers_of(const Tensor& x) {
  std::vector<std::int64_t> integers(static_cast<std::size_t>(x.count()));
  for (std::size_t i = 0; i < integers.size(); ++i)
    integers[i] = x.code(static_cast<std::int64_t>(i));
  return integers;
}

std::optional<std::vector<std::int64_t>> integers_at(const NodeView& n, std::size_t i,
                                                     std::string_view attr) {
  if (const Tensor* t = n.constant(i)) return integers_of(*t);
  const auto it = n.attrs().values.find(attr);
  if (n.has_input(i) || it == n.attrs().values.end()) return std::nullopt;
  if (const auto* one = std::get_if<std::int64_t>(&it->second)) return std::vector{*one};
  return n.attrs().integers(attr);
}

std::int64_t integer_at(const NodeView& n, std::size_t i, std::string_view attr,
                        std::int64_t fallback) {
  if (const Tensor* t = n.constant(i); t && t->count() > 0) return t->code(0);
  return n.attrs().integer(attr, fallback);
}

bool constant_if_there(const NodeView& n, std::size_t i) {
  return !n.has_input(i) || (n.constant(i) && is_integer(n.constant(i)->dtype()));
}

bool same_codes(const Value& x, const Value& y) {
  return !y.quant.quantized() || (y.quant.scale == x.quant.scale && y.quant.zero == x.quant.zero);
}

bool first_keeps_codes(const NodeView& n) {
  if (n.graph.format() == "onnx") return true;  // there a scale belongs to who reads the codes
  if (n.input(0).quant.per_channel()) return true;
  for (std::size_t i = 0; i < n.node.outputs.size(); ++i)
    if (n.node.outputs[i] != no_id && !same_codes(n.input(0), n.output(i))) return false;
  return true;
}

QuantParams quant_of_sources(const QuantParams& quant, const Sources& sources) {
  if (!quant.per_channel()) return quant;
  QuantParams moved{{}, {}, quant.axis};
  for (const std::int64_t channel : sources[static_cast<std::size_t>(quant.axis)]) {
    if (channel == no_source) return {};
    moved.scale.push_back(quant.scale_at(static_cast<std::size_t>(channel)));
    moved.zero.push_back(quant.zero_at(static_cast<std::size_t>(channel)));
  }
  return moved;
}

QuantParams quant_on_axis(QuantParams quant, int axis) {
  if (!quant.per_channel()) return quant;
  if (axis < 0) return {};
  quant.axis = axis;
  return quant;
}

QuantParams quant_reshaped(const QuantParams& quant, const Shape& from, const Shape& to) {
  if (!quant.per_channel()) return quant;
  const auto axis = static_cast<std::size_t>(quant.axis);
  std::int64_t before = 1, outer = 1;
  for (std::size_t d = 0; d < axis; ++d) before *= from[d];
  for (std::size_t d = 0; d < to.size(); outer *= to[d++])
    if (outer == before && to[d] == from[axis]) return quant_on_axis(quant, static_cast<int>(d));
  return {};
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape y(std::max(a.size(), b.size()));
  for (std::size_t i = 1; i <= y.size(); ++i) {
    const std::int64_t ea = i <= a.size() ? a[a.size() - i] : 1;
    const std::int64_t eb = i <= b.size() ? b[b.size() - i] : 1;
    if (ea != eb && ea != 1 && eb != 1) return std::nullopt;
    y[y.size() - i] = ea == 1 ? eb : ea;
  }
  return y;
}

Shape broadcast_strides(const Shape& from, const Shape& to) {
  const Shape strides = strides_of(from);
  Shape wide(to.size(), 0);
  const std::size_t shift = to.size() - from.size();
  for (std::size_t d = 0; d < from.size(); ++d)
    if (from[d] != 1) wide[d + shift] = strides[d];
  return wide;
}

Node node_like(const ForeignNode& foreign, const GraphBuilder& graph, std::string_view op) {
  Node node;
  node.name = graph.unique_node_name(foreign.name);
  node.op = op;
  node.inputs = foreign.inputs;
  node.outputs = foreign.outputs;
  node.origin = {graph.so_far().file(), foreign.name, foreign.name, ""};
  return node;
}

Result<void> add_like(const ForeignNode& foreign, GraphBuilder& graph, std::string_view op,
                      std::vector<ValueId> inputs, Attrs attrs) {
  Node node = node_like(foreign, graph, op);
  node.inputs = std::move(inputs);
  node.attrs = std::move(attrs);
  graph.add_node(std::move(node));
  return {};
}

Result<const Tensor*> constant_of(const ForeignNode& foreign, const GraphBuilder& graph,
                                  std::size_t i, std::string_view name) {
  const bool there = i < foreign.inputs.size() && foreign.inputs[i] != no_id;
  const Tensor* t = there ? graph.so_far().value(foreign.inputs[i]).constant.get() : nullptr;
  if (!t || t->count() == 0)
    return Error{foreign.where, "no constant '" + std::string(name) + "'",
                 std::string(constant_rule), ""};
  return t;
}

std::optional<DType> dtype_of_onnx_number(std::int64_t number) {
  switch (number) {
    case 1:
      return DType::f32;
    case 2:
      return DType::u8;
    case 3:
      return DType::i8;
    case 4:
      return DType::u16;
    case 5:
      return DType::i16;
    case 6:
      return DType::i32;
    case 7:
      return DType::i64;
    case 9:
      return DType::boolean;
    case 10:
      return DType::f16;
    case 11:
      return DType::f64;
    case 12:
      return DType::u32;
    case 13:
      return DType::u64;
    default:
      return std::nullopt;
  }
}

std::optional<DType> dtype_of_tflite_name(std::string_view name) {
  constexpr std::pair<std::string_view, DType> names[] = {
      {"FLOAT32", DType::f32}, {"FLOAT16", DType::f16}, {"FLOAT64", DType::f64},
      {"INT8", DType::i8},     {"UINT8", DType::u8},    {"INT16", DType::i16},
      {"UINT16", DType::u16},  {"INT32", DType::i32},   {"UINT32", DType::u32},
      {"INT64", DType::i64},   {"UINT64", DType::u64},  {"BOOL", DType::boolean}};
  for (const auto& [text, dtype] : names)
    if (text == name) return dtype;
  return std::nullopt;
}

}  // namespace lockstep
