#pragma once

#include "num/tflite_resize.h"
#include "op/op_move.h"

namespace lockstep {

// What TFLite's two image resizes share: x [n,h,w,c], a constant size [h,w], two options.

inline constexpr Slot resize_inputs[] = {{"x"}, {"size"}};
inline constexpr Slot resize_outputs[] = {{"y"}};
inline constexpr AttrSpec resize_attrs[] = {
    {"align_corners", "0", "1: the centres of the corner pixels coincide"},
    {"half_pixel_centers", "0", "1: the centre of pixel k lies at k + 1/2"},
};
inline constexpr Rule resize_rules[] = {{constant_rule, constants_if_there<1>},
                                        {codes_rule, first_keeps_codes}};

struct ImageResize {
  ResizeAxis h, w;
};
Result<ImageResize> image_resize_of(const NodeView& n);
Result<std::vector<Facts>> infer_image_resize(const NodeView& n);

}  // namespace lockstep
