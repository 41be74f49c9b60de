#include "pass/pass.h"

#include <algorithm>

#include "pass/dequantize.h"
#include "pass/qdq.h"
#include "pass/stated_quants.h"

namespace lockstep {
namespace {

// Read from top to bottom: the order in which arithmetics name them.
constexpr Pass passes[] = {
    {"dequantize-graph", "coded tensors become reals, held inside the range of their codes",
     dequantize_graph},
    {"quantize-as-stated",
     "weights and results get the codes that ST's compiler states beside its optimized graph",
     quantize_as_stated},
    {"store-folded-constants", "constants computed at import are as good as stored",
     store_folded_constants},
    {"fuse-pads", "zeros around a window become its own padding", fuse_pads, true},
    {"fuse-conv-constants",
     "a normalization, factor or summand of constants goes into the weights before it",
     fuse_conv_constants, true},
    {"merge-equal-quantize", "equal (de)quantizers of one tensor become one", merge_equal_quantize,
     true},
    {"remove-double-qdq", "two quantizations in a row become one over the reals that both hold",
     remove_double_qdq, true},
    {"fuse-matmul-add", "MatMul and the Add behind it become Gemm", fuse_matmul_add},
    {"propagate-dequantize",
     "a quantization behind an operator that only moves elements, so that what reads it fuses",
     propagate_dequantize, true},
    {"propagate-quantize",
     "a quantization before an operator that only moves elements, so that what makes it fuses",
     propagate_quantize, true},
    {"quantize-bias", "float weights and biases of quantized products become codes", quantize_bias},
    {"cancel-transposes",
     "transposes go on past what computes element by element until they cancel, where that changes "
     "which operators fuse",
     cancel_transposes},
    {"drop-redundant-clip", "Relu and Clip that let through all that the codes behind can hold go",
     drop_redundant_clip, true},
    {"mark-unsigned-codes", "int8 codes between one quantizer and one reader are held as uint8",
     mark_unsigned_codes},
    {"fuse-qdq-conv", "Conv between uint8 codes runs on codes", fuse_qdq_conv},
    {"fuse-qdq-dense", "Gemm and MatMul of codes run on codes", fuse_qdq_dense},
    {"fuse-qdq-binary", "Add and Mul of codes of one type run on codes", fuse_qdq_binary},
    {"fuse-qdq-unary", "average pooling and Softmax between codes of one type run on codes",
     fuse_qdq_unary},
    {"block-float-convolutions", "float convolutions with constant weights sum channels in blocks",
     block_float_convolutions},
    {"run-on-codes",
     "operators between dequantizers and a quantizer run on codes, whatever 8-bit types meet",
     run_on_codes},
    {"drop-idle-dequantizers", "dequantizers that nobody reads go", drop_idle_dequantizers},
    {"block-float-pools",
     "float average pools of channels in sixteens sum straight through the window",
     block_float_pools},
    {"delegate-products",
     "products whose second operand has zero point 0 are requantized as layers, transposed "
     "convolutions with gaps by LiteRT",
     delegate_products},
    {"blocks-outside-are-code-zero", "SPACE_TO_BATCH_ND fills with code 0, not with the zero point",
     fill_blocks_with_zero},
    {"resize-channels-last",
     "linear Resize of codes behind integer convolutions mixes in fixed point",
     resize_channels_last},
};

}  // namespace

std::span<const Pass> pass_table() {
  return passes;
}

const Pass* find_pass(std::string_view name) {
  const auto it = std::ranges::find(passes, name, &Pass::name);
  return it == std::end(passes) ? nullptr : &*it;
}

Result<Graph> apply_passes(Graph graph, std::span<const std::string_view> names,
                           std::span<const std::string_view> without) {
  for (const std::string_view name : names) {
    if (std::ranges::find(without, name) != without.end()) continue;
    const Pass* pass = find_pass(name);
    if (!pass)
      return Error{graph.file(), "pass '" + std::string(name) + "'", "a row of the pass table", ""};
    for (bool again = true; again;) {
      LOCKSTEP_TRY(const Patch patch, pass->run(graph));
      again = pass->repeat && !patch.empty();
      if (patch.empty()) break;
      LOCKSTEP_TRY(Graph next, patch.apply());
      graph = std::move(next);
    }
  }
  return graph;
}

}  // namespace lockstep
