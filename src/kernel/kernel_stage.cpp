#include "kernel/kernel_stage.h"

#include <algorithm>
#include <cstring>

namespace lockstep {
namespace {

constexpr std::int64_t piece = 16384;  // codes of an input without padding that are one part
constexpr std::int64_t worth_sharing = 32768;  // bytes

}  // namespace

Stage Stage::of_reals(const Window& w) {
  const auto copy = [](const std::byte* x, std::byte* to, std::int64_t count, std::int32_t, bool) {
    std::memcpy(to, x, static_cast<std::size_t>(count) * 4);
  };
  return of(w, DType::f32, 0, false, copy);
}

Stage Stage::of_words(const Window& w) {
  const auto copy = [](const std::byte* x, std::byte* to, std::int64_t count, std::int32_t, bool) {
    std::memcpy(to, x, static_cast<std::size_t>(count) * 2);
  };
  return of(w, DType::i16, 0, true, copy);
}

Stage Stage::of(const Window& w, DType x, std::int32_t x_zero, bool words, StageCodes copy) {
  Stage s;
  s.window = w;
  s.copy = copy;
  s.words = words;
  s.is_signed = x == DType::i8;
  s.x_size = static_cast<std::int64_t>(size_of(x));
  s.size = words ? 2 : s.x_size;
  for (int a = 0; a < 3; ++a) {
    const std::int64_t reach =
        (w.out[a] - 1) * w.strides[a] + (w.kernel[a] - 1) * w.dilations[a] + 1;
    s.extent[a] = std::max(w.in[a] + w.begin[a], reach);
    s.padded |= w.begin[a] != 0 || reach > w.in[a];
  }
  if (!s.padded) std::ranges::copy(w.in, s.extent);
  s.needed = (words && x != DType::i16) || s.padded || s.is_signed;
  const std::int32_t flip = s.is_signed ? 128 : 0;
  s.take = words ? x_zero : flip;
  s.fill = words ? 0 : (x_zero + flip) & 255;
  s.pixel = w.channels * s.size;
  s.row = s.extent[2] * s.pixel;
  s.plane = s.extent[1] * s.row;
  s.bytes = w.batch * s.extent[0] * s.plane;
  return s;
}

std::int64_t Stage::parts() const {
  return padded ? window.batch * extent[0] * extent[1] : (bytes / size + piece - 1) / piece;
}

void Stage::run_pixels(const std::byte* x, std::byte* to, std::int64_t first,
                       std::int64_t last) const {
  copy(x + first * window.channels * x_size, to + first * pixel, (last - first) * window.channels,
       take, is_signed);
}

void Stage::run_lines(const std::byte* x, std::byte* to, std::int64_t first,
                      std::int64_t last) const {
  if (padded)
    run(x, to, first, last);
  else
    run_pixels(x, to, first * extent[2], last * extent[2]);
}

std::int64_t Stage::common_lines() const {
  return std::max<std::int64_t>(
      0, (window.kernel[1] - 1) * window.dilations[1] + 1 - window.strides[1]);
}

std::int64_t Stage::least_parts() const {
  const std::int64_t part = padded ? row : piece * size;
  return (worth_sharing + part - 1) / std::max<std::int64_t>(1, part);
}

void Stage::run(const std::byte* x, std::byte* to, std::int64_t first, std::int64_t last) const {
  const Window& w = window;
  for (std::int64_t i = first; i < last; ++i) {
    if (!padded) {
      const std::int64_t at = i * piece;
      copy(x + at * x_size, to + at * size, std::min(piece, bytes / size - at), take, is_signed);
      continue;
    }
    const std::int64_t h = i % extent[1], d = i / extent[1] % extent[0],
                       n = i / extent[1] / extent[0];
    std::byte* const line = to + n * extent[0] * plane + d * plane + h * row;
    const std::int64_t id = d - w.begin[0], ih = h - w.begin[1];
    const bool inside = id >= 0 && id < w.in[0] && ih >= 0 && ih < w.in[1];
    const std::int64_t left = inside ? w.begin[2] * pixel : row;
    std::memset(line, fill, static_cast<std::size_t>(left));
    if (!inside) continue;
    copy(x + ((n * w.in[0] + id) * w.in[1] + ih) * w.in[2] * w.channels * x_size, line + left,
         w.in[2] * w.channels, take, is_signed);
    const std::int64_t end = left + w.in[2] * pixel;
    std::memset(line + end, fill, static_cast<std::size_t>(row - end));
  }
}

}  // namespace lockstep
