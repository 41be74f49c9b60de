#pragma once

#include <set>
#include <string>
#include <vector>

#include "arith/arith.h"
#include "emit/node.h"

namespace lockstep {

// Operators whose kernels are CMSIS-NN's, where the user points to a checkout of it: convolutions,
// depthwise convolutions, fully connected layers, poolings, sums and products of int8 codes of one
// shape, softmax over the last axis. Everything else keeps the kernels of rt/.

// Which of the two computes a node.
const NodeEmitter* emitter_of(const NodeView& view, const Numerics& num, bool library);
// The library's; null where it has none for this node.
const NodeEmitter* library_emitter(const NodeView& view, const Numerics& num);

// The errors of an arithmetic that CMSIS-NN does not compute, and of a folder that is no checkout
// of it or one whose functions take other parameters.
Result<void> library_for(const Arithmetic& arithmetic, const std::string& folder);

// The C files under `folder`/Source, relative to it, that define `functions` and whatever those
// mention in turn. The error of a function that none defines.
Result<std::vector<std::string>> library_sources(const std::string& folder,
                                                 const std::set<std::string>& functions);

// What a C file defines at its outermost level (functions and tables, static ones too), and every
// identifier in it; comments, strings and preprocessor lines left out.
struct CNames {
  std::set<std::string> defined, mentioned;
};
CNames c_names(std::string_view text);

// One table for each family, a file each.
struct LibraryEmitter {
  std::string_view op;
  bool (*fits)(const NodeView& view, const Numerics& num) = nullptr;
  NodeEmitter emitter = {};
};
std::span<const LibraryEmitter> library_windows();
std::span<const LibraryEmitter> library_rows();

// What both write with.
bool is_int8(const Value& v);
// Extents as a structure of the node: "&node_3_filter".
std::string library_dims(NodeWriter& w, const std::string& suffix, std::int64_t n, std::int64_t h,
                         std::int64_t width, std::int64_t c);
// "{.min = -128, .max = 127}" of the output's codes.
std::string library_clamp(const NodeView& v);
// The arrays of multipliers and shifts of each channel, or their one value.
struct LibraryFactors {
  std::string multiplier, shift;
};
LibraryFactors library_factors(NodeWriter& w, std::span<const Rescale> rescales);
// Writes the call. `scratch`: what its context `&context` points to, `bytes` long; "": the function
// takes none. `asked`: how the library says what it needs; where that is more the node fails at run
// time.
void library_call(NodeWriter& w, const std::string& function, const std::string& arguments,
                  const std::string& asked = "", const std::string& scratch = "",
                  std::int64_t bytes = 0);

}  // namespace lockstep
