// Any text as network.c; what reads as a program is simulated.
#include "npu/network_c.h"
#include "npu/simulate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  auto p = parse_network_c({reinterpret_cast<const char*>(data), size}, "network.c");
  if (!p.ok()) return 0;
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(*p)));
  if (!sim.ok()) return 0;
  Sample in;
  for (const NpuBuffer* b : sim->inputs())
    if (b->count() <= 4096) in.emplace(b->name, Tensor(dtype_of(*b), plain_shape(*b)));
  (void)sim->run(in);
  return 0;
}
