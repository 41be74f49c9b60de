// Sums of products of bytes by vpdpbusd on 256 bits: 32 multiply-accumulates an instruction.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_dot.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avxvnni")
#include "num/simd/avx2.h"
#include "num/simd/requant.h"

#include "kernel/simd/dot.h"
#include "kernel/simd/parts_avx2.h"
#include "kernel/simd/stage.h"

namespace lockstep {
namespace {

struct Product : Avx2Parts {
  static __m256i dot(__m256i acc, __m256i x, __m256i w) {
    return _mm256_dpbusd_avx_epi32(acc, x, w);
  }
};

constexpr DotSet make() {
  DotSet s;
  s.lanes = 8;
  add_tiles<Avx2, Product, 0, 8, 1>(s);
  add_tiles<Avx2, Product, 0, 5, 2>(s);
  s.float_nearest = finish_float_nearest<Avx2>;
  s.fixed_twice = finish_fixed_twice<Avx2>;
  s.by_factor = finish_by_factor<Avx2>;
  s.add_sums = add_sums<Avx2, Product>;
  s.stage = stage_bytes<Avx2, Product>;
  return s;
}

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr DotSet set = make();
constexpr std::string_view ops[] = {"Conv",   "ConvTranspose", "Gemm",
                                    "MatMul", "SequenceLstm",  "Svdf"};

}  // namespace

extern constinit const Kernel kernel_dot_avxvnni = {
    .name = "dot_avxvnni",
    .ops = ops,
    .isa = Isa::avxvnni,
    .speed = 20,
    .meaning =
        "convolutions, products and recurrences of 8-bit codes, 32 multiply-accumulates an "
        "instruction",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return dot_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_dot(p, set); },
};

}  // namespace lockstep
