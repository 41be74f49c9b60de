#pragma once

#include <optional>

#include "npu/audit.h"
#include "npu/epoch.h"

namespace lockstep {

struct NpuCodes {
  double scale = 0;
  std::int64_t zero = 0;
  bool known() const { return scale > 0; }
};

// The codes that a unit yields: of the buffer that it goes to, also behind a change of zero point.
struct NpuYield {
  const NpuBuffer* buffer = nullptr;
  std::int64_t zero = 0;
};

// What arrives at the units of one epoch and what they yield, by the program's tables and by the
// layers that are known.
struct NpuOperands {
  const NpuSimulator& sim;
  std::span<const NpuLayerPair> pairs;
  const NpuEpochForm& form;

  // Whether the layers are known from the program's own tables alone.
  bool stated() const {
    return !pairs.empty() && pairs.front().model && !pairs.front().model->bias_known;
  }
  const NpuBuffer* buffer(NpuUnitId id, int epoch) const;
  NpuUnitId source(NpuUnitId id, int port) const;  // RECBUF 9 where nothing is linked
  // The codes that arrive at a port: of a buffer, or of a layer requantized in this epoch.
  NpuCodes arriving(NpuUnitId id, int port) const;
  // By the operator of the unit's node; by the name of what it makes where the file says neither.
  bool subtracts(NpuUnitId id, const NpuBuffer& out) const;
  // The codes that an arithmetic unit's result is stored as, when it goes to memory as it is.
  const NpuBuffer* stored(NpuUnitId id) const;
  NpuYield yields(NpuUnitId id) const;
  // A unit that takes codes to another zero point and nothing else: what it adds.
  std::optional<std::int64_t> shifts_codes(const NpuArith& a) const;
};

}  // namespace lockstep
