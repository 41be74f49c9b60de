#include "arith/arith_ort.h"

namespace lockstep {

extern constinit const Arithmetic arith_ort_noopt = {
    .name = "ort-noopt",
    .runtime = "onnxruntime, CPU provider, graph optimizations disabled, x86-64 with AVX-512",
    .version = "1.30.0",
    .meaning = "the model as it is written: quantize and dequantize taken literally, in float32",
    .numerics = &ort_numerics,
    .passes = {},
    .unsupported = unsupported_by_ort,
};

}  // namespace lockstep
