#pragma once

#include <functional>
#include <string>
#include <vector>

#include "npu/network_c.h"

namespace lockstep::test {

// One way in which a generated network.c may differ from what the reader has seen, and what must
// come of it: the same program, or a refusal that says `refusal`.
struct AlteredC {
  std::string name;
  std::string refusal;  // "": read equal
  std::function<std::string(std::string)> alter;
  bool keeps_names = true;  // false: the comments that name buffers are gone
};
std::vector<AlteredC> alterations();

}  // namespace lockstep::test
