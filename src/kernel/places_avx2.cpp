// Elements at the same place, 8 at once: codes from reals and back, sums and products of two
// tensors.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_places.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#include "num/simd/avx2.h"
#include "num/simd/requant.h"

#include "kernel/simd/parts_avx2.h"
#include "kernel/simd/places.h"

namespace lockstep {
namespace {

constexpr PlaceSet set = place_set<Avx2, Avx2Parts>();

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"QuantizeLinear", "DequantizeLinear", "Add", "Sub", "Mul"};

}  // namespace

extern constinit const Kernel kernel_places_avx2 = {
    .name = "places_avx2",
    .ops = ops,
    .isa = Isa::avx2,
    .speed = 8,
    .meaning = "codes from reals and back, sums and products of two tensors, 8 elements at once",
    .order = Order::any,
    .fits = [](const KernelProblem& p) { return places_fit(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_places(p, set); },
};

}  // namespace lockstep
