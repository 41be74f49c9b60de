#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

#include "link/device.h"
#include "link/elf.h"

namespace lockstep {

// Where the tensors of a firmware's network stand, and where to stop to read them.
struct PlacedNode {
  std::string name;
  std::vector<DeviceTensor> outputs;
};

struct PlacedStop {
  std::uint32_t address = 0;
  std::size_t done = 0;  // nodes whose outputs may be read here
  bool counted = false;  // register 0 holds the index of the node just done
};

struct PlacedNetwork {
  std::string name, model_hash;
  std::vector<DeviceTensor> inputs, outputs, states;
  std::vector<PlacedNode> nodes;
  std::uint32_t run = 0, init = 0;  // functions without arguments; init 0: there is none
  std::vector<PlacedStop> stops;    // in order; empty: only a whole run is possible
  std::map<std::uint32_t, std::string> functions;  // of the firmware, by address

  std::string function_around(std::uint32_t address) const;  // " (in HardFault_Handler)", or ""
};

// From network.json as `generate` writes it, and the firmware's ELF file.
// From ST's c_info.json, and the firmware's ELF file. Errors: not such files, symbols that are
// missing, tensors outside their pools. `run` names the function of one inference; "": the usual
// one.
Result<PlacedNetwork> place_network(const std::string& description, const std::string& elf,
                                    const std::string& run);
Result<PlacedNetwork> place_described(std::string_view text, const std::string& description,
                                      const ElfSymbols& symbols, const std::string& elf,
                                      const std::string& run);

// From the model alone, with a place for every input and output: a symbol of the firmware, or an
// address ("0x34200000"). `run` must be named. Errors: no such symbols, or too small for the
// tensor.
Result<PlacedNetwork> place_by_symbols(const Graph& model, const std::string& elf,
                                       const std::string& run,
                                       const std::vector<std::string>& inputs,
                                       const std::vector<std::string>& outputs);

// Nodes whose outputs no later node's output overlaps: what a whole run leaves to be read.
std::vector<std::size_t> surviving(const PlacedNetwork& network);

}  // namespace lockstep
