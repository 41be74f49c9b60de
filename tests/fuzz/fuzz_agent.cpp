// Any bytes as what a host sends to the agent: it answers or drops them, and writes to no memory
// but the network's. A byte 0xF7 is a silence as long as the agent waits.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "lockstep_agent.h"

namespace {

struct Line {
  const std::uint8_t* data;
  std::size_t left;
};

long read_bytes(void* self, std::uint8_t* into, std::size_t size, std::uint32_t) {
  auto& line = *static_cast<Line*>(self);
  if (line.left == 0) return -1;
  if (*line.data == 0xF7) {
    ++line.data;
    --line.left;
    return 0;
  }
  const auto* silence = static_cast<const std::uint8_t*>(std::memchr(line.data, 0xF7, line.left));
  const std::size_t n =
      std::min(size, silence ? static_cast<std::size_t>(silence - line.data) : line.left);
  std::memcpy(into, line.data, n);
  line.data += n;
  line.left -= n;
  return static_cast<long>(n);
}
int write_bytes(void*, const std::uint8_t*, std::size_t) {
  return 0;
}

std::uint8_t memory[256];
void* memory_at(void*, std::uint32_t address, std::uint32_t size, int) {
  return address >= 0x1000 && size <= sizeof memory && address - 0x1000 <= sizeof memory - size
             ? memory + (address - 0x1000)
             : nullptr;
}

int run(void* self, int, lockstep_agent_observer observer, void* context) {
  const auto* tensor = static_cast<const lockstep_agent_tensor*>(self);
  const lockstep_agent_node node{"node", 0, 0, tensor, 1, nullptr, 0, 0};
  return observer ? observer(context, &node) : 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::uint32_t dims[] = {1, 40};
  const auto input = std::make_unique<std::uint8_t[]>(40);
  lockstep_agent_tensor tensor{"x", LOCKSTEP_FORMAT_S8, 2, dims, 0.5f, 0, input.get(), 40, 0};
  lockstep_agent_network network{"network", "",      "",      "", 0, 1,    0,      0,
                                 1,         &tensor, &tensor, 1,  1, &run, &tensor};
  const lockstep_agent_network* networks[] = {&network};
  Line line{data, size};
  lockstep_agent_board board{&read_bytes, &write_bytes, nullptr, &memory_at,   &line, 0x486,
                             1000000,     1000000,      0,       {0, 0, 0, 0}, 4094};
  const auto agent = std::make_unique<lockstep_agent>();
  lockstep_agent_init(agent.get(), &board, networks, 1);
  while (lockstep_agent_serve(agent.get(), 0) >= 0) {
  }
  return 0;
}
