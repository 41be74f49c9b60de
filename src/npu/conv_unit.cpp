// S[p,k] = sum_{i,j,c} (feature[y*sv+i-pt, x*sh+j-pl, c] - fsub) * weight[k,i,j,c], in integers
#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "npu/flow.h"

namespace lockstep {
namespace {

std::int64_t feature_code(const NpuConv& c, std::int64_t v, bool packed) {
  if (!packed && c.inbytes_f != 1) return v;
  return c.f_unsigned != 0 ? v & 0xff : npu_wrap(v, 1);
}

// The bytes of one kernel set that deep mode stores: padded to whole 24-bit words.
std::int64_t stored_set(std::int64_t elements, bool packed) {
  return packed ? (elements + 2) / 3 * 3 : elements;
}

// Deep mode: blocks of 8 kernels, inside a block channel by channel; the last block may be
// narrower.
void unblock(const std::int16_t* from, std::int16_t* to, std::int64_t kernels, std::int64_t depth) {
  for (std::int64_t k0 = 0; k0 < kernels; k0 += 8) {
    const std::int64_t width = std::min<std::int64_t>(8, kernels - k0);
    for (std::int64_t c = 0; c < depth; ++c)
      for (std::int64_t k = 0; k < width; ++k) to[(k0 + k) * depth + c] = from[c * width + k];
    from += width * depth;
  }
}

#if defined(__x86_64__) && !defined(__clang__)
#define LOCKSTEP_WIDE __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define LOCKSTEP_WIDE
#endif

LOCKSTEP_WIDE void dot4(const std::int16_t* x, const std::int16_t* w, std::int64_t stride,
                        std::int64_t n, std::int32_t* out) {
  std::int32_t a = 0, b = 0, c = 0, d = 0;
  const std::int16_t *w1 = w + stride, *w2 = w1 + stride, *w3 = w2 + stride;
  for (std::int64_t i = 0; i < n; ++i) {
    a += static_cast<std::int32_t>(x[i]) * w[i];
    b += static_cast<std::int32_t>(x[i]) * w1[i];
    c += static_cast<std::int32_t>(x[i]) * w2[i];
    d += static_cast<std::int32_t>(x[i]) * w3[i];
  }
  out[0] = a, out[1] = b, out[2] = c, out[3] = d;
}

LOCKSTEP_WIDE std::int32_t dot1(const std::int16_t* x, const std::int16_t* w, std::int64_t n) {
  std::int32_t a = 0;
  for (std::int64_t i = 0; i < n; ++i) a += static_cast<std::int32_t>(x[i]) * w[i];
  return a;
}

LOCKSTEP_WIDE double dot_real(const double* x, const std::int16_t* w, std::int64_t n) {
  double a[4] = {0, 0, 0, 0};  // every product and sum is exact below 2^53 unless x has fractions
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int k = 0; k < 4; ++k) a[k] += x[i + k] * w[i + k];
  for (; i < n; ++i) a[0] += x[i] * w[i];
  return (a[0] + a[1]) + (a[2] + a[3]);
}

}  // namespace

