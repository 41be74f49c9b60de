#include "tool/output_place.h"

#include <unistd.h>

#include <filesystem>

namespace lockstep {

Result<void> check_place(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code none;
  const fs::path folder = fs::path(path).parent_path();
  const std::string place = folder.empty() ? "." : folder.string();
  const auto refused = [&](const std::string& why) {
    return Error{path, "cannot be written: " + why, "a writable place", ""};
  };
  if (fs::is_directory(path, none)) return refused("it is a folder");
  if (!fs::is_directory(place, none)) return refused("there is no folder " + place);
  if (access(place.c_str(), W_OK) != 0) return refused("no permission in " + place);
  return {};
}

Result<void> check_archive_place(const std::string& path) {
  if (std::filesystem::path(path).extension() != ".npz")
    return Error{"-o " + path, "not the name of an .npz archive, which is what is written",
                 "a name that ends in .npz", ""};
  return check_place(path);
}

}  // namespace lockstep
