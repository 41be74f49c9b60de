#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ir/graph.h"
#include "num/numerics.h"

namespace lockstep {

// A named arithmetic: the value that says how a runtime computes. Never a build flag.
struct Arithmetic {
  std::string_view name = {};     // "ort-noopt"
  std::string_view runtime = {};  // what it imitates: "onnxruntime, graph optimizations disabled"
  std::string_view version = {};  // the exact version whose answers it equals
  std::string_view meaning = {};  // one sentence for the generated page
  const Numerics* numerics;
  // Rows of the pass table, in order, that turn the imported graph into the one this runtime
  // executes.
  std::span<const std::string_view> passes = {};
  // "" when this arithmetic computes the node, else the reason why not, as a sentence. Null: all.
  std::string (*unsupported)(const NodeView& node) = nullptr;
};

std::span<const Arithmetic* const> arith_table();          // generated, sorted by name
const Arithmetic* find_arithmetic(std::string_view name);  // null when there is none
// The arithmetic a model is judged by when none is named: that of its format's usual runtime.
std::string_view default_arithmetic(std::string_view format);

}  // namespace lockstep
