#include "arith/arith.h"

namespace lockstep {

const Arithmetic* find_arithmetic(std::string_view name) {
  for (const Arithmetic* a : arith_table())
    if (a->name == name) return a;
  return nullptr;
}

}  // namespace lockstep
