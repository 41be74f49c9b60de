// Depthwise convolutions of 16-bit codes and 8-bit weights by vpdpwssd on 512 bits.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_depthwise.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#include "num/simd/avx512.h"
#include "num/simd/requant.h"

#include "kernel/simd/depthwise.h"
#include "kernel/simd/parts_avx512.h"

namespace lockstep {
namespace {

struct Words : Avx512Runs {
  static constexpr int sums = 2;
  static I dot(I acc, I x, I w) { return _mm512_dpwssd_epi32(acc, x, w); }
};

constexpr DepthwiseSet make() {
  DepthwiseSet s;
  s.words = s.wide = true;
  add_form<Avx512, Words, 2>(s);
  return s;
}

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr DepthwiseSet set = make();
constexpr std::string_view ops[] = {"Conv"};

}  // namespace

extern constinit const Kernel kernel_depthwise16_avx512vnni = {
    .name = "depthwise16_avx512vnni",
    .ops = ops,
    .isa = Isa::avx512vnni,
    .speed = 31,
    .meaning = "depthwise convolutions of 16-bit codes, 32 channels and positions at once",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return depthwise_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_depthwise(p, set); },
};

}  // namespace lockstep
