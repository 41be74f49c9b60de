// Data movement by the library: every element keeps its bits.
#include "npu/software_moves.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/core.h>

#include "npu/layout.h"
#include "npu/software_places.h"
#include "num/npu_fixed.h"

namespace lockstep {
namespace {

using namespace moves;

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
// way. Both tensors lie channels last, whatever order their tables give to one of a single place.
Result<void> blocks(const NpuCall& call, const Tables& tables, NpuMemory& memory, bool to_depth) {
  if (call.arguments.size() < 5)
    return Error{tables.where, "a block move without its tables", "five arguments", {}};
  LOCKSTEP_TRY(const Place in, place(tables, call.arguments[0], "shape"));
  LOCKSTEP_TRY(const Place out, place(tables, call.arguments[2], "shape"));
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
