// y[n,h,w,c] = x[n, index(h), index(w), c], the nearest pixels (N68); TFLite's grid.
#include "op/op_image_resize.h"

namespace lockstep {
namespace {

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const ImageResize r, image_resize_of(c.view));
  Sources sources = all_of(c.in[0]->shape());
  sources[1].clear();
  sources[2].clear();
  for (std::int64_t h = 0; h < r.h.out; ++h) sources[1].push_back(nearest_index(r.h, h));
  for (std::int64_t w = 0; w < r.w.out; ++w) sources[2].push_back(nearest_index(r.w, w));
  copy_from_sources(*c.in[0], sources, c.out[0]);
  return {};
}

constexpr Foreign from[] = {{Format::tflite, "RESIZE_NEAREST_NEIGHBOR"}};

}  // namespace

extern constinit const OpDef op_resize_nearest = {
    .name = "ResizeNearest",
    .meaning = "y[n,h,w,c] = x at the nearest pixel, on TFLite's grid",
    .inputs = resize_inputs,
    .outputs = resize_outputs,
    .attrs = resize_attrs,
    .rules = resize_rules,
    .infer = infer_image_resize,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
