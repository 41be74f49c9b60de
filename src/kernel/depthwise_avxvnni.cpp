// Depthwise convolutions by vpdpbusd on 256 bits: four taps of 8 channels an instruction.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_depthwise.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avxvnni")
#include "num/simd/avx2.h"
#include "num/simd/requant.h"

#include "kernel/simd/depthwise.h"
#include "kernel/simd/parts_avx2.h"
#include "kernel/simd/stage.h"

namespace lockstep {
namespace {

struct Bytes : Avx2Runs {
  static constexpr int sums = 4;
  static I dot(I acc, I x, I w) { return _mm256_dpbusd_avx_epi32(acc, x, w); }
};

constexpr DepthwiseSet make() {
  DepthwiseSet s;
  add_form<Avx2, Bytes, 0>(s);
  add_form<Avx2, Bytes, 1>(s);
  add_form<Avx2, Bytes, 2>(s);
  s.stage = stage_bytes<Avx2, Bytes>;
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

extern constinit const Kernel kernel_depthwise_avxvnni = {
    .name = "depthwise_avxvnni",
    .ops = ops,
    .isa = Isa::avxvnni,
    .speed = 21,
    .meaning = "depthwise convolutions of 8-bit codes, 32 channels and positions at once",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return depthwise_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_depthwise(p, set); },
};

}  // namespace lockstep
