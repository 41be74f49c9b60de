// Any text as ST's form of .csv: one tensor of rows, or an error.
#include <cstdlib>

#include "run/recording.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto recording = lockstep::recording_from_csv(text, "x", "fuzz.csv");
  if (recording.ok() && recording->arrays.at(0).tensor.shape().size() != 2) std::abort();
  return 0;
}
