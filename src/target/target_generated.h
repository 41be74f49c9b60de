#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/target.h"
#include "target/target_process.h"

namespace lockstep {

// A generated network in a folder, as its manifest (network.json) describes it.
struct GeneratedTensor {
  std::string name;
  TensorInfo info;
  std::int64_t bytes = 0;
  std::vector<std::size_t> order;  // in which its axes lie in memory; empty: their own
  bool inner = false;              // not a tensor of the model, and not observed
  int pool = -1;                   // -1: a constant
  std::int64_t offset = 0;         // in its pool
};
struct GeneratedNetwork {
  std::string folder, name, model_hash, arithmetic;
  std::vector<GeneratedTensor> inputs;
  std::vector<std::vector<GeneratedTensor>> nodes;  // outputs by node; an absent one has no name
  std::vector<std::string> node_names, node_ops;
  std::vector<std::vector<std::string>> node_inputs;
  std::vector<std::string> kept;        // names of outputs and states: live to the end
  std::vector<GeneratedTensor> states;  // live from the start to the end
  std::vector<std::pair<std::string, std::int64_t>> pools;  // symbol, bytes used
  bool has_addresses = false;                               // of pools, which no other machine has
  std::int64_t activation_bytes = 0, weight_bytes = 0;
  std::string weights_file;  // constants apart from the C; "": none
  // CMSIS-NN that it calls: the checkout's folder ("": none), files and definitions to compile.
  std::string library_folder;
  std::vector<std::string> library_sources, library_definitions;
};

// Errors: no manifest, more than one, not one of ours.
Result<GeneratedNetwork> read_generated(const std::string& folder);
Result<GeneratedNetwork> generated_from(std::string_view manifest, const std::string& path);
// The error of a network that was made from another file than the model's.
Result<void> same_model(const GeneratedNetwork& network, const Graph& model);
// Every C file of the folder.
Result<std::vector<std::string>> sources_of(const GeneratedNetwork& network);
// The files of rt/harness into a folder.
Result<void> write_harness(const ScratchFolder& folder);
// What a compiler is given: the C files of a network, those of a library that it calls with their
// flags and, where its constants stand apart, one written into `folder` that
// takes them in under the name that the network asks for.
Result<std::vector<std::string>> linked_sources(const GeneratedNetwork& network,
                                                const ScratchFolder& folder);
// C that overwrites, after each node, every byte of the pools that no tensor needs any more:
// poison.h of the harness. Live ranges come from the manifest's edges alone.
std::string poison_table(const GeneratedNetwork& network);
// What the harness reads, and what it answered.
Result<void> write_harness_input(const GeneratedNetwork& network, std::span<const Sample> inputs,
                                 StateMode state, const std::string& path);
Result<Capture> read_harness_output(const GeneratedNetwork& network, std::span<const Sample> inputs,
                                    std::span<const std::string> wanted, const std::string& path);
Result<Capture> harness_capture(const GeneratedNetwork& network, std::span<const Sample> inputs,
                                std::span<const std::string> wanted,
                                std::span<const std::byte> stream);

// Instructions of a generated network on the emulated Cortex-M55.
struct NodeCount {
  std::string name, op;
  std::int64_t instructions = 0, vector = 0;
};
struct InstructionCount {
  std::vector<NodeCount> nodes;
  std::int64_t instructions = 0, vector = 0, stack = 0;
};
// One inference on the first sample. `flags` are added to the compiler's. Needs what qemu: needs.
Result<InstructionCount> count_instructions(const std::string& folder, const Sample& input,
                                            const std::vector<std::string>& flags = {});

}  // namespace lockstep
