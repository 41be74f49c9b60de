#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "npu/program.h"

namespace lockstep {

// One contiguous range of device memory, with a mark for every byte that was written.
struct NpuRegion {
  std::string name;
  std::uint64_t base = 0;
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> written;  // 1 per byte; empty: all written (weights)
  bool read_only = false;
};

// The memories that a program touches. Reading a byte that nobody wrote is an error: on the device
// it would be whatever the last network left there.
class NpuMemory {
 public:
  // Pools of the program, else the extents of its buffers; images as read-only ranges.
  static Result<NpuMemory> make(const NpuProgram& program);

  void clear();           // forgets everything that was written
  void assume_written();  // every byte may be read
  // What is read and written while it is set: [first byte, behind the last). Null: no longer.
  struct Trace {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> reads, writes;
  };
  void set_trace(Trace* trace) { trace_ = trace; }

  // The region that holds [address, address + size), or null.
  NpuRegion* find(std::uint64_t address, std::uint64_t size);
  const NpuRegion* find(std::uint64_t address, std::uint64_t size) const;

  // Contiguous bytes. `who` names the reader or writer in errors.
  Result<std::span<const std::uint8_t>> read(std::uint64_t address, std::uint64_t size,
                                             const std::string& who) const;
  Result<void> write(std::uint64_t address, std::span<const std::uint8_t> bytes,
                     const std::string& who);
  bool all_written(std::uint64_t address, std::uint64_t size) const;

  std::span<const NpuRegion> regions() const { return regions_; }

 private:
  std::vector<NpuRegion> regions_;
  Trace* trace_ = nullptr;
};

Error outside_memory(const NpuMemory& memory, std::uint64_t address, std::uint64_t size,
                     const std::string& who);
Error never_written(std::uint64_t address, const std::string& who);

}  // namespace lockstep
