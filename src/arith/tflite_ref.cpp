#include <string>

#include "arith/arith.h"
#include "arith/arith_tflite.h"

namespace lockstep {

namespace {

// N62: what the reference kernels compute from memory that is not theirs.
std::string unsupported(const NodeView& node) {
  if (node.node.op == "ReduceSum" && !node.node.inputs.empty() && node.has_input(0) &&
      node.input(0).dtype == DType::i16)
    return "LiteRT's reference SUM reads codes of 16 bits as bytes and leaves half of its result "
           "unwritten";
  if (node.node.op == "Conv" && node.attrs().integer("off_centre", 0) != 0 &&
      node.attrs().text("weights", "") != "1HWO")
    return off_centre_refused;
  return "";
}

}  // namespace

extern constinit const Arithmetic arith_tflite_ref = {
    .name = "tflite-ref",
    .runtime = "LiteRT, reference kernels (OpResolverType.BUILTIN_REF)",
    .version = "2.3.0",
    .meaning =
        "TFLite's reference kernels: fixed-point multipliers rounded twice, fully connected layers "
        "in double",
    .numerics = &tflite_reference_numerics,
    .unsupported = unsupported,
};

}  // namespace lockstep
