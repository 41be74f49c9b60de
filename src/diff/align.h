#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "run/capture.h"

namespace lockstep {

// How a device's tensor becomes one of the reference's shape. Elements keep their C order when
// `axes` is empty; otherwise the device's elements, seen as `from`, are transposed:
// reference axis i is axis axes[i] of `from`.
struct ShapeChange {
  Shape from;
  std::vector<std::size_t> axes;
  std::string note;
};

// From shapes alone, and from layouts where both are known: axes of extent 1 are ignored, then a
// move of the channel axis from last to first or back is tried, then any transposition that is the
// only one, then C order. Nothing when the counts differ.
std::optional<ShapeChange> shape_change(const Shape& device, const std::string& device_layout,
                                        const Shape& reference,
                                        const std::string& reference_layout);
Tensor reshape(const Tensor& device, const ShapeChange& change, const Shape& reference);

// Whether every real lies where a code of `reference` does, in its range.
bool lies_on_grid(const Tensor& reals, const Value& reference);

// All samples of one device tensor in the reference's type: codes cast where every one fits, reals
// on the reference's grid made codes, codes of a known scale made reals. What would lose something
// keeps its type. `note` says what was done.
std::vector<Tensor> retype(std::vector<Tensor> device, const QuantParams& device_quant,
                           const Value& reference, std::string& note);

}  // namespace lockstep
