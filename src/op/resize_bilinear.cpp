// y[n,h,w,c] = the four pixels around, mixed by distance (N68); TFLite's grid.
#include "num/xnnpack_float.h"
#include "op/op_codes.h"
#include "op/op_image_resize.h"

namespace lockstep {
namespace {

template <class T, class Mix>
void resize(EvalContext& c, const std::vector<ResizePoint>& rows,
            const std::vector<ResizePoint>& columns, Mix&& mix) {
  const Shape& s = c.in[0]->shape();
  const auto x = c.in[0]->as<T>();
  std::size_t out = 0;
  for (std::int64_t n = 0; n < s[0]; ++n)
    for (const ResizePoint& row : rows)
      for (const ResizePoint& column : columns)
        for (std::int64_t k = 0; k < s[3]; ++k) {
          const auto at = [&](std::int64_t h, std::int64_t w) {
            return x[static_cast<std::size_t>(((n * s[1] + h) * s[2] + w) * s[3] + k)];
          };
          c.out[0].as<T>()[out++] = static_cast<T>(
              mix(at(row.lower, column.lower), at(row.upper, column.lower),
                  at(row.lower, column.upper), at(row.upper, column.upper), row, column));
        }
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const ImageResize r, image_resize_of(c.view));
  const DType dtype = c.in[0]->dtype();
  if (dtype == DType::f32 && sums_from_bias(c.num)) {  // N109
    resize<float>(
        c, c.num.bilinear->points(r.h), c.num.bilinear->points(r.w),
        [](float a, float b, float d, float e, const ResizePoint& y, const ResizePoint& x) {
          return xnnpack_float_bilinear({a, b, d, e}, y.real, x.real);
        });
    return {};
  }
  if (dtype == DType::f32) {
    resize<float>(
        c, real_points(r.h), real_points(r.w),
        [](float a, float b, float d, float e, const ResizePoint& y, const ResizePoint& x) {
          return mix_reals({a, b, d, e}, y, x);
        });
    return {};
  }
  const ResizePolicy* const own = size_of(dtype) == 1 ? c.num.bilinear : nullptr;
  const auto by_policy = [&](auto type) {
    resize<decltype(type)>(c, own->points(r.h), own->points(r.w),
                           [&](std::int32_t a, std::int32_t b, std::int32_t d, std::int32_t e,
                               const ResizePoint& y, const ResizePoint& x) {
                             return own->mix({a, b, d, e}, y, x);
                           });
  };
  const auto codes = [&](auto type, bool fine) {
    if (own) return by_policy(type);
    resize<decltype(type)>(
        c, fine ? fine_points(r.h) : real_points(r.h), fine ? fine_points(r.w) : real_points(r.w),
        [&](std::int32_t a, std::int32_t b, std::int32_t d, std::int32_t e, const ResizePoint& y,
            const ResizePoint& x) {
          return fine ? mix_codes({a, b, d, e}, y, x) : mix_unsigned({a, b, d, e}, y, x);
        });
  };
  if (dtype == DType::i8)
    codes(std::int8_t{}, true);
  else if (dtype == DType::i16)
    codes(std::int16_t{}, true);
  else if (dtype == DType::u8)
    codes(std::uint8_t{}, false);
  else
    return Error{c.view.where(), "x of type " + std::string(name_of(dtype)),
                 "float32, int8, uint8 or int16", ""};
  return {};
}

constexpr Foreign from[] = {{Format::tflite, "RESIZE_BILINEAR"}};

}  // namespace

extern constinit const OpDef op_resize_bilinear = {
    .name = "ResizeBilinear",
    .meaning = "y[n,h,w,c] = the four pixels around mixed by distance, on TFLite's grid",
    .inputs = resize_inputs,
    .outputs = resize_outputs,
    .attrs = resize_attrs,
    .rules = resize_rules,
    .infer = infer_image_resize,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
