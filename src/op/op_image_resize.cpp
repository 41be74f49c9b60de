#include "op/op_image_resize.h"

#include "base/text.h"

namespace lockstep {

Result<ImageResize> image_resize_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const auto size = integers_at(n, 1, "").value_or(Shape{});
  if (x.size() != 4 || size.size() != 2 || size[0] < 1 || size[1] < 1 || x[1] < 1 || x[2] < 1 ||
      size[0] > 1 << 16 || size[1] > 1 << 16)
    return Error{n.where(), "x " + shape_text(x) + " to size " + shape_text(size),
                 "[n,h,w,c] and two extents of at least 1", ""};
  const bool align = n.attrs().integer("align_corners", 0) != 0,
             half = n.attrs().integer("half_pixel_centers", 0) != 0;
  return ImageResize{{x[1], size[0], align, half}, {x[2], size[1], align, half}};
}

Result<std::vector<Facts>> infer_image_resize(const NodeView& n) {
  LOCKSTEP_TRY(const ImageResize r, image_resize_of(n));
  const Value& x = n.input(0);
  return std::vector<Facts>{{x.dtype, {x.shape[0], r.h.out, r.w.out, x.shape[3]}, x.quant}};
}

}  // namespace lockstep
