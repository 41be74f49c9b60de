#pragma once

#include "emit/node.h"

namespace lockstep {

// The axes that stay and those that go, neighbours of one kind joined; strides in x.
struct Axes {
  std::vector<std::int64_t> extent[2], stride[2];  // [0]: kept, [1]: reduced
  std::int64_t count(std::size_t k) const {
    std::int64_t n = 1;
    for (const std::int64_t e : extent[k]) n *= e;
    return n;
  }
  // x is [outer][reduced][inner]
  bool in_the_middle() const {
    return extent[1].size() <= 1 && extent[0].size() <= 2 &&
           (extent[0].size() < 2 || extent[1].empty() ||
            (stride[0][0] > stride[1][0] && stride[1][0] > stride[0][1]));
  }
};

Axes axes_of(const Shape& x, const std::vector<bool>& reduced);
// The C initializer of an ls_axes; the error of more than four runs.
Result<std::string> axes_text(const NodeWriter& w, const Axes& a);

// Reductions of float32, each in the order of its arithmetic.
Result<void> write_real_reduction(NodeWriter& w, const std::vector<bool>& reduced, const char* kind,
                                  const char* term);
Result<void> write_plane_mean(NodeWriter& w);

}  // namespace lockstep
