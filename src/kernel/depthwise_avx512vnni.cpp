// Depthwise convolutions by vpdpbusd on 512 bits: four taps of 16 channels an instruction.
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
#include "kernel/simd/stage.h"

namespace lockstep {
namespace {

struct Bytes : Avx512Runs {
  static constexpr int sums = 4;
  static I dot(I acc, I x, I w) { return _mm512_dpbusd_epi32(acc, x, w); }
};

constexpr DepthwiseSet make() {
  DepthwiseSet s;
  add_form<Avx512, Bytes, 0>(s);
  add_form<Avx512, Bytes, 1>(s);
  add_form<Avx512, Bytes, 2>(s);
  s.stage = stage_bytes<Avx512, Bytes>;
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

extern constinit const Kernel kernel_depthwise_avx512vnni = {
    .name = "depthwise_avx512vnni",
    .ops = ops,
    .isa = Isa::avx512vnni,
    .speed = 31,
    .meaning = "depthwise convolutions of 8-bit codes, 64 channels and positions at once",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return depthwise_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_depthwise(p, set); },
};

}  // namespace lockstep
