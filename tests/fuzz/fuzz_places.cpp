// Any text as network.json or c_info.json beside a firmware: tensors within 4 GB, or an error.
#include <cstdlib>

#include "target/target_places.h"

namespace {

void check(const std::vector<lockstep::DeviceTensor>& tensors) {
  for (const auto& t : tensors)
    if (std::uint64_t{t.address} + t.bytes() > std::uint64_t{1} << 32) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  static const ElfSymbols symbols = {
      {"arena", {0x31000000, 608, false}},    {"network_run", {0x1000, 4, true}},
      {"network_init", {0x1100, 4, true}},    {"network_node_done", {0x1200, 4, true}},
      {"LL_ATON_RT_Main", {0x2000, 4, true}}, {"LL_ATON_Start_EpochBlock_2", {0x2100, 4, true}}};
  const auto placed = place_described({reinterpret_cast<const char*>(data), size}, "fuzz.json",
                                      symbols, "fuzz.elf", "");
  if (!placed.ok()) return 0;
  check(placed->inputs);
  check(placed->outputs);
  for (const PlacedNode& node : placed->nodes) check(node.outputs);
  if (placed->nodes.size() <= 64) (void)surviving(*placed);
  return 0;
}
