// Sums of products of words by vpmaddwd on 256 bits: exact for any 8-bit codes, since two products
// of codes without their zero points stay far below 2^31.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_dot.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#include "num/simd/avx2.h"
#include "num/simd/requant.h"

#include "kernel/simd/dot.h"
#include "kernel/simd/parts_avx2.h"
#include "kernel/simd/stage.h"

namespace lockstep {
namespace {

struct Product {
  static __m256i dot(__m256i acc, __m256i x, __m256i w) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
  }
};

constexpr DotSet make() {
  DotSet s;
  s.lanes = 8;
  s.words = true;
  add_tiles<Avx2, Product, 0, 8, 1>(s);
  add_tiles<Avx2, Product, 0, 5, 2>(s);
  s.float_nearest = finish_float_nearest<Avx2>;
  s.fixed_twice = finish_fixed_twice<Avx2>;
  s.by_factor = finish_by_factor<Avx2>;
  s.stage = stage_words<Avx2, Avx2Parts>;
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

extern constinit const Kernel kernel_dot_avx2 = {
    .name = "dot_avx2",
    .ops = ops,
    .isa = Isa::avx2,
    .speed = 10,
    .meaning = "convolutions, products and recurrences of 8-bit codes as 16-bit words",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return dot_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_dot(p, set); },
};

}  // namespace lockstep
