#include "kernel/kernel_moved.h"

#include <algorithm>
#include <cstring>

#include "kernel/kernel_transpose.h"

namespace lockstep {
namespace {

constexpr std::int64_t outside = INT64_MIN;
// Places of an axis that are listed one by one: of whole runs, of several runs each.
constexpr std::int64_t most_flat = 1 << 15, most_flat_parts = 1 << 13;

// Where element i of a tensor in the order of its shape stands in memory.
std::int64_t place(const Shape& s, std::int64_t i, bool channels_last) {
  if (!channels_last || s.size() < 3) return i;
  const std::int64_t channels = s[1], positions = count_of(s) / s[0] / channels;
  const std::int64_t n = i / (channels * positions), c = i / positions % channels,
                     p = i % positions;
  return (n * positions + p) * channels + c;
}

// n bytes by two overlapping halves of a fixed size, as a call costs more than a short copy.
template <std::size_t half>
void copy_halves(std::byte* to, const std::byte* from, std::size_t n) {
  struct Part {
    std::byte bytes[half];
  } first, last;
  std::memcpy(&first, from, half);
  std::memcpy(&last, from + n - half, half);
  std::memcpy(to, &first, half);
  std::memcpy(to + n - half, &last, half);
}
void copy_bytes(std::byte* to, const std::byte* from, std::size_t n) {
  if (n > 64)
    std::memcpy(to, from, n);
  else if (n > 32)
    copy_halves<32>(to, from, n);
  else if (n >= 16)
    copy_halves<16>(to, from, n);
  else if (n >= 8)
    copy_halves<8>(to, from, n);
  else if (n >= 4)
    copy_halves<4>(to, from, n);
  else
    for (std::size_t i = 0; i < n; ++i) to[i] = from[i];
}

void fill_with(std::byte* to, const std::byte* fill, std::size_t n) {
  for (; n > MovedElements::fill_bytes;
       n -= MovedElements::fill_bytes, to += MovedElements::fill_bytes)
    std::memcpy(to, fill, MovedElements::fill_bytes);
  copy_bytes(to, fill, n);
}

// Appends elements to runs of neighbours (step 1) and of the constant.
template <class Runs>
void append(Runs& runs, std::int64_t to, std::int64_t from, std::int64_t count = 1) {
  if (!runs.empty() && runs.back().to + runs.back().count == to &&
      ((from < 0 && runs.back().from < 0) ||
       (from >= 0 && runs.back().from >= 0 && runs.back().from + runs.back().count == from)))
    runs.back().count += count;
  else
    runs.push_back({to, from, count});
}

// Elements between neighbours along each axis of a tensor as it lies in memory.
Shape strides_in_memory(const Shape& s, bool channels_last) {
  Shape strides = strides_of(s);
  if (!channels_last || s.size() < 3) return strides;
  strides[1] = 1;
  for (std::size_t a = 2; a < s.size(); ++a) strides[a] *= s[1];
  return strides;
}

}  // namespace

MovedElements::MovedElements(std::span<const std::int32_t> sources, const Shape& x, const Shape& y,
                             bool channels_last) {
  if (find_axes(sources, x, y, channels_last)) {
    join_axes();
    cut_rows();
    return;
  }
  axes_.clear();
  std::vector<std::int64_t> from(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i)
    from[static_cast<std::size_t>(place(y, static_cast<std::int64_t>(i), channels_last))] =
        sources[i] < 0 ? -1 : place(x, sources[i], channels_last);
  for (std::size_t i = 0; i < from.size(); ++i)
    append(runs_, static_cast<std::int64_t>(i), from[i]);
}

MovedElements::MovedElements(std::span<const AxisSource> sources, const Shape& x,
                             bool channels_last) {
  const Shape strides = strides_in_memory(x, channels_last);
  for (const AxisSource& s : sources) {
    Axis axis;
    axis.extent = static_cast<std::int64_t>(s.source.size());
    for (const std::int64_t i : s.source)
      axis.offset.push_back(i < 0 ? outside : i * strides[s.axis]);
    axes_.push_back(std::move(axis));
  }
  if (channels_last && axes_.size() > 2)
    std::rotate(axes_.begin() + 1, axes_.begin() + 2, axes_.end());
  join_axes();
  cut_rows();
}

// Offsets axis by axis through one element that has a source; false where their sums are not the
// sources.
bool MovedElements::find_axes(std::span<const std::int32_t> sources, const Shape& x, const Shape& y,
                              bool channels_last) {
  const auto inside = std::ranges::find_if(sources, [](std::int32_t s) { return s >= 0; });
  if (inside == sources.end() || y.empty()) return false;
  const std::int64_t centre = inside - sources.begin();
  const Shape strides = strides_of(y);
  base_ = place(x, *inside, channels_last);
  std::vector<Axis> shaped(y.size());                      // in memory
  std::vector<std::vector<std::int64_t>> plain(y.size());  // in the order of x's shape
  for (std::size_t a = 0; a < y.size(); ++a) {
    shaped[a].extent = y[a];
    const std::int64_t first = centre - centre / strides[a] % y[a] * strides[a];
    for (std::int64_t i = 0; i < y[a]; ++i) {
      const std::int32_t s = sources[static_cast<std::size_t>(first + i * strides[a])];
      shaped[a].offset.push_back(s < 0 ? outside : place(x, s, channels_last) - base_);
      plain[a].push_back(s < 0 ? outside : s - *inside);
    }
  }
  const std::size_t inner = y.size() - 1;
  std::vector<std::int64_t> index(y.size(), 0);
  for (std::size_t i = 0; i < sources.size(); i += plain[inner].size()) {
    std::int64_t sum = *inside;
    bool out = false;
    for (std::size_t a = 0; a < inner; ++a) {
      const std::int64_t o = plain[a][static_cast<std::size_t>(index[a])];
      out |= o == outside;
      sum += out ? 0 : o;
    }
    for (std::size_t k = 0; k < plain[inner].size(); ++k)
      if (sources[i + k] != (out || plain[inner][k] == outside ? -1 : sum + plain[inner][k]))
        return false;
    for (std::size_t a = inner; a-- > 0 && ++index[a] == y[a];) index[a] = 0;
  }
  if (channels_last && y.size() > 2)
    std::rotate(shaped.begin() + 1, shaped.begin() + 2, shaped.end());
  axes_ = std::move(shaped);
  return true;
}

// Neighbouring axes that one stride walks through are one axis.
void MovedElements::join_axes() {
  std::vector<Axis> joined;
  for (Axis& axis : axes_) {
    if (axis.extent == 1 && axis.offset[0] == 0) continue;
    // Offsets of an axis that starts anywhere are made to start at 0.
    axis.even = axis.offset[0] != outside;
    axis.stride = axis.extent > 1 && axis.even ? axis.offset[1] - axis.offset[0] : 0;
    for (std::size_t i = 0; axis.even && i < axis.offset.size(); ++i)
      axis.even = axis.offset[i] == axis.offset[0] + static_cast<std::int64_t>(i) * axis.stride;
    if (axis.even) {
      base_ += axis.offset[0];
      axis.offset = {};
    }
    if (!joined.empty() && joined.back().even && axis.even &&
        joined.back().stride == axis.stride * axis.extent) {
      joined.back().extent *= axis.extent;
      joined.back().stride = axis.stride;
    } else {
      joined.push_back(std::move(axis));
    }
  }
  if (joined.empty()) joined.push_back({1, {}, 1, true});
  axes_ = std::move(joined);
}

void MovedElements::cut_rows() {
  const Axis& inner = axes_.back();
  std::vector<Run> runs;  // from: an offset
  if (inner.even && inner.stride == 1)
    runs.push_back({0, 0, inner.extent});
  else
    for (std::int64_t i = 0; i < inner.extent; ++i) {
      const std::int64_t from = inner.at(i);
      const bool longer =
          !runs.empty() &&
          from == (runs.back().from == outside ? outside : runs.back().from + runs.back().count);
      if (longer)
        ++runs.back().count;
      else
        runs.push_back({i, from, 1});
    }
  flatten_inner(runs);
  if (axes_.size() > 1) {
    const Axis &outer = axes_[axes_.size() - 2], &rows = axes_.back();
    transposes_ = outer.even && rows.even && outer.stride == 1 && rows.stride == outer.extent;
  }
  axes_.back().offset = {};  // the runs say it
}

// Neighbours, or a few runs of them, and the axis around them (or an even part of it) as one list
// of runs, so that a padded line is one run and what surrounds it. Offsets below 0 are sources too:
// kept apart from the constant by the base.
void MovedElements::flatten_inner(std::span<const Run> inner_runs) {
  const Axis& inner = axes_.back();
  const bool neighbours = inner.even && inner.stride == 1;
  std::int64_t part = 1;
  bool joins = axes_.size() > 1 && (neighbours || (!inner.even && inner_runs.size() <= 3));
  if (joins) {
    const Axis& outer = axes_[axes_.size() - 2];
    const std::int64_t most = (neighbours ? most_flat : most_flat_parts) / inner.extent;
    part = std::max<std::int64_t>(1, std::min(outer.extent, most));
    if (part < outer.extent && !outer.even) part = 1;
    while (part > 1 && outer.extent % part != 0) --part;
    joins = part > 1 || outer.extent == 1;
  }
  for (std::int64_t o = 0; o < part; ++o) {
    const std::int64_t around = joins ? axes_[axes_.size() - 2].at(o) : 0;
    for (const Run& r : inner_runs)
      append(runs_, o * inner.extent + r.to,
             around == outside || r.from == outside ? -1 : base_ + around + r.from, r.count);
  }
  if (!joins) return;
  const std::int64_t extent = inner.extent;
  axes_.pop_back();
  Axis& outer = axes_.back();
  if (part == outer.extent) {
    outer = {part * extent, {}, 0, false};
    return;
  }
  outer.extent /= part;
  outer.stride *= part;
  axes_.push_back({part * extent, {}, 0, false});
}

// Short runs are written as whole blocks, as far as `end` lets: what is too much is the next runs'.
void MovedElements::row(const std::byte* x, std::byte* y, const std::byte* end, std::size_t width,
                        const std::byte* fill) const {
  constexpr std::size_t block = 32;
  const auto w = static_cast<std::int64_t>(width);
  for (const Run& run : runs_) {
    const auto n = static_cast<std::size_t>(run.count) * width;
    std::byte* const to = y + run.to * w;
    if (n <= block && end - to >= static_cast<std::ptrdiff_t>(block))
      std::memcpy(to, run.from < 0 ? fill : x + run.from * w, block);
    else if (run.from < 0)
      fill_with(to, fill, n);
    else
      copy_bytes(to, x + run.from * w, n);
  }
}

std::int64_t MovedElements::lines() const {
  std::int64_t count = 1;
  for (std::size_t a = 0; !axes_.empty() && a < outer(); ++a) count *= axes_[a].extent;
  return count;
}

std::int64_t MovedElements::line_elements() const {
  if (axes_.empty()) return runs_.empty() ? 0 : runs_.back().to + runs_.back().count;
  return axes_.back().extent * (transposes_ ? axes_[outer()].extent : 1);
}

void MovedElements::copy(const std::byte* x, std::byte* y, std::size_t width, const std::byte* fill,
                         std::int64_t first, std::int64_t last) const {
  const auto w = static_cast<std::int64_t>(width), size = line_elements() * w;
  if (axes_.empty()) return row(x, y, y + size, width, fill);
  const std::byte* const end = y + last * size;
  std::int64_t index[16] = {}, rest = first;
  for (std::size_t a = outer(); a-- > 0; rest /= axes_[a].extent) index[a] = rest % axes_[a].extent;
  y += first * size;
  for (std::int64_t r = first; r < last; ++r, y += size) {
    std::int64_t offset = 0;
    bool out = false;
    for (std::size_t a = 0; a < outer(); ++a) {
      const std::int64_t o = axes_[a].at(index[a]);
      out |= o == outside;
      offset += out ? 0 : o;
    }
    if (out)
      fill_with(y, fill, static_cast<std::size_t>(size));
    else if (transposes_)
      transpose(x + (base_ + offset) * w, y, axes_.back().extent, axes_[outer()].extent, width);
    else
      row(x + offset * w, y, end, width, fill);
    for (std::size_t a = outer(); a-- > 0 && ++index[a] == axes_[a].extent;) index[a] = 0;
  }
}

std::size_t MovedElements::bytes() const {
  std::size_t sum = runs_.size() * sizeof(Run);
  for (const Axis& axis : axes_) sum += axis.offset.size() * sizeof(std::int64_t);
  return sum;
}

}  // namespace lockstep
