// Any text as the description of a raw dump of 64 bytes beside it: tensors
// inside the dump, or an error.
#include <cstdlib>
#include <filesystem>

#include "run/recording.h"

namespace {

std::string folder_with_dump() {
  const auto folder = std::filesystem::temp_directory_path() / "lockstep_fuzz_raw";
  std::filesystem::create_directories(folder);
  if (!lockstep::write_file((folder / "dump.raw").string(), std::string(64, '\x81')).ok())
    std::abort();
  return folder.string();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string json_path = folder_with_dump() + "/dump.json";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto recording = lockstep::recording_from_raw(text, json_path);
  if (!recording.ok()) return 0;
  for (const auto& array : recording->arrays)
    if (array.tensor.bytes().size() > 128) std::abort();  // float16 widens to twice its size
  return 0;
}
