#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/files.h"

namespace lockstep {

// Which build of a network a capture was recorded from. What a file does not say is empty.
struct Build {
  std::string hash;   // of the compiled program or weight image, whatever the tool prints
  std::string stamp;  // compiler and version, date
  std::string model;  // hash of the model file that was compiled, as `model_hash` makes it
  std::vector<std::string> exposed;  // inner tensors that this build shows as outputs

  bool known() const { return !hash.empty() || !stamp.empty() || !model.empty(); }
  std::string text() const;  // "hash 1f3a, stedgeai 4.0.1, 2 tensors exposed"
};

// Whether two records name one build, two, or do not say.
enum class SameBuild { yes, no, unsaid };
SameBuild same_build(const Build& a, const Build& b);

// "fnv1a64:" and 16 digits, over the bytes of a model file.
std::string model_hash(std::span<const std::byte> bytes);

}  // namespace lockstep
