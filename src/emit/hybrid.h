#pragma once

#include "emit/window.h"

namespace lockstep {

// Layers of float32 under weights in codes (rt/ls_hybrid.c).
bool is_hybrid(const NodeView& v);
std::int64_t hybrid_scratch(const NodeView& v, const Numerics& num);
Result<void> write_hybrid_conv(NodeWriter& w);
Result<void> write_hybrid_gemm(NodeWriter& w);

}  // namespace lockstep
