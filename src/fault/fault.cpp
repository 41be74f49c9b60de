#include "fault/fault.h"

namespace lockstep {

const FaultDef* find_fault(std::string_view name) {
  for (const FaultDef* fault : fault_table())
    if (fault->name == name) return fault;
  return nullptr;
}

}  // namespace lockstep
