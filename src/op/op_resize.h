#pragma once

#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "num/resize.h"
#include "op/op_foreign.h"

namespace lockstep {

// ONNX's Resize and Upsample of any opset as a Resize of known extents.
Result<void> resize_from_onnx(const ForeignNode& f, GraphBuilder& graph);

// What a Resize's attributes say.
struct ResizePlan {
  std::string mode;
  Coordinates coordinates = Coordinates::half_pixel;
  Nearest nearest = Nearest::round_prefer_floor;
  std::vector<ResizedAxis> axes;
  bool extrapolates() const { return coordinates == Coordinates::tf_crop_and_resize; }
};
Result<ResizePlan> resize_plan(const NodeView& n);

// N44: one axis after the other, the innermost first, of floats, int8 or uint8.
void resize_by_filters(EvalContext& c, std::span<const ResizedAxis> axes, Coordinates coordinates,
                       bool cubic);

// The elements that each place of each axis of a Resize's output is made of, with their weights;
// none where it lies beside the input.
Result<std::vector<std::vector<std::vector<Tap>>>> resize_taps(const NodeView& node);

}  // namespace lockstep
