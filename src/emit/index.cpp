// Gathers, scatters and one-hot codes by computed indices to C.
#include <algorithm>

#include "emit/any.h"

namespace lockstep {
namespace {

constexpr std::size_t most_axes = 6;

std::string index_type(const Value& v) {
  return element_of(v.dtype);
}

std::int64_t bytes_of_element(const Value& v) {
  return static_cast<std::int64_t>(size_of(v.dtype));
}

// Behind the axes that there are: `fill`.
std::vector<std::int64_t> six(std::vector<std::int64_t> v, std::int64_t fill) {
  v.resize(most_axes, fill);
  return v;
}

// The fields of an ls_places: tuples of `named` indices each, behind `batch` axes that are shared.
Result<void> write_places(NodeWriter& w, std::size_t batch, std::int64_t named,
                          std::int64_t tuples) {
  const Value &x = w.view().input(0), &index = w.view().input(1);
  if (named > static_cast<std::int64_t>(most_axes))
    return w.unsupported("more than six indices in one");
  const Shape strides = strides_of(x.shape);
  const auto first = x.shape.begin() + static_cast<std::ptrdiff_t>(batch);
  const std::int64_t batches = count_of(Shape(x.shape.begin(), first));
  std::vector<std::int64_t> extent(first, first + named),
      stride(strides.begin() + static_cast<std::ptrdiff_t>(batch),
             strides.begin() + static_cast<std::ptrdiff_t>(batch) + named);
  w.field("tuples", tuples), w.field("named", named);
  w.field("per_batch", std::max<std::int64_t>(1, tuples / batches));
  w.field("batch_step", count_of(x.shape) / batches);
  w.field("block", count_of(Shape(first + named, x.shape.end())));
  w.field("bytes", bytes_of_element(x));
  w.array("extent", six(std::move(extent), 1)), w.array("stride", six(std::move(stride), 0));
  w.field("index_type", index_type(index));
  w.uses("ls_index.c");
  return {};
}

Result<void> emit_gather_nd(NodeWriter& w) {
  const NodeView& v = w.view();
  if (v.constant(1)) return write_by_map(w);
  const std::int64_t named = v.input(1).shape.back();
  LOCKSTEP_CHECK(write_places(w, static_cast<std::size_t>(v.attrs().integer("batch_dims", 0)),
                              named, count_of(v.input(1).shape) / named));
  w.line("ls_gather_nd(" + w.params("ls_places") + ", " + w.in(0) + ", " + w.in(1) + ", " +
         w.out(0) + ");");
  return {};
}

// What updates do at their places: the name in rt/, with the type in which they do it.
Result<std::string> joining(const NodeWriter& w) {
  const std::string how = w.view().attrs().text("reduction", "none");
  const DType type = w.view().input(0).dtype;
  if (how == "none") return std::string("LS_REPLACE, LS_U8");
  if (type == DType::u32 || type == DType::u64 || type == DType::f16)
    return w.unsupported("updates of " + std::string(name_of(type)) + " that are joined");
  return std::string(how == "add"   ? "LS_PLUS"
                     : how == "mul" ? "LS_TIMES"
                     : how == "max" ? "LS_MAX"
                                    : "LS_MIN") +
         ", " + element_of(type);
}

// y may stand where x stood, unless the updates are x as well.
NodeMemory over_x(const NodeView& v, const Numerics&) {
  NodeMemory m;
  if (std::ranges::count(v.node.inputs, v.node.inputs[0]) == 1) m.shares.push_back({0, 0});
  return m;
}

// x to y, from where the updates go on.
void begin_with_x(NodeWriter& w) {
  if (w.in_place(0, 0)) return;
  const std::string bytes = std::to_string(bytes_of(w.view().output(0))) + "u";
  const Tensor* const x = w.view().constant(0);
  if (x && std::ranges::all_of(x->bytes(), [](std::byte b) { return b == std::byte{0}; }))
    w.line("memset(" + w.out(0) + ", 0, " + bytes + ");");
  else
    w.line("memcpy(" + w.out(0) + ", " + w.in(0) + ", " + bytes + ");");
}

Result<void> emit_scatter_nd(NodeWriter& w) {
  const NodeView& v = w.view();
  LOCKSTEP_TRY(const std::string how, joining(w));
  const std::int64_t named = v.input(1).shape.back();
  LOCKSTEP_CHECK(write_places(w, 0, named, count_of(v.input(1).shape) / named));
  begin_with_x(w);
  w.line("ls_scatter_nd(" + w.params("ls_places") + ", " + how + ", " + w.in(1) + ", " + w.in(2) +
         ", " + w.out(0) + ");");
  return {};
}

// The fields of an ls_elements.
Result<void> write_elements(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &index = v.input(1);
  if (x.shape.size() > most_axes) return w.unsupported("more than six axes");
  std::int64_t axis = v.attrs().integer("axis", 0);
  if (axis < 0) axis += std::ssize(x.shape);
  const auto at = static_cast<std::size_t>(axis);
  Shape strides = strides_of(x.shape);
  const std::int64_t step = strides[at];
  strides[at] = 0;
  w.array("extent", six(index.shape, 1)), w.array("stride", six(std::move(strides), 0));
  w.field("axis_extent", x.shape[at]), w.field("axis_stride", step);
  w.field("bytes", bytes_of_element(x)), w.field("index_type", index_type(index));
  w.uses("ls_index.c");
  return {};
}

Result<void> emit_gather_elements(NodeWriter& w) {
  if (w.view().constant(1)) return write_by_map(w);
  LOCKSTEP_CHECK(write_elements(w));
  w.line("ls_gather_elements(" + w.params("ls_elements") + ", " + w.in(0) + ", " + w.in(1) + ", " +
         w.out(0) + ");");
  return {};
}

Result<void> emit_scatter_elements(NodeWriter& w) {
  LOCKSTEP_TRY(const std::string how, joining(w));
  LOCKSTEP_CHECK(write_elements(w));
  begin_with_x(w);
  w.line("ls_scatter_elements(" + w.params("ls_elements") + ", " + how + ", " + w.in(1) + ", " +
         w.in(2) + ", " + w.out(0) + ");");
  return {};
}

// Rows of x chosen along one axis; behind shared axes the chosen axis is the next one.
Result<void> emit_gather(NodeWriter& w) {
  const NodeView& v = w.view();
  if (v.constant(1)) return write_by_map(w);
  const Value &x = v.input(0), &index = v.input(1);
  const auto rank = std::ssize(x.shape);
  std::int64_t axis = v.attrs().integer("axis", 0), batch = v.attrs().integer("batch_dims", 0);
  if (axis < 0) axis += rank;
  if (batch < 0) batch += std::ssize(index.shape);
  if (batch > 0) {
    if (axis != batch) return w.unsupported("computed indices by batch along a later axis");
    LOCKSTEP_CHECK(write_places(w, static_cast<std::size_t>(batch), 1, count_of(index.shape)));
    w.line("ls_gather_nd(" + w.params("ls_places") + ", " + w.in(0) + ", " + w.in(1) + ", " +
           w.out(0) + ");");
    return {};
  }
  std::int64_t outer = 1, bytes = bytes_of_element(x);
  for (std::int64_t d = 0; d < rank; ++d)
    if (d != axis) (d < axis ? outer : bytes) *= x.shape[static_cast<std::size_t>(d)];
  w.uses("ls_number.c");
  w.line("ls_gather(" + w.in(0) + ", " + w.in(1) + ", " + index_type(index) + ", " + w.out(0) +
         ", " + std::to_string(outer) + ", " +
         std::to_string(x.shape[static_cast<std::size_t>(axis)]) + ", " +
         std::to_string(count_of(index.shape)) + ", " + std::to_string(bytes) + ");");
  return {};
}

Result<void> emit_one_hot(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &index = v.input(0), &y = v.output(0);
  if (is_float(index.dtype) || index.dtype == DType::u32 || index.dtype == DType::u64)
    return w.unsupported("OneHot of " + std::string(name_of(index.dtype)));
  std::int64_t axis = v.attrs().integer("axis", -1);
  if (axis < 0) axis += std::ssize(y.shape);
  const std::int64_t inner = strides_of(y.shape)[static_cast<std::size_t>(axis)],
                     depth = y.shape[static_cast<std::size_t>(axis)];
  w.uses("ls_index.c");
  w.line("ls_one_hot(" + w.in(0) + ", " + index_type(index) + ", " + w.in(2) + ", " + w.out(0) +
         ", " + std::to_string(count_of(index.shape) / inner) + ", " + std::to_string(depth) +
         ", " + std::to_string(inner) + ", " + std::to_string(bytes_of_element(y)) + ", " +
         (v.attrs().integer("from_end", 1) != 0 ? "1" : "0") + ");");
  return {};
}

Result<void> emit_update(NodeWriter& w) {
  const NodeView& v = w.view();
  const Shape &x = v.input(0).shape, &update = v.input(1).shape;
  if (x.size() > most_axes) return w.unsupported("more than six axes");
  std::vector<std::int64_t> room;
  for (std::size_t d = 0; d < x.size(); ++d) room.push_back(x[d] - update[d]);
  w.array("extent", six(update, 1)), w.array("stride", six(strides_of(x), 0));
  w.array("room", six(std::move(room), 0));
  w.field("bytes", bytes_of_element(v.input(0))), w.field("start_type", index_type(v.input(2)));
  w.uses("ls_index.c");
  begin_with_x(w);
  w.line("ls_update_block(" + w.params("ls_block") + ", " + w.in(2) + ", " + w.in(1) + ", " +
         w.out(0) + ");");
  return {};
}

constexpr NodeEmitter table[] = {
    {"Gather", nullptr, emit_gather},
    {"GatherND", nullptr, emit_gather_nd},
    {"GatherElements", nullptr, emit_gather_elements},
    {"ScatterND", over_x, emit_scatter_nd},
    {"ScatterElements", over_x, emit_scatter_elements},
    {"OneHot", nullptr, emit_one_hot},
    {"DynamicUpdateSlice", over_x, emit_update},
};

}  // namespace

std::span<const NodeEmitter> index_emitters() {
  return table;
}

}  // namespace lockstep
