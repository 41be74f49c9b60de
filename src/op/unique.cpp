// y = the different elements of x (or slices along the axis), each once; with where and how often
// each stands
#include <algorithm>
#include <numeric>

#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {
    {"y"}, {"indices", Slot::optional}, {"inverse", Slot::optional}, {"counts", Slot::optional}};
constexpr AttrSpec attrs[] = {
    {"axis", "none", "the axis of the slices; none: elements of x as one row"},
    {"sorted", "1", "1: ascending, 0: in the order in which they come first"}};
constexpr Rule rules[] = {
    {"x is a constant, or follows from constants, of a type other than float16: it decides the "
     "shape",
     [](const NodeView& n) { return n.constant(0) && n.constant(0)->dtype() != DType::f16; }}};
constexpr Foreign from[] = {{Format::onnx, "Unique"}};

// x as slices of `outer * inner` elements; the first slice of each kind, in y's order, and the kind
// of each slice.
struct Kinds {
  std::int64_t outer = 1, slices = 0, inner = 1;
  std::vector<std::int64_t> first, kind;
};

// -1, 0 or 1 as slice a stands before, equals or stands behind slice b.
int compared(const Tensor& x, const Kinds& k, std::int64_t a, std::int64_t b) {
  for (std::int64_t o = 0; o < k.outer; ++o)
    for (std::int64_t i = 0; i < k.inner; ++i) {
      const std::int64_t ia = (o * k.slices + a) * k.inner + i,
                         ib = (o * k.slices + b) * k.inner + i;
      if (is_float(x.dtype())) {
        if (x.number(ia) != x.number(ib)) return x.number(ia) < x.number(ib) ? -1 : 1;
      } else if (x.code(ia) != x.code(ib)) {
        return x.code(ia) < x.code(ib) ? -1 : 1;
      }
    }
  return 0;
}

Result<Kinds> kinds_of(const NodeView& n) {
  const Tensor& x = *n.constant(0);
  Kinds k;
  k.slices = x.count();
  if (n.attrs().has("axis")) {
    LOCKSTEP_TRY(const std::size_t axis,
                 normal_axis(n, n.attrs().integer("axis", 0), x.shape().size()));
    k.slices = x.shape()[axis];
    k.inner = strides_of(x.shape())[axis];
    k.outer = k.slices * k.inner == 0 ? 0 : x.count() / (k.slices * k.inner);
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(k.slices));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(
      order, [&](std::int64_t a, std::int64_t b) { return compared(x, k, a, b) < 0; });
  k.kind.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || compared(x, k, order[i - 1], order[i]) != 0) k.first.push_back(order[i]);
    k.kind[static_cast<std::size_t>(order[i])] = std::ssize(k.first) - 1;
  }
  if (n.attrs().integer("sorted", 1) != 0) return k;
  std::vector<std::int64_t> by_first(k.first.size()), place(k.first.size());
  std::iota(by_first.begin(), by_first.end(), 0);
  std::ranges::sort(by_first, {},
                    [&](std::int64_t i) { return k.first[static_cast<std::size_t>(i)]; });
  for (std::size_t i = 0; i < by_first.size(); ++i)
    place[static_cast<std::size_t>(by_first[i])] = static_cast<std::int64_t>(i);
  for (std::int64_t& kind : k.kind) kind = place[static_cast<std::size_t>(kind)];
  std::ranges::sort(k.first);
  return k;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Kinds k, kinds_of(n));
  const std::int64_t count = std::ssize(k.first);
  Shape y = {count};
  if (n.attrs().has("axis")) {
    LOCKSTEP_TRY(const std::size_t axis,
                 normal_axis(n, n.attrs().integer("axis", 0), n.input(0).shape.size()));
    y = n.input(0).shape;
    y[axis] = count;
  }
  std::vector<Facts> facts{{n.input(0).dtype, y, {}},
                           {DType::i64, {count}, {}},
                           {DType::i64, {k.slices}, {}},
                           {DType::i64, {count}, {}}};
  facts.resize(std::min(facts.size(), n.node.outputs.size()));
  return facts;
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Kinds k, kinds_of(c.view));
  const std::size_t size = size_of(c.out[0].dtype()) * static_cast<std::size_t>(k.inner);
  for (std::int64_t o = 0; o < k.outer; ++o)
    for (std::size_t i = 0; i < k.first.size(); ++i)
      std::copy_n(
          c.in[0]->bytes().data() + static_cast<std::size_t>(o * k.slices + k.first[i]) * size,
          size,
          c.out[0].bytes().data() + (static_cast<std::size_t>(o) * k.first.size() + i) * size);
  const auto wanted = [&](std::size_t i) {
    return i < c.view.node.outputs.size() && c.view.node.outputs[i] != no_id;
  };
  if (wanted(1)) std::ranges::copy(k.first, c.out[1].as<std::int64_t>().begin());
  if (wanted(2)) std::ranges::copy(k.kind, c.out[2].as<std::int64_t>().begin());
  if (wanted(3)) {
    std::ranges::fill(c.out[3].as<std::int64_t>(), 0);
    for (const std::int64_t kind : k.kind)
      ++c.out[3].as<std::int64_t>()[static_cast<std::size_t>(kind)];
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_unique = {
    .name = "Unique",
    .meaning = "y = the different elements of x (or slices along the axis), each once",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
