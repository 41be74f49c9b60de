#pragma once

#include "ir/patch.h"

namespace lockstep {

// What onnxruntime does to quantize-dequantize graphs before it runs them; rows of the pass table.
// docs/numerics.md, "Which operators are integer".
Result<Patch> fuse_pads(const Graph& graph);
Result<Patch> fuse_conv_constants(const Graph& graph);
Result<Patch> merge_equal_quantize(const Graph& graph);
Result<Patch> remove_double_qdq(const Graph& graph);
Result<Patch> fuse_matmul_add(const Graph& graph);
Result<Patch> propagate_dequantize(const Graph& graph);
Result<Patch> propagate_quantize(const Graph& graph);
Result<Patch> quantize_bias(const Graph& graph);
Result<Patch> cancel_transposes(const Graph& graph);
Result<Patch> drop_redundant_clip(const Graph& graph);
Result<Patch> mark_unsigned_codes(const Graph& graph);
Result<Patch> fuse_qdq_conv(const Graph& graph);
Result<Patch> fuse_qdq_dense(const Graph& graph);
Result<Patch> fuse_qdq_binary(const Graph& graph);
Result<Patch> fuse_qdq_unary(const Graph& graph);
Result<Patch> store_folded_constants(const Graph& graph);
Result<Patch> block_float_convolutions(const Graph& graph);
// For arithmetics that compute on codes wherever codes meet.
Result<Patch> run_on_codes(const Graph& graph);
Result<Patch> drop_idle_dequantizers(const Graph& graph);
Result<Patch> block_float_pools(const Graph& graph);
Result<Patch> resize_channels_last(const Graph& graph);

// What LiteRT's XNNPACK delegate takes.
Result<Patch> delegate_products(const Graph& graph);
Result<Patch> fill_blocks_with_zero(const Graph& graph);

}  // namespace lockstep
