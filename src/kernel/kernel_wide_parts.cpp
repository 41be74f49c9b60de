#include "kernel/kernel_wide_parts.h"

#include <algorithm>
#include <cstring>

#include "num/fixed.h"

namespace lockstep {

std::size_t WideSums::resident_bytes() const {
  std::size_t bytes = 0;
  for (const WidePart& p : parts_) bytes += p.driver->layout().packed_bytes;
  return bytes;
}

void WideSums::add_part(std::int64_t first, std::int64_t count, std::int64_t factor, bool weights) {
  DotProblem d;
  d.window = whole_.window;
  d.window.begin = {0, 0, 0};
  std::ranges::copy(stage_.extent, d.window.in.begin());
  d.ic = count;
  d.oc = whole_.oc;
  d.x = DType::i16;
  d.y = DType::i32;
  d.bias.assign(static_cast<std::size_t>(d.oc), 0);
  if (weights) take(first, count, d);
  WidePart p;
  p.x_at = first * 2;
  p.factor = factor;
  p.first = first;
  p.count = count;
  p.units_before = units_;
  p.driver = std::make_unique<const DotDriver>(std::move(d), set_);
  units_ += p.driver->units();
  parts_.push_back(std::move(p));
}

void WideSums::take(std::int64_t first, std::int64_t count, DotProblem& d) const {
  const std::int64_t taps = whole_.window.kernel_count();
  d.w.is_signed = whole_.w.is_signed;
  d.w.depth = taps * count;
  d.w.zero = whole_.w.zero;
  d.w.own = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(d.oc * d.w.depth));
  d.w.codes = d.w.own.get();
  for (std::int64_t row = 0; row < d.oc * taps; ++row)
    std::memcpy(d.w.own.get() + row * count, whole_.w.codes + row * whole_.ic + first,
                static_cast<std::size_t>(count));
}

void WideSums::finish(const std::byte* sums, std::int64_t at, std::byte* y) const {
  const DotFinish& f = whole_.finish;
  for (std::int64_t o = 0; o < whole_.oc; ++o) {
    const auto channel = static_cast<std::size_t>(o);
    std::int64_t sum = whole_.bias[channel];
    const std::byte* from = sums + (at * whole_.oc + o) * 4;
    for (const WidePart& p : parts_) {
      std::int32_t part;
      std::memcpy(&part, from, 4);
      sum += part * p.factor;
      from += part_bytes();
    }
    const auto code = static_cast<std::int16_t>(clamp_code(
        std::int64_t{f.policy->apply_wide(sum, f.rescale[channel])} + f.y_zero, f.low, f.high));
    std::memcpy(y + o * 2, &code, 2);
  }
}

}  // namespace lockstep
