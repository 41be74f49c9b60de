#include "base/scratch_folder.h"

#include <stdlib.h>

#include <filesystem>

namespace lockstep {

Result<ScratchFolder> ScratchFolder::make() {
  std::error_code failure;
  std::string name = std::filesystem::temp_directory_path(failure) / "lockstep-XXXXXX";
  if (failure || !mkdtemp(name.data()))
    return Error{name, "cannot be made", "a writable temporary folder", ""};
  return ScratchFolder(name);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace lockstep
