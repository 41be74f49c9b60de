#pragma once

#include <cstdint>
#include <vector>

namespace lockstep {

// One axis of an image resize as TFLite counts it.
struct ResizeAxis {
  std::int64_t in = 1, out = 1;
  bool align_corners = false;  // the first and last centres of both coincide
  bool half_pixel = false;     // centres lie at k + 1/2
};

// N68: the nearest input index for output index `o`, in float32.
std::int64_t nearest_index(const ResizeAxis& axis, std::int64_t o);

// N68: where an output lies between two inputs. In float32: `real` is the share of `upper`; in
// units of 1/1024: `fine`.
struct ResizePoint {
  std::int64_t lower = 0, upper = 0;
  float real = 0;
  std::int32_t fine = 0;
};
std::vector<ResizePoint> real_points(const ResizeAxis& axis);
std::vector<ResizePoint> fine_points(const ResizeAxis& axis);

// N68: four neighbours mixed, y0x0, y1x0, y0x1, y1x1. Codes with `fine` shares: half away.
float mix_reals(const float (&v)[4], const ResizePoint& y, const ResizePoint& x);
std::int32_t mix_codes(const std::int32_t (&v)[4], const ResizePoint& y, const ResizePoint& x);
// uint8 codes: in float32 plus 1/2, truncated.
std::int32_t mix_unsigned(const std::int32_t (&v)[4], const ResizePoint& y, const ResizePoint& x);

}  // namespace lockstep
