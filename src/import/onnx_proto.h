#pragma once

#include <string>

#ifndef ONNX_ML
#define ONNX_ML  // the schema with everything in it
#endif
#include <onnx/onnx_pb.h>

#include "ir/attrs.h"
#include "ir/graph.h"

namespace lockstep {

// The element type that an ONNX number names; an error for those without a place here (strings,
// complex, float8, 4-bit, bfloat16).
Result<DType> dtype_of_onnx(std::int32_t number, const std::string& where);

// An initializer or attribute as a tensor. Sizes are checked against the bytes at hand before
// anything is allocated; tensors in other files and segments are refused. uint4 and int4 become
// uint8 and int8.
bool is_four_bit(const onnx::TensorProto& proto);
Result<Tensor> tensor_of_onnx(const onnx::TensorProto& proto, const std::string& where);

// A node's attributes except subgraphs. `where` names file and node.
Result<Attrs> attrs_of_onnx(const onnx::NodeProto& node, const std::string& where);

const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, std::string_view name);

}  // namespace lockstep
