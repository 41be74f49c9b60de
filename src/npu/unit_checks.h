#pragma once

#include <string>

#include "npu/units.h"

namespace lockstep {

// What keeps a decoded unit from being computed: an impossible size, or a configuration whose
// effect is not known; "" when nothing does.
std::string npu_unit_problem(const NpuStream& s);
std::string npu_unit_problem(const NpuConv& c);
std::string npu_unit_problem(const NpuArith& a);
std::string npu_unit_problem(const NpuPoolUnit& p);
std::string npu_unit_problem(const NpuActiv& v);

}  // namespace lockstep
