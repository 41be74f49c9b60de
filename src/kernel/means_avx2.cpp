// Means of codes over axes, 8 sums at once.

#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_means.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#include "num/simd/avx2.h"

#include "kernel/simd/sums.h"
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"ReduceMean", "ReduceSum"};

}  // namespace

extern constinit const Kernel kernel_means_avx2 = {
    .name = "means_avx2",
    .ops = ops,
    .isa = Isa::avx2,
    .speed = 8,
    .meaning = "means and sums of 8-bit codes over axes, 8 sums at once",
    .order = Order::any,
    .fits = means_fit,
    .prepare = [](const KernelProblem& p) { return prepare_means(p, sum_codes<Avx2>); },
};

}  // namespace lockstep
