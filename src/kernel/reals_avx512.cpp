// Float convolutions and products, 16 sums at once, each in the arithmetic's own order.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_reals.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#include "num/simd/avx512.h"

#include "kernel/simd/reals.h"

namespace lockstep {
namespace {

constexpr RealSet make() {
  RealSet s;
  s.max_vecs = 4;
  s.max_rows[1] = 14, s.max_rows[2] = 10, s.max_rows[3] = 8, s.max_rows[4] = 6;
  add_real_lines<Avx512>(s);
  add_real_tiles<Avx512, 14, 1>(s);
  add_real_tiles<Avx512, 10, 2>(s);
  add_real_tiles<Avx512, 8, 3>(s);
  add_real_tiles<Avx512, 6, 4>(s);
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

extern constinit const Kernel kernel_reals_avx512 = {
    .name = "reals_avx512",
    .ops = ops,
    .isa = Isa::avx512,
    .speed = 16,
    .meaning = "float convolutions and products, 16 sums at once in the arithmetic's order",
    .order = Order::channels_last,
    .fits = reals_fit,
    .prepare = [](const KernelProblem& p) { return prepare_reals(p, set); },
};

}  // namespace lockstep
