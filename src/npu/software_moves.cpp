// Data movement by the library: every element keeps its bits.
#include "npu/software_moves.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/core.h>

#include "npu/layout.h"
#include "npu/network_c.h"
#include "num/npu_fixed.h"

namespace lockstep {
namespace {

// "&table[0]", "table[0]" and "table" all name a table.
std::string table_name(std::string_view argument) {
  while (!argument.empty() && (argument.front() == '&' || argument.front() == ' '))
    argument.remove_prefix(1);
  return std::string(argument.substr(0, argument.find('[')));
}

struct Tables {
  const NpuEpoch& epoch;
  std::string where;

  Error missing(const std::string& name) const {
    return {where, "no table " + name, "the constants of the call", {}};
  }
  Result<const NpuTable*> find(std::string_view argument) const {
    const auto it = epoch.tables.find(table_name(argument));
    if (it == epoch.tables.end()) return missing(table_name(argument));
    return &it->second;
  }
  Result<Shape> numbers(std::string_view argument) const {
    LOCKSTEP_TRY(const NpuTable* t, find(argument));
    if (t->values.size() == 1 && t->values[0].is == NpuField::Is::name)
      return numbers(t->values[0].name);
    Shape out;
    for (const NpuField& f : t->values) out.push_back(f.integer);
    if (out.empty() || out.size() > 8) return missing(table_name(argument));
    return out;
  }
};

std::int64_t cell(const NpuFields& row, std::string_view key) {
  const auto it = row.find(key);
  return it == row.end() ? 0 : it->second.integer;
}

struct Place {
  std::uint64_t address = 0;
  Shape shape;
  std::int64_t bytes = 1;  // of an element
};

Result<Place> place_of(const Tables& tables, const NpuFields& row, const std::string& name) {
  Place p;
  p.address = static_cast<std::uint64_t>(cell(row, "addr_base") + cell(row, "offset_start"));
  p.bytes = cell(row, "nbits") / 8;
  if (p.bytes < 1 || p.bytes > 4)
    return Error{
        tables.where, fmt::format("elements of {} bits", cell(row, "nbits")), "8, 16 or 32", {}};
  const auto shape = row.find("mem_shape") != row.end() ? row.find("mem_shape") : row.find("shape");
  if (shape == row.end()) return tables.missing("shape of " + name);
  if (shape->second.is == NpuField::Is::name) {
    LOCKSTEP_TRY(p.shape, tables.numbers(shape->second.name));
  } else {
    for (const NpuField& f : shape->second.list) p.shape.push_back(f.integer);
  }
  LOCKSTEP_TRY([[maybe_unused]] const std::int64_t n, checked_count(p.shape, tables.where));
  return p;
}

Result<Place> place(const Tables& tables, std::string_view argument) {
  LOCKSTEP_TRY(const NpuTable* t, tables.find(argument));
  if (t->rows.empty()) return tables.missing(table_name(argument));
  return place_of(tables, t->rows[0], table_name(argument));
}

// The rows of a table of tensors, without the one that ends it.
Result<std::vector<NpuFields>> rows_of(const Tables& tables, std::string_view argument,
                                       std::size_t most) {
  LOCKSTEP_TRY(const NpuTable* t, tables.find(argument));
  std::vector<NpuFields> rows;
  for (const NpuFields& row : t->rows)
    if (row.size() > 1 && rows.size() < most) rows.push_back(row);
  if (rows.empty()) return tables.missing(table_name(argument));
  return rows;
}

// Moves elements: out[i] = in[source(i)] for every element of the output.
template <class F>
Result<void> move(const Place& in, const Place& out, NpuMemory& memory, const std::string& where,
                  F source) {
  const std::int64_t n = count_of(out.shape);
  if (n != count_of(in.shape) || in.bytes != out.bytes)
    return Error{where,
                 fmt::format("{} elements into {}", count_of(in.shape), n),
                 "as many of the same width",
                 {}};
  const auto by = static_cast<std::size_t>(in.bytes);
  LOCKSTEP_TRY(const auto from, memory.read(in.address, static_cast<std::uint64_t>(n) * by, where));
  std::vector<std::uint8_t> to(static_cast<std::size_t>(n) * by);
  for (std::int64_t i = 0; i < n; ++i)
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(source(i)) * in.bytes, by,
                to.begin() + static_cast<std::ptrdiff_t>(i) * in.bytes);
  return memory.write(out.address, to, where);
}

Result<void> transpose(const NpuCall& call, const Tables& tables, NpuMemory& memory) {
  if (call.arguments.size() < 6)
    return Error{tables.where, "a Transpose without its tables", "six arguments", {}};
  LOCKSTEP_TRY(const Place in, place(tables, call.arguments[0]));
  LOCKSTEP_TRY(const Place out, place(tables, call.arguments[2]));
  LOCKSTEP_TRY(const Shape perm, tables.numbers(call.arguments[5]));
  const std::size_t rank = in.shape.size();
  bool fits = perm.size() == rank && out.shape.size() == rank;
  for (std::size_t a = 0; fits && a < rank; ++a)
    fits = perm[a] >= 0 && perm[a] < static_cast<std::int64_t>(rank) &&
           out.shape[a] == in.shape[static_cast<std::size_t>(perm[a])];
  if (!fits)
    return Error{tables.where,
                 "a permutation that does not lead from input to output shape",
                 "out[a] = in[perm[a]]",
                 {}};
  const Shape from = strides_of(in.shape), to = strides_of(out.shape);
  return move(in, out, memory, tables.where, [&](std::int64_t i) {
    std::int64_t at = 0;
    for (std::size_t a = 0; a < rank; ++a)
      at += i / to[a] % out.shape[a] * from[static_cast<std::size_t>(perm[a])];
    return at;
  });
}

// SpaceToDepth on [1,H,W,C]: out[h/bh, w/bw, (dh*bw+dw)*C + c] = in[h,w,c]; DepthToSpace the other
// way.
Result<void> blocks(const NpuCall& call, const Tables& tables, NpuMemory& memory, bool to_depth) {
  if (call.arguments.size() < 5)
    return Error{tables.where, "a block move without its tables", "five arguments", {}};
  LOCKSTEP_TRY(const Place in, place(tables, call.arguments[0]));
  LOCKSTEP_TRY(const Place out, place(tables, call.arguments[2]));
  const std::int64_t bh = std::strtoll(call.arguments[3].c_str(), nullptr, 10),
                     bw = std::strtoll(call.arguments[4].c_str(), nullptr, 10);
  const Place &space = to_depth ? in : out, &depth = to_depth ? out : in;
  const bool fits = space.shape.size() == 4 && depth.shape.size() == 4 && bh > 0 && bw > 0 &&
                    depth.shape[1] * bh == space.shape[1] &&
                    depth.shape[2] * bw == space.shape[2] &&
                    depth.shape[3] == space.shape[3] * bh * bw && space.shape[0] == 1;
  if (!fits)
    return Error{tables.where,
                 fmt::format("blocks of {}x{} that do not fit the shapes", bh, bw),
                 "[1,H,W,C] and [1,H/bh,W/bw,bh*bw*C]",
                 {}};
  const std::int64_t width = space.shape[2], channels = space.shape[3];
  const auto depth_at = [&](std::int64_t i) {  // of a space element
    const std::int64_t c = i % channels, w = i / channels % width, h = i / channels / width;
    return ((h / bh) * depth.shape[2] + w / bw) * depth.shape[3] +
           ((h % bh) * bw + w % bw) * channels + c;
  };
  const auto space_at = [&](std::int64_t i) {  // of a depth element
    const std::int64_t d = i % depth.shape[3], w = i / depth.shape[3] % depth.shape[2],
                       h = i / depth.shape[3] / depth.shape[2];
    const std::int64_t c = d % channels, block = d / channels;
    return ((h * bh + block / bw) * width + w * bw + block % bw) * channels + c;
  };
  if (to_depth) return move(in, out, memory, tables.where, space_at);
  return move(in, out, memory, tables.where, depth_at);
}

std::int64_t number(const NpuCall& call, std::size_t i) {
  return i < call.arguments.size() ? std::strtoll(call.arguments[i].c_str(), nullptr, 0) : 0;
}

Result<NpuBuffer> buffer_in(const Tables& tables, const NpuFields& row) {
  return npu_buffer_from(
      row,
      [&](std::string_view name) -> Result<std::vector<NpuField>> {
        LOCKSTEP_TRY(const NpuTable* t, tables.find(name));
        return t->values;
      },
      tables.where);
}

// LL_ATON_LIB_Concat(inputs, how many, output, axis, ..): the axis counts in [N,C,H,W].
Result<void> concat(const NpuCall& call, const Tables& tables, NpuMemory& memory) {
  if (call.arguments.size() < 4)
    return Error{tables.where, "a Concat without its tables", "four arguments", {}};
  const std::int64_t n = number(call, 1), axis = number(call, 3);
  if (n < 1 || n > 64)
    return Error{tables.where, fmt::format("a Concat of {} tensors", n), "1 .. 64", {}};
  LOCKSTEP_TRY(const auto rows, rows_of(tables, call.arguments[0], static_cast<std::size_t>(n)));
  LOCKSTEP_TRY(const auto last, rows_of(tables, call.arguments[2], 1));
  LOCKSTEP_TRY(const NpuBuffer to, buffer_in(tables, last[0]));
  const Shape shape = plain_shape(to);
  // Tensors of fewer axes are counted as if they had four: the axis is the one in which they
  // differ.
  std::size_t a = static_cast<std::size_t>(
      axis < 0 || axis >= static_cast<std::int64_t>(shape.size()) ? 0 : axis);
  for (const NpuFields& row : rows) {
    LOCKSTEP_TRY(const NpuBuffer from, buffer_in(tables, row));
    const Shape s = plain_shape(from);
    if (s.size() != shape.size())
      return Error{
          tables.where, from.name + " has other axes than the output of the Concat", "as many", {}};
    for (std::size_t k = 0; k < s.size(); ++k)
      if (s[k] != shape[k]) a = k;
  }
  if (shape.empty()) return Error{tables.where, "a Concat without a shape", "an axis", {}};
  Tensor out(dtype_of(to), shape);
  const std::size_t by = size_of(out.dtype());
  std::int64_t begin = 0, inner = 1;
  for (std::size_t k = a + 1; k < shape.size(); ++k) inner *= shape[k];
  for (const NpuFields& row : rows) {
    LOCKSTEP_TRY(const NpuBuffer from, buffer_in(tables, row));
    LOCKSTEP_TRY(const Tensor x, read_buffer(from, memory, tables.where));
    Shape expected = shape;
    if (x.shape().size() == shape.size()) expected[a] = x.shape()[a];
    if (x.shape() != expected || x.dtype() != out.dtype() || begin + expected[a] > shape[a])
      return Error{tables.where,
                   from.name + " does not fit the Concat",
                   "tensors of one type that fill the output",
                   {}};
    const std::int64_t run = expected[a] * inner, whole = shape[a] * inner,
                       count = run > 0 ? x.count() / run : 0;
    for (std::int64_t o = 0; o < count; ++o)
      std::copy_n(x.bytes().begin() +
                      static_cast<std::ptrdiff_t>(o * run) * static_cast<std::ptrdiff_t>(by),
                  static_cast<std::size_t>(run) * by,
                  out.bytes().begin() + static_cast<std::ptrdiff_t>(o * whole + begin * inner) *
                                            static_cast<std::ptrdiff_t>(by));
    begin += expected[a];
  }
  if (begin != shape[a])
    return Error{tables.where,
                 fmt::format("{} of {} along the axis of a Concat", begin, shape[a]),
                 "inputs that fill the output",
                 {}};
  return write_buffer(to, out, memory, tables.where);
}

// Pieces of the input one behind the other, along the one axis in which the shapes differ.
Result<void> split(const NpuCall& call, const Tables& tables, NpuMemory& memory,
                   std::size_t outputs_at, std::int64_t n) {
  if (call.arguments.size() <= outputs_at || n < 1 || n > 64)
    return Error{tables.where, "a Split without its tables", "an input and its outputs", {}};
  LOCKSTEP_TRY(const Place in, place(tables, call.arguments[0]));
  LOCKSTEP_TRY(const auto rows,
               rows_of(tables, call.arguments[outputs_at], static_cast<std::size_t>(n)));
  std::vector<Place> outs;
  for (const NpuFields& row : rows) {
    LOCKSTEP_TRY(Place p, place_of(tables, row, "an output"));
    outs.push_back(std::move(p));
  }
  std::size_t axis = 0;
  for (const Place& p : outs)
    for (std::size_t k = 0; k < std::min(p.shape.size(), in.shape.size()); ++k)
      if (p.shape[k] != in.shape[k]) axis = k;
  std::int64_t total = 0, inner = in.bytes;
  for (std::size_t k = axis + 1; k < in.shape.size(); ++k) inner *= in.shape[k];
  for (const Place& p : outs) {
    Shape expected = in.shape;
    if (p.shape.size() == in.shape.size() && axis < expected.size()) expected[axis] = p.shape[axis];
    if (p.shape != expected || p.bytes != in.bytes)
      return Error{
          tables.where, "outputs that do not fit the input of a Split", "one axis cut", {}};
    total += p.shape.empty() ? 0 : p.shape[axis];
  }
  if (in.shape.empty() || total != in.shape[axis])
    return Error{
        tables.where, fmt::format("{} along the axis of a Split", total), "all of the input", {}};
  LOCKSTEP_TRY(const auto from,
               memory.read(in.address, static_cast<std::uint64_t>(count_of(in.shape) * in.bytes),
                           tables.where));
  std::int64_t begin = 0;
  const std::int64_t whole = in.shape[axis] * inner;
  for (const Place& p : outs) {
    const std::int64_t run = p.shape[axis] * inner;
    std::vector<std::uint8_t> to;
    for (std::int64_t o = 0; o < count_of(in.shape) * in.bytes; o += whole)
      to.insert(to.end(), from.begin() + (o + begin), from.begin() + (o + begin + run));
    LOCKSTEP_CHECK(memory.write(p.address, to, tables.where));
    begin += run;
  }
  return {};
}

// (input, output, bytes in all, bytes of a piece, pieces, bytes between them, ..)
Result<void> slice(const NpuCall& call, const Tables& tables, NpuMemory& memory) {
  if (call.arguments.size() < 6)
    return Error{tables.where, "a Slice without its tables", "six arguments", {}};
  LOCKSTEP_TRY(const Place in, place(tables, call.arguments[0]));
  LOCKSTEP_TRY(const Place out, place(tables, call.arguments[1]));
  const std::int64_t all = number(call, 2), width = number(call, 3), line = number(call, 5);
  if (all < 1 || width < 1 || line < 1 || all > (1 << 27) || line > (1 << 27) || all % width != 0)
    return Error{tables.where,
                 fmt::format("a Slice of {} bytes in pieces of {}, {} apart", all, width, line),
                 "whole pieces",
                 {}};
  std::vector<std::uint8_t> to;
  for (std::int64_t k = 0; k < all / width; ++k) {
    LOCKSTEP_TRY(const auto piece, memory.read(in.address + static_cast<std::uint64_t>(k * line),
                                               static_cast<std::uint64_t>(width), tables.where));
    to.insert(to.end(), piece.begin(), piece.end());
  }
  return memory.write(out.address, to, tables.where);
}

// (input, outputs, how many, ..): each takes the next bytes of the input.
Result<void> flat_copy(const NpuCall& call, const Tables& tables, NpuMemory& memory) {
  if (call.arguments.size() < 3)
    return Error{tables.where, "a copy without its tables", "three arguments", {}};
  LOCKSTEP_TRY(const Place in, place(tables, call.arguments[0]));
  LOCKSTEP_TRY(const auto rows,
               rows_of(tables, call.arguments[1],
                       static_cast<std::size_t>(std::clamp<std::int64_t>(number(call, 2), 1, 64))));
  std::uint64_t at = in.address;
  for (const NpuFields& row : rows) {
    LOCKSTEP_TRY(const Place p, place_of(tables, row, "an output"));
    const auto size = static_cast<std::uint64_t>(count_of(p.shape) * p.bytes);
    LOCKSTEP_TRY(const auto bytes, memory.read(at, size, tables.where));
    LOCKSTEP_CHECK(memory.write(p.address, std::vector<std::uint8_t>(bytes.begin(), bytes.end()),
                                tables.where));
    at += size;
  }
  return {};
}

// Between numbers of n fraction bits and floats, and from one width to another.
Result<void> cast(const NpuCall& call, const Tables& tables, NpuMemory& memory) {
  if (call.arguments.size() < 2)
    return Error{tables.where, "a Cast without its tables", "two arguments", {}};
  LOCKSTEP_TRY(const auto from_row, rows_of(tables, call.arguments[0], 1));
  LOCKSTEP_TRY(const auto to_row, rows_of(tables, call.arguments[1], 1));
  LOCKSTEP_TRY(const NpuBuffer from, buffer_in(tables, from_row[0]));
  LOCKSTEP_TRY(const NpuBuffer to, buffer_in(tables, to_row[0]));
  LOCKSTEP_TRY(const Tensor x, read_buffer(from, memory, tables.where));
  Tensor y(dtype_of(to), plain_shape(to));
  if (x.count() != y.count())
    return Error{tables.where,
                 fmt::format("a Cast of {} into {}", x.count(), y.count()),
                 "as many elements",
                 {}};
  if (std::abs(from.qn) > 64 || std::abs(to.qn) > 64)
    return Error{tables.where, "a Cast between unlikely fraction bits", "at most 64", {}};
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const double v = x.dtype() == DType::f32
                         ? static_cast<double>(x.as<float>()[static_cast<std::size_t>(i)])
                         : std::ldexp(static_cast<double>(x.code(i)), -from.qn);
    if (y.dtype() == DType::f32) {
      y.as<float>()[static_cast<std::size_t>(i)] = static_cast<float>(v);
    } else {
      const CodeRange range = code_range(y.dtype());
      const double lifted = std::ldexp(v, to.qn);
      y.set_code(i,
                 std::clamp(npu_nearest(std::isfinite(lifted) ? std::clamp(lifted, -4e9, 4e9) : 0),
                            range.low, range.high));
    }
  }
  return write_buffer(to, y, memory, tables.where);
}

}  // namespace

