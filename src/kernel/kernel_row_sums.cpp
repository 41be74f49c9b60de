#include "kernel/kernel_row_sums.h"

#include <cstring>

namespace lockstep {
namespace {

// Less is not shared.
constexpr std::int64_t least_shared = 1 << 18;

DotProblem problem_of(std::int64_t rows, std::int64_t depth, std::vector<std::int32_t> start,
                      std::span<const std::int8_t> w) {
  DotProblem d;
  d.ic = depth;
  d.oc = static_cast<std::int64_t>(start.size());
  d.window.channels_last = true;
  d.window.channels = depth;
  d.window.in[2] = d.window.out[2] = rows;
  d.x = DType::i8;
  d.y = DType::i32;
  d.w.zero.assign(start.size(), 0);
  d.bias = std::move(start);
  d.w.is_signed = true;
  d.w.depth = depth;
  d.w.own = std::make_unique_for_overwrite<std::byte[]>(w.size());
  std::memcpy(d.w.own.get(), w.data(), w.size());
  d.w.codes = d.w.own.get();
  return d;
}

}  // namespace

RowSums::RowSums(const DotSet& set, std::int64_t rows, std::int64_t depth,
                 std::vector<std::int32_t> start, std::span<const std::int8_t> w)
    : driver_(problem_of(rows, depth, std::move(start), w), set),
      work_(rows * static_cast<std::int64_t>(w.size())) {}

std::size_t RowSums::scratch_bytes() const {
  return (driver_.layout().stage.scratch_bytes() + 63) / 64 * 64;
}

void RowSums::run(const std::byte* x, std::int32_t* sum, std::byte* scratch,
                  Workers& workers) const {
  const DotLayout& m = driver_.layout();
  m.stage.run(x, scratch, 0, m.stage.parts());
  const DotOperands o{scratch, m.weights(), m.d.finish.bias.data(),
                      m.common.empty() ? nullptr : m.common.data(),
                      reinterpret_cast<std::byte*>(sum)};
  const auto units = [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t u = first; u < last; ++u) driver_.unit(u, o);
  };
  if (work_ < least_shared)
    units(0, driver_.units(), 0);
  else
    workers.each(driver_.units(), units);
}

}  // namespace lockstep
