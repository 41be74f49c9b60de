#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "npu/simulate.h"
#include "npu/touch.h"

namespace lockstep {

// Bytes that an epoch reads of one tensor: every buffer that its last writer makes and that holds
// their first one (a tensor and its views have several names).
struct NpuRead {
  std::uint64_t low = 0, high = 0;
  std::vector<const NpuBuffer*> tensors;  // empty: bytes of no tensor that `writer` makes
  int writer = NpuWriters::nobody;
  bool kept = false;  // part of what is made: stood there before the epoch
};

// A tensor that an epoch makes and what it is made of: the streams behind those that write it, all
// that the operation reads in a software epoch.
struct NpuMaking {
  int epoch = 0;
  const NpuBuffer* made = nullptr;
  std::vector<NpuRead> reads;
  bool hardware = false;
  bool read_back = false;  // partial sums, which the epoch itself goes on with
  bool unknown = false;    // the simulator does not know the operation: `reads` says too little
};

// Told by the bytes that are touched, not by what streams are called. Constants are left out, and
// partial sums that the epoch itself wrote.
struct NpuProvenance {
  std::vector<NpuMaking> makings;                                       // in the epochs' order
  std::map<std::pair<int, NpuUnitId>, std::vector<NpuRead>> by_stream;  // of hardware epochs
  std::map<int, Error> refused;  // software epochs that cannot be run, and why
};
NpuProvenance npu_provenance(const NpuSimulator& simulator);

}  // namespace lockstep
