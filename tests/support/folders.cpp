#include "support/folders.h"

namespace lockstep::test {

std::string source_folder() {
  return LOCKSTEP_SOURCE_DIR;
}
std::string binary_folder() {
  return LOCKSTEP_BINARY_DIR;
}

}  // namespace lockstep::test
