#include "diagnose/slice.h"

#include "base/copy_bytes.h"

namespace lockstep {

Tensor sliced(const Tensor& t, std::size_t axis, std::int64_t begin, std::int64_t length) {
  Shape shape = t.shape();
  const std::int64_t extent = shape[axis];
  shape[axis] = length;
  Tensor out(t.dtype(), shape);
  std::int64_t inner = 1, outer = 1;
  for (std::size_t a = 0; a < axis; ++a) outer *= shape[a];
  for (std::size_t a = axis + 1; a < shape.size(); ++a) inner *= shape[a];
  const auto run = static_cast<std::size_t>(inner) * size_of(t.dtype());
  for (std::int64_t o = 0; o < outer; ++o) {
    const auto from = static_cast<std::size_t>(o * extent + begin) * run,
               to = static_cast<std::size_t>(o * length) * run;
    copy_bytes(t.bytes().subspan(from, run * static_cast<std::size_t>(length)),
               out.bytes().data() + to);
  }
  return out;
}

}  // namespace lockstep
