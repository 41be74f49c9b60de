#include "arith/arith.h"
#include "arith/arith_tflite.h"

namespace lockstep {

extern constinit const Arithmetic arith_tflite_ref = {
    .name = "tflite-ref",
    .runtime = "LiteRT, reference kernels (OpResolverType.BUILTIN_REF)",
    .version = "2.3.0",
    .meaning = "TFLite's reference kernels: fixed-point multipliers rounded twice, fully connected layers in double",
    .numerics = &tflite_reference_numerics,
};

}  // namespace lockstep
