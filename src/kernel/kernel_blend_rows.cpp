#include "kernel/kernel_blend_rows.h"

#include <algorithm>

#include "kernel/kernel.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

// A line of x as every column of a block reads it: its left and its right neighbour.
struct Spread {
  std::int64_t row = -1;
  float left[BlendRows::most_columns], right[BlendRows::most_columns];
};

}  // namespace

template <class T>
struct BlendRows::Block {
  const T* x;
  T* y;
  std::int64_t first, count;
};

std::vector<BlendRows::Line> BlendRows::lines_of(const Axis& axis) {
  std::vector<Line> lines;
  for (const auto& place : axis) {
    Line line{{0, 0}, {0, 0}, static_cast<int>(place.size())};
    for (std::size_t i = 0; i < place.size(); ++i) {
      line.at[i] = place[i].index;
      line.weight[i] = place[i].weight;
    }
    lines.push_back(line);
  }
  return lines;
}

std::optional<BlendRows> BlendRows::make(const Axis& rows, const Axis& columns,
                                         std::int64_t x_width, double outside) {
  for (const Axis* const axis : {&rows, &columns})
    for (const auto& place : *axis)
      if (place.size() > 2) return {};
  BlendRows b;
  b.x_width_ = x_width;
  b.outside_ = outside;
  b.rows_ = lines_of(rows);
  b.columns_ = lines_of(columns);
  // Two lines are kept at a time, the even and the odd one.
  for (const Line& l : b.rows_)
    if (l.taps == 2 && l.at[0] != l.at[1] && (l.at[0] - l.at[1]) % 2 == 0) return {};
  for (std::size_t j = 0; j < b.columns_.size(); ++j) {
    b.left_.push_back(b.columns_[j].weight[0]);
    b.right_.push_back(b.columns_[j].weight[1]);
    if (b.columns_[j].taps != 2) b.odd_.push_back(static_cast<std::int64_t>(j));
  }
  return b;
}

std::int64_t BlendRows::blocks() const {
  return (static_cast<std::int64_t>(columns_.size()) + most_columns - 1) / most_columns;
}

template <class T>
[[gnu::always_inline]] inline void BlendRows::rows(const Block<T>& b) const {
  const auto width = static_cast<std::int64_t>(columns_.size());
  Spread kept[2];
  const auto spread = [&](std::int64_t row) __attribute__((always_inline))->const Spread& {
    Spread& s = kept[row % 2];
    if (s.row == row) return s;
    s.row = row;
    const T* const from = b.x + row * x_width_;
    for (std::int64_t j = 0; j < b.count; ++j) {
      const Line& c = columns_[static_cast<std::size_t>(b.first + j)];
      s.left[j] = static_cast<float>(from[c.at[0]]);
      s.right[j] = static_cast<float>(from[c.at[1]]);
    }
    return s;
  };
  const float *const left = left_.data() + b.first, *const right = right_.data() + b.first;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Line& line = rows_[i];
    T* const y = b.y + static_cast<std::int64_t>(i) * width + b.first;
    if (line.taps == 2) {
      const float up = line.weight[0], down = line.weight[1];
      const Spread &u = spread(line.at[0]), &d = spread(line.at[1]);
      for (std::int64_t j = 0; j < b.count; ++j)
        y[j] = static_cast<T>(((left[j] * up) * u.left[j] + (right[j] * up) * u.right[j] +
                               (left[j] * down) * d.left[j]) +
                              (right[j] * down) * d.right[j]);
    } else if (line.taps == 1) {
      const float only = line.weight[0];
      const Spread& u = spread(line.at[0]);
      for (std::int64_t j = 0; j < b.count; ++j)
        y[j] = static_cast<T>((left[j] * only) * u.left[j] + (right[j] * only) * u.right[j]);
    }
    for (auto odd = std::ranges::lower_bound(odd_, line.taps == 0 ? b.first + b.count : b.first);
         odd != odd_.end() && *odd < b.first + b.count; ++odd) {
      const Line& c = columns_[static_cast<std::size_t>(*odd)];
      float sum = 0;
      for (int t = 0; t < line.taps; ++t) {
        const float term = (c.weight[0] * line.weight[t]) *
                           static_cast<float>(b.x[line.at[t] * x_width_ + c.at[0]]);
        sum = t == 0 ? term : sum + term;
      }
      y[*odd - b.first] = static_cast<T>(c.taps == 0 ? static_cast<float>(outside_) : sum);
    }
    if (line.taps == 0) std::fill_n(y, b.count, static_cast<T>(outside_));
  }
}

template <class T>
void BlendRows::portable(const BlendRows& r, const Block<T>& b) {
  r.rows(b);
}
#if defined(__x86_64__)
template <class T>
[[gnu::target("avx2")]] void BlendRows::by_avx2(const BlendRows& r, const Block<T>& b) {
  r.rows(b);
}
template <class T>
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] void
BlendRows::by_avx512(const BlendRows& r, const Block<T>& b) {
  r.rows(b);
}
#endif

template <class T>
void BlendRows::run(const T* x, T* y, std::int64_t block) const {
  const std::int64_t first = block * most_columns;
  const Block<T> b{x, y, first,
                   std::min(most_columns, static_cast<std::int64_t>(columns_.size()) - first)};
#if defined(__x86_64__)
  if (runs_here(Isa::avx512)) return by_avx512(*this, b);
  if (runs_here(Isa::avx2)) return by_avx2(*this, b);
#endif
  portable(*this, b);
}

template void BlendRows::run(const float*, float*, std::int64_t) const;
template void BlendRows::run(const std::int8_t*, std::int8_t*, std::int64_t) const;
template void BlendRows::run(const std::uint8_t*, std::uint8_t*, std::int64_t) const;

}  // namespace lockstep

#pragma GCC pop_options
