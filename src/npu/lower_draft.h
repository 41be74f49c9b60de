#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "npu/program.h"
#include "plan/arena.h"

namespace lockstep {

// A program under construction: buffers get their places when all epochs are there.

// How a stream engine walks through a buffer: `count` frames of height x width x depth elements;
// offsets and steps in bytes. step 0 plays the same frame again.
struct NpuWalk {
  std::int64_t offset = 0, width = 1, height = 1, depth = 1;
  std::int64_t pixel = 0, line = 0;  // from one element of width, height to the next
  std::int64_t count = 1, step = 0;
  bool still = false;  // every element of the width is the same one
};

class NpuDraft {
 public:
  explicit NpuDraft(const std::string& file);

  int add_buffer(NpuBuffer buffer);  // its place is found later
  const NpuBuffer& buffer(int id) const { return program_.buffers[static_cast<std::size_t>(id)]; }
  void keep(int id) { kept_.push_back(id); }  // until the end
  void complete_now(int id);                  // the current epoch writes the last of it
  // Another name and shape of the same bytes.
  void rename_buffer(int id, std::string name, const Shape& shape, std::string chpos);

  // A table of constants; its address. A named one is a parameter with the scales given.
  std::uint64_t constant(std::span<const std::int64_t> values, int bytes);
  void parameter(const std::string& name, std::uint64_t address, std::int64_t bytes, Shape shape,
                 std::vector<double> scale, std::int64_t zero = 0);

  int begin_epoch();  // its number
  int epoch() const { return static_cast<int>(program_.epochs.size()); }
  std::string unit_name(const std::string& node) const;
  void node(std::string name, std::string op);
  NpuUnitId unit(NpuKind kind, const std::string& node, NpuFields fields);
  void link(NpuUnitId from, NpuUnitId to, int port = 0);

  // Stream engines: activations as frames, constants as one dense run, and writers.
  NpuUnitId read(int buffer, const NpuWalk& walk, const std::string& node, int widened = 0);
  NpuUnitId read_constant(std::uint64_t address, std::int64_t bytes, const std::string& name,
                          const std::string& node, int bits = 8);
  // All of an unsigned buffer, three bytes a word, `times` times.
  NpuUnitId read_packed(int buffer, std::int64_t times, const std::string& node);
  // Codes among the constants, as a walk.
  NpuUnitId read_parameter(std::uint64_t address, std::int64_t bytes, const NpuWalk& walk,
                           const std::string& name, const std::string& node);
  // Rows of a table of 16-bit constants, `row` bytes each, each `times` times.
  NpuUnitId read_table(std::uint64_t address, std::int64_t row, std::int64_t rows,
                       std::int64_t times, const std::string& node);
  void write(NpuUnitId from, int buffer, const NpuWalk& walk, const std::string& node);

  // An operation of the CPU from one buffer into another, with the cache calls it needs.
  void call(const std::string& function, int from, int to, std::vector<std::string> arguments = {});
  // The structure that describes such an operation; `tensors` get their addresses when all places
  // are known.
  void describe(const std::string& name, std::string type, NpuFields info,
                const std::vector<std::pair<std::string, int>>& tensors);

  Result<NpuProgram> finish() &&;  // sizes, places, addresses

 private:
  struct Use {  // of a buffer by a stream engine, or by a cache call
    std::size_t epoch;
    std::size_t unit;
    int buffer;
    std::int64_t offset;
    bool is_call;
  };
  struct Described {  // a tensor in a structure beside an epoch
    std::size_t epoch;
    std::string table, tensor;
    int buffer;
  };
  NpuUnitId stream(int buffer, const NpuWalk& walk, const std::string& node, bool writes, int bits,
                   int bits_out);
  void touch(int buffer);

  NpuProgram program_;
  std::vector<LiveRange> lives_;  // by buffer; parameters have none
  std::vector<int> kept_;
  std::vector<Use> uses_;
  std::vector<Described> described_;
};

// Fields by name.
NpuFields npu_fields(std::initializer_list<std::pair<const char*, std::int64_t>> numbers,
                     std::initializer_list<std::pair<const char*, const char*>> names = {});
// An arithmetic unit's result within low .. high, where that cuts int8 codes.
void npu_clip(NpuFields& fields, std::int64_t low, std::int64_t high);

}  // namespace lockstep
