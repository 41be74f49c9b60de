#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace lockstep {

// A program of this machine, run to its end.
struct ProcessRequest {
  std::vector<std::string> arguments;  // the program first
  std::string folder;                  // where it runs; "": here
  std::string input, output;           // files for standard input and output; "": none
  double seconds = 120;                // then it is ended
};
// A large network under sanitizers, on a busy machine.
constexpr double compile_seconds = 900;
struct ProcessResult {
  int code = 0;
  std::string errors;  // the end of standard error
};

// Errors (Blame::target): the program is not installed, a signal ended it, it took too long.
Result<ProcessResult> run_process(const ProcessRequest& request);

// A folder of its own under the system's temporary one, removed with everything in it.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make();
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace lockstep
