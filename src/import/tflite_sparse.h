#pragma once

#include <memory>
#include <span>
#include <string>

#include "flatbuffers/tflite_generated.h"
#include "ir/graph.h"

namespace lockstep {

// A constant of which the file holds only some blocks: the whole tensor, zero elsewhere.
Result<std::shared_ptr<const Tensor>> densified(std::span<const std::byte> raw,
                                                const tfl::SparsityParameters& sparsity,
                                                DType dtype, const Shape& shape,
                                                const std::string& where);

}  // namespace lockstep
