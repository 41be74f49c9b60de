#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "ir/tensor.h"

namespace lockstep {

// What ST's compiler leaves of a network: epochs in which units are configured and joined, software
// operations, buffers, memory pools and the weights. docs/neural-art.md describes the accelerator.

// A field of a unit, or a cell of a table: a number, a name (an enumerator, another table), or a
// list.
struct NpuField {
  enum class Is : std::uint8_t { integer, real, name, list };
  Is is = Is::integer;
  std::int64_t integer = 0;
  double real = 0;
  std::string name;
  std::vector<NpuField> list;

  static NpuField of(std::int64_t v) { return {Is::integer, v, 0, {}, {}}; }
  static NpuField of_real(double v) { return {Is::real, 0, v, {}, {}}; }
  static NpuField of_name(std::string v) { return {Is::name, 0, 0, std::move(v), {}}; }
  static NpuField of_list(std::vector<NpuField> v) { return {Is::list, 0, 0, {}, std::move(v)}; }
  double number() const { return is == Is::real ? real : static_cast<double>(integer); }
  friend bool operator==(const NpuField&, const NpuField&) = default;
};
using NpuFields = std::map<std::string, NpuField, std::less<>>;

enum class NpuKind : std::uint8_t { stream, conv, arith, pool, activ, decompress, recbuf };
std::string_view name_of(NpuKind kind);                        // "STRENG", "CONVACC", "ARITH", ...
std::optional<NpuKind> npu_kind_named(std::string_view name);  // "ARITHACC" too

struct NpuUnitId {
  NpuKind kind = NpuKind::stream;
  int id = 0;
  friend auto operator<=>(const NpuUnitId&, const NpuUnitId&) = default;
};
struct NpuPort {
  NpuUnitId unit;
  int port = 0;  // convolution: 0 features, 1 kernels, 2 accumulator; arithmetic: 0 X, 1 Y
  friend auto operator<=>(const NpuPort&, const NpuPort&) = default;
};
std::string text_of(const NpuUnitId& unit);  // "CONVACC 2"

struct NpuUnit {
  NpuUnitId id;
  std::string name;       // of the structure in the generated file
  std::string buffer;     // what a stream engine reads or writes, "" when nothing says it
  NpuFields fields;       // as the file gives them; absent means 0
  bool inferred = false;  // the file does not say `buffer`: found by the bytes that are touched
};

// One of the up to two cyclic contexts of a destination: `frames` frames from `source`; context 0
// drops them.
struct NpuSource {
  int context = 1;
  int frames = 0;
  NpuPort source;
};
struct NpuLink {
  NpuPort to;
  std::vector<NpuSource> from;
};

struct NpuCall {
  std::string function;
  std::vector<std::string> arguments;  // source text
};

// A constant table beside a software operation: numbers or names, or rows of named cells.
struct NpuTable {
  std::string type;
  std::vector<NpuField> values;
  std::vector<NpuFields> rows;
};

struct NpuEpoch {
  int number = 0;
  std::vector<std::pair<std::string, std::string>> nodes;  // compiler's node name, operator
  std::vector<NpuUnit> units;
  std::vector<NpuLink> links;
  std::vector<NpuCall> calls;  // in order, those of the start before those of the end
  std::map<std::string, NpuTable, std::less<>> tables;

  bool hardware() const { return !units.empty(); }
};

struct NpuBuffer {
  std::string name;
  std::uint64_t base = 0;
  std::int64_t start = 0, end = 0, limit = 0;  // bytes after base; limit guards prefetch
  bool user_allocated = false, is_param = false;
  int epoch = 0;      // that makes it; 0 before the first
  int batch = 1;      // channels in a block
  Shape shape;        // [1,H,W,C]
  Shape mem_shape;    // as it lies in memory
  std::string chpos;  // CHPos_First, CHPos_Last, CHPos_Mixed, CHPos_UNDEFINED
  std::string type;   // DataType_INT8, DataType_UINT8, DataType_FXP, DataType_FLOAT, ...
  int nbits = 8, qm = 0, qn = 0;
  bool q_unsigned = false, per_channel = false;
  std::vector<double> scale;
  std::vector<std::int64_t> zero;

  std::uint64_t address() const { return base + static_cast<std::uint64_t>(start); }
  std::int64_t bytes() const { return end - start; }
  std::int64_t count() const { return count_of(mem_shape); }
};

// A range of device addresses. A virtual pool joins several banks.
struct NpuPool {
  std::string name;
  std::uint64_t base = 0, size = 0;
  bool read_only = false;
  std::string postfix = {};  // of the files that hold its contents: "xSPI2"
};

// Weights and other constants: bytes from an address on.
struct NpuImage {
  std::string file;  // as the program names it
  std::uint64_t base = 0;
  Bytes bytes;
};

struct NpuProgram {
  std::string file;      // where it was read
  std::string compiler;  // "atonn 1.1.1-14"
  std::string model;     // the network's own file, "" when unknown
  std::vector<NpuEpoch> epochs;
  std::vector<NpuBuffer> buffers;
  std::vector<NpuPool> pools;  // empty: derived from the buffers
  std::vector<NpuImage> images;
  std::vector<std::string> notes;  // what the reader had to assume

  const NpuBuffer* find_buffer(std::string_view name) const;
  const NpuEpoch* find_epoch(int number) const;
  std::vector<const NpuBuffer*> made_by(int epoch) const;  // no parameters, no scratch
};

// Reads a program by its name: *.program.json (the interchange form) or network.c. Weights named
// in it are looked for beside it. Errors: unreadable, not such a program, sizes that cannot be.
Result<NpuProgram> read_npu_program(const std::string& path);

// The interchange form. `parse` leaves the images' bytes empty; `load_images` reads them.
Result<NpuProgram> parse_npu_json(std::string_view text, const std::string& file);
std::string format_npu_json(const NpuProgram& program);
Result<void> load_npu_images(NpuProgram& program, const std::string& folder);

// The address in "((uintptr_t)(...(0x34350000UL + 49152)))" and the like; nothing when there is
// none.
std::optional<std::uint64_t> npu_address(std::string_view text);

}  // namespace lockstep
