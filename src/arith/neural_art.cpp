#include "num/neural_art.h"

#include "arith/arith.h"
#include "num/activation.h"
#include "num/ort_codes.h"
#include "num/ort_float.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

constexpr Numerics numerics{
    .conv = &neural_art_requant,
    .dense = &neural_art_requant,
    .state = &tflite_state,
    .product = &neural_art_product,
    .hybrid = &tflite_hybrid,
    .add = &neural_art_add,
    .sub = &neural_art_sub,
    .mul = &neural_art_mul,
    .div = &tflite_div,
    .squared_difference = &tflite_squared_difference,
    .prelu = &tflite_prelu,
    .quantize = &neural_art_quantize,
    .average = &neural_art_average,
    .sum = &tflite_sum,
    .global_average = &neural_art_average,
    .sigmoid = &ort_sigmoid_table,
    .tanh = &tflite_tanh,
    .leaky_relu = &ort_leaky_relu_table,
    .hard_swish = &tflite_hard_swish,
    .exp = &tflite_exp,
    .log = &tflite_log,
    .elu = &tflite_elu,
    .gelu = &tflite_gelu,
    .gelu_tanh = &tflite_gelu_tanh,
    .bounded_relu = &tflite_bounded_relu,
    .abs = &tflite_abs,
    .neg = &tflite_neg,
    .sqrt = &tflite_sqrt,
    .rsqrt = &tflite_rsqrt,
    .softmax = &ort_softmax_codes,
    .log_softmax = &tflite_log_softmax,
    .l2_normalization = &tflite_l2_normalization,
    .to_real = ort_to_real,
    .real = {.sigmoid = ort_sigmoid, .tanh = ort_tanh, .exp = ort_exp, .softmax = ort_softmax},
};

constexpr std::string_view passes[] = {
    "quantize-as-stated",   "store-folded-constants", "merge-equal-quantize", "fuse-matmul-add",
    "propagate-dequantize", "propagate-quantize",     "quantize-bias",        "drop-redundant-clip",
    "run-on-codes",         "drop-idle-dequantizers"};

// Ties fall by the sign of int8 codes, 128 less than uint8 ones; the policies know uint8 by a
// greatest code above 127.
std::string unsupported(const NodeView& node) {
  const std::string& op = node.node.op;
  const bool ties = op == "Add" || op == "Sub" || op == "AveragePool" ||
                    op == "GlobalAveragePool" || op == "ReduceMean";
  if (!ties) return "";
  const Value& y = node.output(0);
  if (y.dtype != DType::u8 || !y.quant.quantized()) return "";
  const Activation act = activation_named(node.attrs().text("activation", "none"));
  if (activation_clamp(act, y.quant.scale_at(0), y.quant.zero_at(0), 0, 255).high > 127) return "";
  return "a uint8 sum or average whose activation ends below code 128 is not predicted; exported "
         "with int8 activations it is";
}

}  // namespace

extern constinit const Arithmetic arith_neural_art = {
    .name = "neural-art",
    .runtime = "STM32N6 Neural-ART as ST's compiler programs it, predicted from the model alone",
    .version = "atonn 1.1.1-14",
    .meaning =
        "16-bit sums, multipliers and intermediates by the compiler's rules, ties away from zero; "
        "what runs on the CPU is assumed",
    .numerics = &numerics,
    .passes = passes,
    .unsupported = unsupported,
};

}  // namespace lockstep
