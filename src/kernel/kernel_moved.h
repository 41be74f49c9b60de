#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ir/tensor.h"

namespace lockstep {

// y[i] = x[source(i)], or a constant where the source is outside (-1), made ready for many copies.
// Where each axis of y finds its source alone (padding, slices, transpositions) the copy is nested
// loops; any other list of sources is copied run by run.
class MovedElements {
 public:
  // `sources`: by element of y in the order of its shape, the element of x in the order of its.
  // With `channels_last` both tensors lie so in memory.
  MovedElements(std::span<const std::int32_t> sources, const Shape& x, const Shape& y,
                bool channels_last);
  // The same from what is known axis by axis, one for each of y, without a look at any element:
  // index i of it comes from index source[i] of `axis` of x, or is the constant (-1).
  struct AxisSource {
    std::size_t axis = 0;
    std::vector<std::int64_t> source;
  };
  MovedElements(std::span<const AxisSource> sources, const Shape& x, bool channels_last);

  // Elements of `width` bytes (1, 2, 4, 8); `fill` holds the constant again and again. Behind x
  // stand `kernel_slack` bytes that may be read.
  static constexpr std::size_t fill_bytes = 64;
  void copy(const std::byte* x, std::byte* y, std::size_t width, const std::byte* fill) const {
    copy(x, y, width, fill, 0, lines());
  }
  // Lines first to last alone, which nothing else of y shares bytes with.
  std::int64_t lines() const;
  std::int64_t line_elements() const;
  void copy(const std::byte* x, std::byte* y, std::size_t width, const std::byte* fill,
            std::int64_t first, std::int64_t last) const;
  std::size_t bytes() const;

 private:
  struct Run {
    std::int64_t to, from, count;  // from -1: the constant
  };
  struct Axis {
    std::int64_t extent = 1;
    std::vector<std::int64_t> offset;  // of x by index, `outside` for the constant; not where even
    std::int64_t stride = 0;           // where offset i is i * stride everywhere
    bool even = false;
    std::int64_t at(std::int64_t i) const {
      return even ? i * stride : offset[static_cast<std::size_t>(i)];
    }
  };
  bool find_axes(std::span<const std::int32_t> sources, const Shape& x, const Shape& y,
                 bool channels_last);
  void join_axes();
  void cut_rows();
  void flatten_inner(std::span<const Run> inner_runs);
  std::size_t outer() const { return axes_.size() - (transposes_ ? 2 : 1); }  // axes of lines
  void row(const std::byte* x, std::byte* y, const std::byte* end, std::size_t width,
           const std::byte* fill) const;

  std::vector<Axis> axes_;   // outermost first; none: runs
  std::int64_t base_ = 0;    // the element of x from which offsets count
  std::vector<Run> runs_;    // of the innermost axis, or of the whole
  bool transposes_ = false;  // the two innermost axes exchange rows and columns
};

}  // namespace lockstep
