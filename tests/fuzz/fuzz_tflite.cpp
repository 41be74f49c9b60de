// Any bytes as a TFLite model: a graph that keeps every invariant, or an error.
#include <cstdlib>

#include "import/import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto graph =
      lockstep::import_tflite_bytes(std::as_bytes(std::span(data, size)), "fuzz.tflite");
  if (graph.ok() && !lockstep::verify(*graph).ok()) std::abort();
  return 0;
}
