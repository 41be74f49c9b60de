#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "run/executor.h"

namespace lockstep {

// C99 for a device from a lowered graph: network.h (the API), network.c, network_weights.c, the
// kernels that they call, and network.json, which says what stands where.
struct GenerateOptions {
  std::string name = "network";  // prefix of files and functions: a C identifier in lower case
  std::string model_hash;        // of the model's file
  std::vector<Pool> pools;       // empty: one arena
  bool keep_inputs = false;      // input buffers survive the run
  bool weights_apart = false;    // constants in NAME_weights.bin instead of arrays
  bool channels_last =
      true;              // where convolutions gain by it; false: tensors lie as the model has them
  std::string cmsis_nn;  // folder of a checkout of CMSIS-NN to be called; "": none
};

struct GeneratedFile {
  std::string path;  // relative to the folder
  std::string text;  // or bytes
};

struct Generated {
  std::vector<GeneratedFile> files;
  MemoryPlan plan;
  std::int64_t weight_bytes = 0;
  std::int64_t activation_bytes = 0;  // the plan's total and a vector behind each pool
  // Nodes by operator: those that CMSIS-NN computes and, beside it, those that it does not.
  std::map<std::string, int> library_nodes, own_nodes;
};

// Errors name the first node that has no C in this arithmetic, and why.
Result<Generated> generate(const Executor& executor, const GenerateOptions& options);

// The graph without nodes of constants alone: what they yield is constant.
Result<Graph> without_constant_nodes(const Graph& graph, const Numerics& num);

// FNV-1a, 64 bits, over the bytes, as 16 hexadecimal digits: how network.h and network.json name
// the model they were made from.
std::string content_hash(std::span<const std::byte> bytes);

// A file of rt/ as it stands in the source tree; the error says that there is none.
struct RuntimeFile {
  std::string_view path, text;
};
std::span<const RuntimeFile> runtime_files();  // generated from rt/

}  // namespace lockstep
