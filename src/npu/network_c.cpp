#include "npu/network_c.h"

namespace lockstep {

Result<NpuProgram> read_network_c(const std::string& path) {
  return Error{path, "generated C", "*.program.json", {}};
}

}  // namespace lockstep
