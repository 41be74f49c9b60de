// Elements at the same place, 16 at once: codes from reals and back, sums and products of two
// tensors.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_places.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#include "num/simd/avx512.h"
#include "num/simd/requant.h"

#include "kernel/simd/parts_avx512.h"
#include "kernel/simd/places.h"

namespace lockstep {
namespace {

constexpr PlaceSet set = place_set<Avx512, Avx512Parts>();

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"QuantizeLinear", "DequantizeLinear", "Add", "Sub", "Mul"};

}  // namespace

extern constinit const Kernel kernel_places_avx512 = {
    .name = "places_avx512",
    .ops = ops,
    .isa = Isa::avx512,
    .speed = 16,
    .meaning = "codes from reals and back, sums and products of two tensors, 16 elements at once",
    .order = Order::any,
    .fits = [](const KernelProblem& p) { return places_fit(p, set); },
    .prepare = [](const KernelProblem& p) { return prepare_places(p, set); },
};

}  // namespace lockstep
