#include "run/fed_sample.h"

namespace lockstep {

const Sample*& fed_sample() {
  thread_local const Sample* sample = nullptr;
  return sample;
}

}  // namespace lockstep
