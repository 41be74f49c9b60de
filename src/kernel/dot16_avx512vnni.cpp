// Sums of products of 16-bit codes and 8-bit weights by vpdpwssd on 512 bits, where no sum can
// leave 32 bits.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_dot.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#include "num/simd/avx512.h"
#include "num/simd/requant.h"

#include "kernel/simd/dot.h"

namespace lockstep {
namespace {

struct Product {
  static __m512i dot(__m512i acc, __m512i x, __m512i w) {
    __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
    return acc;
  }
};

constexpr DotSet make() {
  DotSet s;
  s.lanes = 16;
  s.words = s.wide = true;
  add_tiles<Avx512, Product, 0, 14, 1>(s);
  add_tiles<Avx512, Product, 0, 12, 2>(s);
  add_tiles<Avx512, Product, 0, 6, 4>(s);
  add_tiles<Avx512, Product, 0, 8, 3>(s);
  return s;
}

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr DotSet set = make();
constexpr std::string_view ops[] = {"Conv", "ConvTranspose", "Gemm", "MatMul"};

}  // namespace

extern constinit const Kernel kernel_dot16_avx512vnni = {
    .name = "dot16_avx512vnni",
    .ops = ops,
    .isa = Isa::avx512vnni,
    .speed = 30,
    .meaning = "convolutions and products of 16-bit codes, 32 at once",
    .order = Order::channels_last,
    .fits = [](const KernelProblem& p) { return dot_fits(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_dot(p, set); },
};

}  // namespace lockstep
