#pragma once

#include <string>
#include <vector>

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
  std::size_t done = 0;      // nodes whose outputs may be read here
  bool counted = false;      // register 0 holds the index of the node just done
};

struct PlacedNetwork {
  std::string name, model_hash;
  std::vector<DeviceTensor> inputs, outputs, states;
  std::vector<PlacedNode> nodes;
  std::uint32_t run = 0, init = 0;  // functions without arguments; init 0: there is none
  std::vector<PlacedStop> stops;    // in order; empty: only a whole run is possible
};

// From network.json as `generate` writes it, and the firmware's ELF file.
// From ST's c_info.json, and the firmware's ELF file. Errors: not such files, symbols that are missing,
// tensors outside their pools. `run` names the function of one inference; "": the usual one.
Result<PlacedNetwork> place_network(const std::string& description, const std::string& elf, const std::string& run);

// Nodes whose outputs no later node's output overlaps: what a whole run leaves to be read.
std::vector<std::size_t> surviving(const PlacedNetwork& network);

}  // namespace lockstep
