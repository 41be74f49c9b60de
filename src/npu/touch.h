#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "npu/units.h"

namespace lockstep {

// Who wrote each byte of the device's memory last: an epoch's number, 0 the caller.
class NpuWriters {
 public:
  static constexpr int nobody = -1;

  // The extents of the program's buffers that are no parameters. Empty when they are beyond reason.
  explicit NpuWriters(const NpuProgram& program);

  const int* at(std::uint64_t address) const;  // null outside the buffers
  void mark(std::uint64_t address, std::int64_t bytes, int epoch);
  // What a software epoch makes, as its buffers say: names of views are left out.
  void mark_made(const NpuProgram& program, int epoch);

 private:
  struct Region {
    std::uint64_t base;
    std::vector<int> last;
  };
  std::vector<Region> regions_;
};

// Bytes that a stream engine touches with one writer behind them, in order of access.
struct NpuRun {
  std::uint64_t low = 0, high = 0;
  int writer = NpuWriters::nobody;
  bool known = false;  // false: outside the program's buffers
};
struct NpuTouched {
  std::vector<NpuRun> runs;
  std::uint64_t low = ~std::uint64_t{0}, high = 0;

  // Every byte of `b` that is touched was written last by b's own epoch.
  bool finds_intact(const NpuBuffer& b) const;
  bool lies_in(const NpuBuffer& b, std::uint64_t surplus) const {
    return low >= b.address() && high <= b.base + static_cast<std::uint64_t>(b.end) + surplus;
  }
};
NpuTouched touched_by(const NpuStream& stream, const NpuWriters& writers);

inline bool holds(const NpuBuffer& b, std::uint64_t address) {
  return address >= b.address() && address < b.base + static_cast<std::uint64_t>(b.end);
}

// Bytes of `touched` of which no buffer says that their last writer makes them (stray), and those
// whose buffers are all written over in part (broken): `by` is the first epoch that did.
struct NpuUnexplained {
  std::int64_t nobody = 0, stray = 0, broken = 0;
  const NpuBuffer* damaged = nullptr;
  int by = 0;
};
NpuUnexplained unexplained_bytes(const NpuProgram& program, const NpuTouched& touched, int epoch);

}  // namespace lockstep
