#include "arith/arith.h"
#include "arith/arith_tflite.h"
#include "num/narrow_sums.h"
#include "num/xnnpack.h"
#include "num/xnnpack_float.h"

namespace lockstep {
namespace {

constexpr Numerics with_xnnpack() {
  Numerics n = tflite_reference_numerics;
  n.conv = n.conv_unsigned = n.dense = &xnnpack_requant;
  n.conv_int16 = &tflite_conv;
  n.dense_int16 = &litert_dense;
  n.softmax = &litert_softmax;
  n.log_softmax = &litert_log_softmax;
  n.hybrid = &xnnpack_hybrid;
  n.add = &xnnpack_add;
  n.sub = &xnnpack_sub;
  n.mul = &xnnpack_mul;
  n.quantize = &xnnpack_quantize;
  n.quantize_other = &litert_requantize_runs;
  n.bilinear = &xnnpack_bilinear;
  n.leaky_relu = &xnnpack_leaky_relu;
  n.sigmoid = &xnnpack_sigmoid;
  n.tanh = &xnnpack_tanh;
  n.global_average = &xnnpack_mean;
  n.sum = &xnnpack_sum;
  n.sums_bytes_unsigned = false;
  n.real.functions = &xnnpack_functions;
  n.real.softmax = xnnpack_float_softmax;
  return n;
}
constexpr Numerics numerics = with_xnnpack();

std::string unsupported(const NodeView& node) {
  if (node.node.op == "LRN")
    return "LiteRT's own kernel of LOCAL_RESPONSE_NORMALIZATION sums another window than the "
           "reference";
  if (node.node.op == "Conv" && node.attrs().integer("off_centre", 0) != 0 &&
      (node.constant(1) || node.attrs().text("weights", "") != "1HWO"))
    return off_centre_refused;
  return "";
}

constexpr std::string_view passes[] = {"delegate-products"};

}  // namespace

extern constinit const Arithmetic arith_tflite = {
    .name = "tflite",
    .runtime =
        "LiteRT as it runs by default: XNNPACK's delegate, TFLite's own kernels for what it "
        "leaves, x86-64 with AVX-512",
    .version = "2.3.0",
    .meaning = "XNNPACK: layers requantized in float32, sums and averages in its own fixed point",
    .numerics = &numerics,
    .passes = passes,
    .unsupported = unsupported,
};

}  // namespace lockstep