bool is_npu_move(const NpuCall& call) {
  return call.function.starts_with("LL_ATON_LIB_");
}

Result<void> run_npu_move(const NpuEpoch& epoch, const NpuCall& call, NpuMemory& memory,
                          NpuCounts& counts, const std::string& where) {
  const Tables tables{epoch, where};
  const std::string& f = call.function;
  if (f == "LL_ATON_LIB_DMA_Transpose") return transpose(call, tables, memory);
  if (f == "LL_ATON_LIB_DMA_SpaceToDepth") return blocks(call, tables, memory, true);
  if (f == "LL_ATON_LIB_DMA_DepthToSpace") return blocks(call, tables, memory, false);
  if (f == "LL_ATON_LIB_Concat") return concat(call, tables, memory);
  if (f == "LL_ATON_LIB_Split") return split(call, tables, memory, 2, number(call, 3));
  if (f == "LL_ATON_LIB_DMA_Outputs_Channel_Split_Aton")
    return split(call, tables, memory, 1, number(call, 2));
  if (f == "LL_ATON_LIB_DMA_Outputs_Slice_SplitLike") return slice(call, tables, memory);
  if (f == "LL_ATON_LIB_DMA_Outputs_Flat_Copy") return flat_copy(call, tables, memory);
  if (f == "LL_ATON_LIB_Cast") {
    counts.inexact.push_back(where +
                             ": Cast between formats by nearest codes, at most 1 LSB is claimed");
    return cast(call, tables, memory);
  }
  return Error{where,
               "library operation " + f,
               "Transpose, SpaceToDepth, DepthToSpace, Concat, Split, Slice, copies or Cast",
               {}};
}

}  // namespace lockstep
