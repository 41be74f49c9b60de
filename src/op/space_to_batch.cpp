// y[(r*n_count + n), o, c] = x[n, o*block + r - pad, c], outside the zero point or code 0; r counts
// the positions inside a block, the last axis fastest.
#include <algorithm>

#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"block"}, {"pads"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"fill", "zero_point", "what stands outside x: zero_point, or zero, the code 0"},
    {"open", "0", "1: the file leaves an extent of y open"}};
constexpr Rule rules[] = {{constant_rule, constants_if_there<1, 2>},
                          {codes_rule, first_keeps_codes}};

struct Plan {
  std::vector<std::int64_t> block, pads;
  Shape y;
  std::int64_t blocks = 1;
};

Result<Plan> plan_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  Plan p{integers_at(n, 1, "").value_or(Shape{}), integers_at(n, 2, "").value_or(Shape{}), x, 1};
  if (p.block.empty() || x.size() < p.block.size() + 1 || p.pads.size() != 2 * p.block.size())
    return Error{n.where(), "x " + shape_text(x) + ", block " + shape_text(p.block),
                 "fewer block extents than axes, two pads each", ""};
  for (std::size_t a = 0; a < p.block.size(); ++a) {
    const std::int64_t whole = x[a + 1] + p.pads[2 * a] + p.pads[2 * a + 1];
    if (p.block[a] < 1 || p.pads[2 * a] < 0 || p.pads[2 * a + 1] < 0 || whole % p.block[a] != 0)
      return Error{n.where(),
                   "a padded extent of " + std::to_string(whole) + " in blocks of " +
                       std::to_string(p.block[a]),
                   "whole blocks", ""};
    p.y[a + 1] = whole / p.block[a];
    p.blocks *= p.block[a];
  }
  p.y[0] = x[0] * p.blocks;
  return p;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(Plan p, plan_of(n));
  return std::vector<Facts>{{n.input(0).dtype, std::move(p.y), n.input(0).quant}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Plan p, plan_of(c.view));
  const Shape& x = c.in[0]->shape();
  const std::int32_t zero =
      c.view.input(0).quant.quantized() && c.view.attrs().text("fill", "") != "zero"
          ? c.view.input(0).quant.zero_at(0)
          : 0;
  std::ranges::fill(c.out[0].bytes(), std::byte{0});
  for (std::int64_t i = 0; zero != 0 && i < c.out[0].count(); ++i) c.out[0].set_code(i, zero);
  const std::size_t m = p.block.size();
  std::int64_t inner = 1, positions = 1;
  for (std::size_t a = m + 1; a < x.size(); ++a) inner *= x[a];
  for (std::size_t a = 1; a <= m; ++a) positions *= p.y[a];
  const auto bytes = static_cast<std::size_t>(inner) * size_of(c.in[0]->dtype());
  for (std::int64_t b = 0; b < p.y[0]; ++b)
    for (std::int64_t o = 0; o < positions; ++o) {
      std::int64_t rest_block = b / x[0], rest_position = o, at = 0, step = 1;
      bool inside = true;
      for (std::size_t a = m; a-- > 0;) {
        const std::int64_t k =
            rest_position % p.y[a + 1] * p.block[a] + rest_block % p.block[a] - p.pads[2 * a];
        rest_position /= p.y[a + 1];
        rest_block /= p.block[a];
        inside = inside && k >= 0 && k < x[a + 1];
        at += k * step;
        step *= x[a + 1];
      }
      if (!inside) continue;
      const auto from = static_cast<std::size_t>(b % x[0] * step + at) * bytes,
                 to = static_cast<std::size_t>(b * positions + o) * bytes;
      std::copy_n(c.in[0]->bytes().data() + from, bytes, c.out[0].bytes().data() + to);
    }
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs canonical;
  if (!f.outputs.empty() && f.outputs[0] != no_id &&
      std::ranges::count(graph.value(f.outputs[0]).shape, -1) > 0)
    canonical.set("open", std::int64_t{1});
  return add_like(f, graph, "SpaceToBatch", f.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::tflite, "SPACE_TO_BATCH_ND", from_tflite}};

}  // namespace

extern constinit const OpDef op_space_to_batch = {
    .name = "SpaceToBatch",
    .meaning = "y[r*N + n, o, c] = x[n, o*block + r - pad, c]",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
