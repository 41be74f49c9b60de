// Any text as a recording: a log of numbers, a C array, JSON of numbers; tensors of as many
// elements as their shape says, or an error.
#include <cstdlib>

#include "run/recording_text.h"

namespace {

void expect_sound(const lockstep::Result<lockstep::Recording>& recording) {
  if (!recording.ok()) return;
  for (const auto& array : recording->arrays) {
    const auto& tensor = array.tensor;
    const auto count = static_cast<std::size_t>(tensor.count());
    if (tensor.bytes().size() != count * lockstep::size_of(tensor.dtype())) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  expect_sound(lockstep::recording_from_text(text, "x", "fuzz.txt"));
  expect_sound(lockstep::recording_from_c(text, "x", "fuzz.c"));
  expect_sound(lockstep::recording_from_json_numbers(text, "x", "fuzz.json"));
  return 0;
}
