// y[n, o, c] = x[r*n_count + n, q, c] with o + crop = q*block + r on each spatial axis.
#include <algorithm>

#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"block"}, {"crops"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Rule rules[] = {{constant_rule, constants_if_there<1, 2>},
                          {codes_rule, first_keeps_codes}};

struct Plan {
  std::vector<std::int64_t> block, crops;
  Shape y;
};

Result<Plan> plan_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  Plan p{integers_at(n, 1, "").value_or(Shape{}), integers_at(n, 2, "").value_or(Shape{}), x};
  std::int64_t blocks = 1;
  for (const std::int64_t b : p.block) blocks *= b < 1 ? 0 : b;
  if (p.block.empty() || blocks == 0 || x.size() < p.block.size() + 1 ||
      p.crops.size() != 2 * p.block.size() || x[0] % blocks != 0)
    return Error{n.where(), "x " + shape_text(x) + ", block " + shape_text(p.block),
                 "a batch that holds whole blocks, two crops for each axis", ""};
  p.y[0] = x[0] / blocks;
  for (std::size_t a = 0; a < p.block.size(); ++a) {
    p.y[a + 1] = x[a + 1] * p.block[a] - p.crops[2 * a] - p.crops[2 * a + 1];
    if (p.crops[2 * a] < 0 || p.crops[2 * a + 1] < 0 || p.y[a + 1] < 0)
      return Error{n.where(), "crops " + shape_text(p.crops), "crops inside the tensor", ""};
  }
  return p;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(Plan p, plan_of(n));
  return std::vector<Facts>{{n.input(0).dtype, std::move(p.y), n.input(0).quant}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Plan p, plan_of(c.view));
  const Shape& x = c.in[0]->shape();
  const std::size_t m = p.block.size();
  std::int64_t inner = 1, positions = 1;
  for (std::size_t a = m + 1; a < x.size(); ++a) inner *= x[a];
  for (std::size_t a = 1; a <= m; ++a) positions *= p.y[a];
  const auto bytes = static_cast<std::size_t>(inner) * size_of(c.in[0]->dtype());
  for (std::int64_t n = 0; n < p.y[0]; ++n)
    for (std::int64_t o = 0; o < positions; ++o) {
      std::int64_t rest = o, at = 0, step = 1, block = 0, block_step = 1;
      for (std::size_t a = m; a-- > 0;) {
        const std::int64_t k = rest % p.y[a + 1] + p.crops[2 * a];
        rest /= p.y[a + 1];
        at += k / p.block[a] * step;
        step *= x[a + 1];
        block += k % p.block[a] * block_step;
        block_step *= p.block[a];
      }
      const auto from = static_cast<std::size_t>((block * p.y[0] + n) * step + at) * bytes,
                 to = static_cast<std::size_t>(n * positions + o) * bytes;
      std::copy_n(c.in[0]->bytes().data() + from, bytes, c.out[0].bytes().data() + to);
    }
  return {};
}

constexpr Foreign from[] = {{Format::tflite, "BATCH_TO_SPACE_ND"}};

}  // namespace

extern constinit const OpDef op_batch_to_space = {
    .name = "BatchToSpace",
    .meaning = "y[n, o, c] = x[r*N + n, q, c], o + crop = q*block + r",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
