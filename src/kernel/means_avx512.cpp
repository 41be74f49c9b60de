// Means of codes over axes, 16 sums at once.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_means.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#include "num/simd/avx512.h"

#include "kernel/simd/sums.h"
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"ReduceMean", "ReduceSum"};

}  // namespace

extern constinit const Kernel kernel_means_avx512 = {
    .name = "means_avx512",
    .ops = ops,
    .isa = Isa::avx512,
    .speed = 16,
    .meaning = "means and sums of 8-bit codes over axes, 16 sums at once",
    .order = Order::any,
    .fits = means_fit,
    .prepare = [](const KernelProblem& p) { return prepare_means(p, sum_codes<Avx512>); },
};

}  // namespace lockstep
