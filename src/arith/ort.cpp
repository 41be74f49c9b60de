#include "arith/arith_ort.h"

namespace lockstep {

extern constinit const Arithmetic arith_ort = {
    .name = "ort",
    .runtime = "onnxruntime, CPU provider, all graph optimizations, x86-64 with AVX-512",
    .version = "1.30.0",
    .meaning =
        "quantize-dequantize groups fused into integer operators, as the runtime does by default",
    .numerics = &ort_numerics,
    .passes = ort_passes,
    .unsupported = unsupported_by_optimized_ort,
};

}  // namespace lockstep
