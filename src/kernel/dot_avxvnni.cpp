// Sums of products of bytes by vpdpbusd on 256 bits: 32 multiply-accumulates an instruction.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_dot.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avxvnni")
#include "num/simd/avx2.h"
#include "num/simd/requant.h"
#include "kernel/simd/dot.h"

namespace lockstep {
namespace {

struct Product {
  static __m256i dot(__m256i acc, __m256i x, __m256i w) {
    return _mm256_dpbusd_avx_epi32(acc, x, w);
  }
};

void stage(const std::byte* x, std::byte* to, std::int64_t count, std::int32_t flip, bool) {
  const __m256i f = _mm256_set1_epi8(static_cast<char>(flip));
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) Avx2::store(to + i, Avx2::bit_xor(Avx2::load(x + i), f));
  for (; i < count; ++i) to[i] = x[i] ^ static_cast<std::byte>(flip);
}

constexpr DotSet make() {
  DotSet s;
  s.lanes = 8;
  s.max_vecs = 2;
  s.max_rows[1] = 8, s.max_rows[2] = 5;
  add_tiles<Avx2, Product, 8, 1>(s);
  add_tiles<Avx2, Product, 5, 2>(s);
  s.float_nearest = finish_float_nearest<Avx2>;
  s.fixed_twice = finish_fixed_twice<Avx2>;
  s.stage = stage;
  return s;
}

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr DotSet set = make();
constexpr std::string_view ops[] = {"Conv", "Gemm", "MatMul"};

}  // namespace

extern constinit const Kernel kernel_dot_avxvnni = {
    .name = "dot_avxvnni",
    .ops = ops,
    .isa = Isa::avxvnni,
    .speed = 20,
    .meaning = "convolutions and products of 8-bit codes, 32 multiply-accumulates an instruction",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return dot_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_dot(p, set); },
};

}  // namespace lockstep
