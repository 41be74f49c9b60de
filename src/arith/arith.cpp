#include "arith/arith.h"

namespace lockstep {

const Arithmetic* find_arithmetic(std::string_view name) {
  for (const Arithmetic* a : arith_table())
    if (a->name == name) return a;
  return nullptr;
}

std::string_view default_arithmetic(std::string_view format) {
  return format == "tflite" ? "tflite-ref" : "ort";
}

}  // namespace lockstep
