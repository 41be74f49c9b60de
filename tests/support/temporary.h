#pragma once

#include <string>

#include "base/scratch_folder.h"

namespace lockstep::test {

// A folder of its own, removed with everything in it.
class TemporaryFolder {
 public:
  std::string operator/(const std::string& name) const { return *made_ / name; }

 private:
  const Result<ScratchFolder> made_ = ScratchFolder::make();
};

}  // namespace lockstep::test
