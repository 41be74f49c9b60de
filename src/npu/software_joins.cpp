// Concat, Split and Slice by the library: every element keeps its bits.
#include <limits>

#include "npu/layout.h"
#include "npu/software_places.h"

namespace lockstep::moves {

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

}  // namespace lockstep::moves
