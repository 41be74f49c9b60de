#include "arith/arith.h"

#include <cmath>

namespace lockstep {
namespace {

constexpr Numerics numerics{};
constexpr std::string_view passes[] = {"dequantize-graph"};

std::string unsupported(const NodeView& node) {
  for (const ValueId v : node.node.outputs)
    if (v != no_id && node.graph.value(v).quant.quantized())
      return "the float arithmetic computes a quantized model only after it is dequantized";
  return "";
}

}  // namespace

extern constinit const Arithmetic arith_float = {
    .name = "float",
    .runtime = "real numbers rounded to float32",
    .version = "",
    .meaning = "every operator in float32, quantized tensors dequantized",
    .numerics = &numerics,
    .passes = passes,
    .unsupported = unsupported,
};

}  // namespace lockstep
