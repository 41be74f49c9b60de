#include "arith/arith_ort.h"

namespace lockstep {
namespace {

constexpr Numerics with_saturation() {
  Numerics n = ort_numerics;
  n.pairs_saturate = true;
  return n;
}
constexpr Numerics numerics = with_saturation();

}  // namespace

extern constinit const Arithmetic arith_ort_u8s8_saturating = {
    .name = "ort-u8s8-saturating",
    .runtime = "onnxruntime, CPU provider, all graph optimizations, x86-64 without VNNI (AVX2)",
    .version = "1.30.0",
    .meaning =
        "as ort, but products of uint8 by int8 codes are added in pairs that saturate at 16 bits",
    .numerics = &numerics,
    .passes = ort_passes,
    .unsupported = unsupported_by_optimized_ort,
};

}  // namespace lockstep
