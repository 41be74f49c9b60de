// Float convolutions and products, 8 sums at once, each in the arithmetic's own order.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_reals.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#include "num/simd/avx2.h"

#include "kernel/simd/reals.h"

namespace lockstep {
namespace {

constexpr RealSet make() {
  RealSet s;
  s.max_vecs = 2;
  s.max_rows[1] = 8, s.max_rows[2] = 5;
  add_real_lines<Avx2>(s);
  add_real_tiles<Avx2, 8, 1>(s);
  add_real_tiles<Avx2, 5, 2>(s);
  return s;
}

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr RealSet set = make();
constexpr std::string_view ops[] = {"Conv", "ConvTranspose", "Gemm", "GRU",
                                    "LSTM", "MatMul",        "RNN"};

}  // namespace

extern constinit const Kernel kernel_reals_avx2 = {
    .name = "reals_avx2",
    .ops = ops,
    .isa = Isa::avx2,
    .speed = 8,
    .meaning = "float convolutions and products, 8 sums at once in the arithmetic's order",
    .order = Order::channels_last,
    .fits = reals_fit,
    .prepare = [](const KernelProblem& p) { return prepare_reals(p, set); },
};

}  // namespace lockstep
