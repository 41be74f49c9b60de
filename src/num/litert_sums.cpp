#include "num/litert_sums.h"

#include <algorithm>
#include <vector>

#include "num/tflite_fixed.h"
#include "num/xnnpack.h"

namespace lockstep {
namespace {

std::int32_t shifted(std::int32_t v, int by) {
  return by >= 0 ? wrap32(std::int64_t{v} << by) : v >> std::min(-by, 31);
}

std::int32_t on_grid(std::int32_t distance, const Rescale& r, int left, GridStep step) {
  if (step == GridStep::once) return high_mul(shifted(distance, left + r.shift), r.multiplier);
  return shifted(high_mul(shifted(distance, left), r.multiplier), r.shift);
}

std::int32_t low_16(std::int32_t v) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(v));
}

// The extents from the last axis on, of as many axes as the longer shape has.
std::vector<std::int64_t> backward(std::span<const std::int64_t> shape, std::size_t rank) {
  std::vector<std::int64_t> out(shape.rbegin(), shape.rend());
  out.resize(rank, 1);
  return out;
}

// Runs of axes from the last one on: alike, of a that stands still, alike, of b that stands still,
// alike.
struct Runs {
  std::int64_t inner = 1, still = 1;  // elements of the first two
  bool all = false;                   // no axis is left over
};
Runs runs_of(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  Runs r;
  std::size_t k = 0;
  const auto alike = [&] { return k < a.size() && a[k] == b[k]; };
  for (; alike(); ++k) r.inner *= b[k];
  for (; k < a.size() && a[k] == 1; ++k) r.still *= b[k];
  while (alike()) ++k;
  while (k < b.size() && b[k] == 1) ++k;
  while (alike()) ++k;
  r.all = k == a.size();
  return r;
}

}  // namespace

bool sums_by_rows(const BinaryPolicy& policy, const BinaryState& state) {
  return policy.apply == xnnpack_add.apply && state.left_shift != 0;
}

SumRows sum_rows(const BinaryState& state, bool is_unsigned, std::span<const std::int64_t> a,
                 std::span<const std::int64_t> b) {
  const std::size_t rank = std::max(a.size(), b.size());
  auto first = backward(a, rank), second = backward(b, rank);
  const bool wide = state.s.bits > 8;
  const auto apart = std::ranges::mismatch(first, second);
  const bool spread = apart.in1 != first.end();
  if (spread && *apart.in1 != 1) std::swap(first, second);  // the first one stands still innermost
  const Runs runs = runs_of(first, second);
  SumRows rows;
  if (spread && (wide || !runs.all)) return rows;  // the reference's loops
  const bool still = spread && runs.inner == 1;
  rows.row = std::max<std::int64_t>(1, still ? runs.still : runs.inner);
  rows.step = still || is_unsigned ? GridStep::floor : GridStep::once;
  const std::int64_t vector = rows.step == GridStep::floor ? 8 : 16;
  rows.whole = rows.row / vector * vector;
  return rows;
}

std::int32_t sum_in_vectors(std::int32_t a, std::int32_t b, const BinaryState& t, GridStep step) {
  const std::int64_t sum = std::int64_t{on_grid(a - t.s.a_zero, t.a, t.left_shift, step)} +
                           on_grid(b - t.s.b_zero, t.b, t.left_shift, step);
  const std::int32_t y = rescale_twice(wrap32(sum), t.y);
  if (t.s.bits > 8) return clamp_code(std::int64_t{y} + t.s.y_zero, t.s.low, t.s.high);
  return clamp_code(low_16(low_16(y) + t.s.y_zero), t.s.low, t.s.high);
}

}  // namespace lockstep
