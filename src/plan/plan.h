#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace lockstep {

// Where tensors live: buffers with live ranges are given offsets in pools of memory, so that no two
// that live at the same step share a byte.

// A run of bytes that must keep its contents from step `first` to step `last`, both included. A
// step is one operation (or epoch): what it reads and what it writes live together at it.
struct Buffer {
  std::string name;
  std::int64_t bytes = 0;
  int first = 0, last = 0;
  int pool = -1;  // must stand in this pool; -1: in any
  // The buffer that is read from front to back while this one is written: at the step at which both
  // live, this one may run over it when it begins at least `slide` bytes before it. -1: none.
  int over = -1;
  std::int64_t slide = 0;
};

// Memory that buffers may stand in. Buffers go to the fastest pool with room.
struct Pool {
  std::string name = "arena";
  std::int64_t base = -1;     // address; -1: the linker decides
  std::int64_t size = 0;      // bytes; 0: as many as needed
  int speed = 0;              // larger is faster
  std::string rights = "rw";  // who may reach it: "rw" the CPU, with "n" the NPU too
  std::int64_t alignment = 16;
};

struct Place {
  int pool = -1;
  std::int64_t offset = 0;  // from the pool's start
};

struct MemoryPlan {
  std::vector<Buffer> buffers;
  std::vector<Pool> pools;
  std::vector<Place> places;       // by buffer
  std::vector<std::int64_t> used;  // bytes by pool
  std::int64_t total = 0;          // sum of `used`
  std::int64_t largest_live = 0;   // bytes that live at one step, each rounded up to alignment
  int steps = 0;
};

// Places every buffer. Errors: a pool's alignment is not a power of two, a buffer fits in no pool
// (the error names it, its size, and the room that is left).
Result<MemoryPlan> plan_memory(std::vector<Buffer> buffers, std::vector<Pool> pools);

// Two buffers that live at one step and share a byte of one pool, or one outside its pool: the
// first such, as a sentence; "" when there is none.
std::string overlap_of(const MemoryPlan& plan);

// A table and a picture of who lives where and when: addresses upward, steps from left to right.
std::string picture_text(const MemoryPlan& plan);
std::string picture_svg(const MemoryPlan& plan);

}  // namespace lockstep
