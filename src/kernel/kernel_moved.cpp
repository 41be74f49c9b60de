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

// Appends one element to runs of neighbours (step 1) and of the constant.
template <class Runs>
void append(Runs& runs, std::int64_t to, std::int64_t from) {
  if (!runs.empty() && runs.back().to + runs.back().count == to &&
      ((from < 0 && runs.back().from < 0) ||
       (from >= 0 && runs.back().from >= 0 && runs.back().from + runs.back().count == from)))
    ++runs.back().count;
  else
    runs.push_back({to, from, 1});
}

// Runs of neighbours and of the constant.
std::int64_t parts_of(const std::vector<std::int64_t>& offset) {
  std::int64_t count = 1;
  for (std::size_t i = 1; i < offset.size(); ++i)
    count += offset[i] != (offset[i - 1] == outside ? outside : offset[i - 1] + 1);
  return count;
}

}  // namespace

MovedElements::MovedElements(std::span<const std::int32_t> sources, const Shape& x, const Shape& y,
                             bool channels_last) {
  if (find_axes(sources, x, y, channels_last)) {
    join_axes();
    flatten_inner();
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
      const std::int64_t first = axis.offset[0];
      base_ += first;
      for (std::int64_t& o : axis.offset) o -= first;
    }
    if (!joined.empty() && joined.back().even && axis.even &&
        joined.back().stride == axis.stride * axis.extent) {
      Axis& before = joined.back();
      before.extent *= axis.extent;
      before.stride = axis.stride;
      before.offset.clear();
      for (std::int64_t i = 0; i < before.extent; ++i) before.offset.push_back(i * before.stride);
    } else {
      joined.push_back(std::move(axis));
    }
  }
  if (joined.empty()) joined.push_back({1, {0}, 1, true});
  axes_ = std::move(joined);
}

// Neighbours, or a few runs of them, and the axis around them (or an even part of it) as one list
// of places, so that a padded line is one run and what surrounds it.
void MovedElements::flatten_inner() {
  if (axes_.size() < 2) return;
  const Axis& inner = axes_.back();
  Axis& outer = axes_[axes_.size() - 2];
  const bool neighbours = inner.even && inner.stride == 1;
  if (!neighbours && (inner.even || parts_of(inner.offset) > 3)) return;
  const std::int64_t most = (neighbours ? most_flat : most_flat_parts) / inner.extent;
  std::int64_t part = std::min(outer.extent, most);
  if (part < outer.extent && !outer.even) return;
  while (part > 1 && outer.extent % part != 0) --part;
  if (part < 2 && outer.extent > 1) return;
  Axis both;
  both.extent = part * inner.extent;
  for (std::int64_t o = 0; o < part; ++o)
    for (const std::int64_t i : inner.offset) {
      const std::int64_t at = outer.offset[static_cast<std::size_t>(o)];
      both.offset.push_back(at == outside || i == outside ? outside : at + i);
    }
  axes_.back() = std::move(both);
  if (part == outer.extent) {
    axes_.erase(axes_.end() - 2);
    return;
  }
  outer.extent /= part;
  outer.stride *= part;
  outer.offset.clear();
  for (std::int64_t i = 0; i < outer.extent; ++i) outer.offset.push_back(i * outer.stride);
}

void MovedElements::cut_rows() {
  const Axis& inner = axes_.back();
  if (axes_.size() > 1) {
    const Axis& outer = axes_[axes_.size() - 2];
    transposes_ = outer.even && inner.even && outer.stride == 1 && inner.stride == outer.extent;
  }
  for (std::int64_t i = 0; i < inner.extent; ++i) {
    const std::int64_t o = inner.offset[static_cast<std::size_t>(i)];
    // Offsets below 0 are sources too: kept apart from the constant by the base.
    append(runs_, i, o == outside ? -1 : base_ + o);
  }
  axes_.back().offset = {};  // the runs say it
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
      const std::int64_t o = axes_[a].offset[static_cast<std::size_t>(index[a])];
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