Result<NpuKernels> order_kernels(const NpuConv& c, const NpuFlow<std::int32_t>& stream, bool packed,
                                 const std::string& who) {
  const std::int64_t per_frame = c.kfilt_tot > 0 ? c.kfilt_tot : c.nKernels;
  const std::int64_t one = c.kernel_elements();
  const std::int64_t set = c.nKernels * one, sets_in_frame = per_frame / c.nKernels;
  const std::int64_t stored = stored_set(set, packed);
  if (c.deepmode != 0 && c.kernelHeight * c.kernelWidth != 1)
    return Error{who,
                 fmt::format("deep mode with a {}x{} kernel", c.kernelHeight, c.kernelWidth),
                 "1x1",
                 {}};
  const std::int64_t total = stream.count(), frames = total / (stored * sets_in_frame);
  if (frames < 1 || total != frames * stored * sets_in_frame)
    return Error{who,
                 fmt::format("{} kernel bytes", total),
                 fmt::format("a multiple of {}", stored * sets_in_frame),
                 {}};
  const auto all = stream.joined();
  NpuKernels out{frames, c.nKernels, one, {}};
  out.weights.resize(static_cast<std::size_t>(frames * set));
  const std::int64_t mine = c.kfilt_tot > 0 ? c.kfilt_first / c.nKernels : 0;
  if (c.kfilt_tot > 0 && c.kfilt_first % c.nKernels != 0)
    return Error{who, fmt::format("kfilt_first {}", c.kfilt_first), "a multiple of nKernels", {}};
  std::vector<std::int16_t> codes(static_cast<std::size_t>(set));
  for (std::int64_t f = 0; f < frames; ++f) {
    const std::int32_t* from = all->data() + (f * sets_in_frame + mine) * stored;
    for (std::int64_t i = 0; i < set; ++i)
      codes[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(npu_wrap(from[i], 1));
    std::int16_t* to = out.weights.data() + f * set;
    if (c.deepmode != 0)
      unblock(codes.data(), to, c.nKernels, c.batchDepth);
    else
      std::ranges::copy(codes, to);
  }
  return out;
}

template <class T, class P>
Result<NpuPatches<P>> patches_of(const NpuConv& c, const std::vector<T>& frame, bool packed,
                                 bool raw, const std::string& who) {
  const std::int64_t depth = c.batchDepth;
  // A packed raster carries surplus bytes behind each pixel; a dense stream behind the frame only.
  const std::int64_t pixel =
      packed && !raw ? static_cast<std::int64_t>(frame.size()) / (c.fHeight * c.fWidth) : depth;
  if (static_cast<std::int64_t>(frame.size()) < c.fHeight * c.fWidth * pixel || pixel < depth)
    return Error{who,
                 fmt::format("a feature frame of {}", frame.size()),
                 fmt::format("{}x{}x{}", c.fHeight, c.fWidth, depth),
                 {}};
  const std::int64_t oh = c.out_height(), ow = c.out_width();
  NpuPatches<P> out{oh * ow, c.kernel_elements(), 0, {}};
  if (out.pixels > (std::int64_t{1} << 26) || out.pixels * out.elements > (std::int64_t{1} << 26))
    return Error{who,
                 fmt::format("{} patches of {}", out.pixels, out.elements),
                 "at most 2^26 elements",
                 {}};
  out.rows.assign(static_cast<std::size_t>(out.pixels * out.elements), static_cast<P>(c.zfbias));
  const std::int64_t height = c.cropped_height(), width = c.cropped_width();
  double largest = std::abs(static_cast<double>(c.zfbias));
  P* to = out.rows.data();
  for (std::int64_t y = 0; y < oh; ++y)
    for (std::int64_t x = 0; x < ow; ++x)
      for (std::int64_t i = 0; i < c.kernelHeight; ++i)
        for (std::int64_t j = 0; j < c.kernelWidth; ++j, to += depth) {
          const std::int64_t fy = y * c.vstride + i - c.top_padding,
                             fx = x * c.hstride + j - c.left_padding;
          if (fy < 0 || fx < 0 || fy >= height || fx >= width) continue;
          const T* from = frame.data() + ((fy + c.top_crop) * c.fWidth + fx + c.left_crop) * pixel;
          for (std::int64_t b = 0; b < depth; ++b) {
            if constexpr (std::is_same_v<T, double>) {
              to[b] =
                  from[b] == std::floor(from[b])
                      ? static_cast<double>(
                            feature_code(c, static_cast<std::int64_t>(from[b]), packed) - c.fsub)
                      : from[b] - static_cast<double>(c.fsub);
              largest = std::max(largest, std::abs(to[b]));
            } else {
              const std::int64_t v = feature_code(c, from[b], packed) - c.fsub;
              if (v < INT16_MIN || v > INT16_MAX)
                return Error{who, fmt::format("feature {} after fsub", v), "16 bits", {}};
              to[b] = static_cast<P>(v);
              largest = std::max(largest, std::abs(static_cast<double>(v)));
            }
          }
        }
  out.largest = static_cast<std::int64_t>(std::ceil(largest));
  return out;
}

void multiply_patches(const NpuPatches<std::int16_t>& x, const NpuKernels& w, std::int64_t set,
                      std::vector<std::int64_t>& sums) {
  sums.resize(static_cast<std::size_t>(x.pixels * w.kernels));
  const std::int64_t n = w.elements;
  const std::int16_t* kernels = w.weights.data() + set * w.kernels * n;
  // Longest run whose 32-bit sum cannot overflow.
  const std::int64_t run =
      std::max<std::int64_t>(1, (std::int64_t{1} << 31) / (128 * (x.largest + 1)) - 1);
  for (std::int64_t p = 0; p < x.pixels; ++p) {
    const std::int16_t* row = x.rows.data() + p * n;
    std::int64_t* out = sums.data() + p * w.kernels;
    std::int64_t k = 0;
    for (; k + 4 <= w.kernels; k += 4) {
      std::int64_t total[4] = {0, 0, 0, 0};
      for (std::int64_t at = 0; at < n; at += run) {
        std::int32_t part[4];
        dot4(row + at, kernels + k * n + at, n, std::min(run, n - at), part);
        for (int q = 0; q < 4; ++q) total[q] += part[q];
      }
      std::copy_n(total, 4, out + k);
    }
    for (; k < w.kernels; ++k) {
      std::int64_t total = 0;
      for (std::int64_t at = 0; at < n; at += run)
        total += dot1(row + at, kernels + k * n + at, std::min(run, n - at));
      out[k] = total;
    }
  }
}

void multiply_patches(const NpuPatches<double>& x, const NpuKernels& w, std::int64_t set,
                      std::vector<double>& sums) {
  sums.resize(static_cast<std::size_t>(x.pixels * w.kernels));
  for (std::int64_t p = 0; p < x.pixels; ++p)
    for (std::int64_t k = 0; k < w.kernels; ++k)
      sums[static_cast<std::size_t>(p * w.kernels + k)] =
          dot_real(x.rows.data() + p * w.elements,
                   w.weights.data() + (set * w.kernels + k) * w.elements, w.elements);
}

template Result<NpuPatches<std::int16_t>> patches_of<std::int32_t, std::int16_t>(
    const NpuConv&, const std::vector<std::int32_t>&, bool, bool, const std::string&);
template Result<NpuPatches<double>> patches_of<double, double>(const NpuConv&,
                                                               const std::vector<double>&, bool,
                                                               bool, const std::string&);

}  // namespace lockstep
