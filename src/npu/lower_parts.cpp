// y[i] = x[at(i)]: tensors in another order, and parts of tensors
#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "npu/followed.h"
#include "npu/lower_values.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

// Where the elements of a result stand in its operand: at(i, j, ...) = first + i*step[0] + ...
struct Places {
  std::int64_t first = 0;
  std::vector<std::int64_t> step;
};

// Of a result of an operation that only moves: where the elements of its operand went, seen by
// moving their numbers; nothing where they lie at no even distance, or backwards.
std::optional<Places> places_of(const NodeView& v, std::size_t output) {
  const std::optional<Tensor> numbers = moved_numbers(v, output);
  if (!numbers) return {};
  const Tensor& moved = *numbers;
  const Shape& s = moved.shape();
  Places p{moved.code(0), std::vector<std::int64_t>(s.size(), 0)};
  std::int64_t inner = 1;
  for (std::size_t a = s.size(); a-- > 0; inner *= s[a])
    if (s[a] > 1) p.step[a] = moved.code(inner) - p.first;
  if (std::ranges::any_of(p.step, [](std::int64_t step) { return step < 0; })) return {};
  for (std::int64_t i = 0; i < moved.count(); ++i) {
    std::int64_t at = p.first, rest = i;
    for (std::size_t a = s.size(); a-- > 0; rest /= s[a]) at += rest % s[a] * p.step[a];
    if (moved.code(i) != at) return {};
  }
  return p;
}

// One channel, row and column of the result after the other.
void copy(const Node& node, ValueId y, const Places& p, const std::string& kind,
          NpuValues& values) {
  const Shape& shape = values.graph().value(y).shape;
  std::vector<std::pair<std::int64_t, std::int64_t>> axes;  // of the result: extent, step in x
  for (std::size_t a = shape.size() == 4 ? 1 : 0; a < shape.size(); ++a)
    axes.emplace_back(shape[a], p.step[a]);
  while (axes.size() < 3) axes.insert(axes.begin(), {1, 1});
  const NpuHeld from = values.in_file_order(node.inputs[0]);
  NpuDraft& d = values.draft();
  const std::string name = fmt::format("{}_{}", kind, d.begin_epoch());
  d.node(name, kind);
  values.make(y, true);
  const NpuWalk walk{.offset = p.first,
                     .width = axes[2].first,
                     .height = axes[1].first,
                     .depth = 1,
                     .pixel = axes[2].second,
                     .line = axes[1].second,
                     .count = axes[0].first,
                     .step = axes[0].second};
  const NpuWalk dense{.width = axes[2].first,
                      .height = axes[1].first,
                      .depth = 1,
                      .pixel = 1,
                      .line = axes[2].first,
                      .count = axes[0].first,
                      .step = axes[1].first * axes[2].first};
  d.write(d.read(from.buffer, walk, name), values.held(y).buffer, dense, name);
}

}  // namespace

Result<void> lower_parts(const Node& node, NpuValues& values) {
  const Graph& g = values.graph();
  const NodeView v{g, node};
  const Shape& x = v.input(0).shape;
  const bool codes = is_code(v.input(0)) && size_of(v.input(0).dtype) == 1;
  const bool constant =
      std::ranges::all_of(node.inputs.begin() + 1, node.inputs.end(),
                          [&](ValueId in) { return in == no_id || g.value(in).constant; });
  if (!codes || !constant || x.size() > 4)
    return no_npu_form(g, node, node.op + " of reals, or by computed places",
                       "8-bit codes and constant places");
  for (std::size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == no_id) continue;
    const auto places = places_of(v, o);
    const Shape& y = v.output(o).shape;
    const bool batch = y.size() == 4 && (y[0] != 1 || x.size() != 4);
    if (!places || y.size() > 4 || batch)
      return no_npu_form(g, node, "elements at no even distance, backwards, or of several images",
                         "a part of each axis, forwards");
    copy(node, node.outputs[o], *places, node.op == "Transpose" ? "Transpose" : "Slice", values);
  }
  return {};
}

}  // namespace lockstep
