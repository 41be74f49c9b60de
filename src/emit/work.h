#pragma once

#include <set>
#include <string>
#include <vector>

#include "emit/emit.h"
#include "emit/layout.h"
#include "emit/node.h"

namespace lockstep {

// Bytes behind each pool: vector kernels read whole vectors, beyond a tensor's end.
constexpr std::int64_t pool_slack = 16;

// What stands before the constants in a blob: mark, version, bytes behind the header, model hash,
// hash of those bytes.
constexpr std::size_t blob_header_bytes = 48;

// The pieces of one generation: what is placed where, and the C of each node.
struct GenerateWork {
  const Layout& layout;
  const Graph& graph;  // the layout's: lowered, without nodes of constants
  const Arithmetic& arithmetic;
  const GenerateOptions& options;
  Lives lives;
  MemoryPlan plan;
  ConstantPool constants;
  std::vector<NodeWriter> nodes;
  std::vector<std::string> library_sources;  // files under options.cmsis_nn that the nodes need

  const Place& place_of(ValueId v) const;
  std::string address_of(ValueId v);  // of a constant too, which is written when first asked for
  std::int64_t activation_bytes() const;  // the plan's total and the slack of each pool in use
};

// The files of rt/ that the nodes call, with every header that these include.
std::set<std::string> runtime_of(const GenerateWork& w);

// The text of NAME.h and NAME.c; NAME.json, what stands where.
std::string network_header(GenerateWork& w);
std::string network_source(GenerateWork& w);
std::string network_manifest(const GenerateWork& w);
// NAME_weights.h and .c: the constants as arrays, or the way to them in NAME_weights.bin.
std::string weights_header(const GenerateWork& w);
std::string weights_source(const GenerateWork& w);
std::string weights_blob(const GenerateWork& w);

// Upper case of a prefix, and text that may stand in a C comment.
std::string c_upper(std::string text);
std::string c_comment(std::string text);

}  // namespace lockstep
