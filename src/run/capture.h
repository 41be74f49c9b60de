#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace lockstep {

// What is known of a recorded tensor beside its contents.
struct TensorInfo {
  DType dtype = DType::f32;
  Shape shape;
  QuantParams quant;
  Origin origin;
  bool typed_by_model = false;  // recorded as bytes: whether they are signed was nowhere said
};

// The tensors of one inference by name.
using Sample = std::map<std::string, Tensor, std::less<>>;

// Recorded tensors: what any target yields. A tensor may be missing in some samples.
struct Capture {
  std::string source;      // URI or file
  std::string arithmetic;  // of the target, "" when unknown
  std::map<std::string, TensorInfo, std::less<>> infos;
  std::vector<Sample> samples;
  std::vector<std::string> order;  // names as recorded or executed: pairing by order needs it
  std::vector<std::string> notes;  // what the reader had to assume, one sentence each
};

}  // namespace lockstep
