#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "npu/software_described.h"
#include "num/npu_fixed.h"

// What the operations that a structure describes have in common: tensors by address, extents and
// strides; their scales; the call.
namespace lockstep::described {

inline std::int64_t number(const NpuFields& info, const std::string& key, std::int64_t none = 0) {
  const auto it = info.find(key);
  return it == info.end() || it->second.is != NpuField::Is::integer ? none : it->second.integer;
}
inline std::string word(const NpuFields& info, const std::string& key) {
  const auto it = info.find(key);
  return it == info.end() ? std::string() : it->second.name;
}
inline std::vector<std::int64_t> numbers(const NpuFields& info, const std::string& key) {
  std::vector<std::int64_t> out;
  if (const auto it = info.find(key); it != info.end())
    for (const NpuField& f : it->second.list) out.push_back(f.integer);
  return out;
}

// A tensor in memory, axes batch, rows, columns, channels.
struct Cells {
  std::string name;
  std::uint64_t address = 0;
  std::array<std::int64_t, 4> extent{1, 1, 1, 1}, stride{0, 0, 0, 0};
  std::int64_t bytes = 1;
  bool is_signed = true;

  std::int64_t count() const { return extent[0] * extent[1] * extent[2] * extent[3]; }
  std::int64_t at(std::int64_t b, std::int64_t h, std::int64_t w, std::int64_t c) const {
    return b * stride[0] + h * stride[1] + w * stride[2] + c * stride[3];
  }
};

inline Result<Cells> cells(const NpuFields& info, const std::string& name,
                           const std::string& where) {
  Cells t;
  t.name = name;
  t.address = described_address(info, name);
  constexpr const char* axes[] = {"b", "h", "w", "c"};
  std::int64_t least = 8, total = 1;
  for (std::size_t a = 0; a < 4; ++a) {
    t.extent[a] = number(info, name + ".dim.tensor_" + axes[a], 1);
    t.stride[a] = number(info, name + ".stride." + axes[a]);
    if (t.extent[a] < 1 || t.extent[a] > (1 << 24) || t.stride[a] < 0 ||
        t.stride[a] > (std::int64_t{1} << 28))
      return Error{
          where,
          fmt::format("{} with an extent of {} and a stride of {}", name, t.extent[a], t.stride[a]),
          "extents from 1",
          {}};
    if (t.stride[a] > 0) least = std::min(least, t.stride[a]);
    if ((total *= t.extent[a]) > (1 << 26))
      return Error{
          where, name + " of more than 2^26 elements", "a network for a microcontroller", {}};
  }
  t.bytes = least;
  t.is_signed = number(info, name + ".format.is_signed") != 0;
  if (t.address == 0) return Error{where, "no address of " + name, "a structure that gives it", {}};
  if (t.bytes != 1 && t.bytes != 2 && t.bytes != 4)
    return Error{
        where, fmt::format("{} with elements of {} bytes", name, t.bytes), "1, 2 or 4", {}};
  return t;
}

// All elements in the order of the axes, as floats (4 bytes) or as codes.
template <class T>
Result<std::vector<T>> load(const Cells& t, const NpuMemory& memory, const std::string& where) {
  std::vector<T> out;
  out.reserve(static_cast<std::size_t>(t.count()));
  for (std::int64_t b = 0; b < t.extent[0]; ++b)
    for (std::int64_t h = 0; h < t.extent[1]; ++h)
      for (std::int64_t w = 0; w < t.extent[2]; ++w)
        for (std::int64_t c = 0; c < t.extent[3]; ++c) {
          LOCKSTEP_TRY(const auto raw,
                       memory.read(t.address + static_cast<std::uint64_t>(t.at(b, h, w, c)),
                                   static_cast<std::uint64_t>(t.bytes), where + ": " + t.name));
          std::uint32_t bits = 0;
          for (std::size_t k = 0; k < raw.size(); ++k)
            bits |= static_cast<std::uint32_t>(raw[k]) << (8 * k);
          if constexpr (std::is_same_v<T, float>) {
            float f = 0;
            std::memcpy(&f, &bits, 4);
            out.push_back(f);
          } else {
            out.push_back(t.is_signed ? npu_wrap(bits, static_cast<int>(t.bytes))
                                      : static_cast<std::int64_t>(bits));
          }
        }
  return out;
}

template <class T>
Result<void> store(const Cells& t, const std::vector<T>& values, NpuMemory& memory,
                   const std::string& where) {
  std::size_t i = 0;
  for (std::int64_t b = 0; b < t.extent[0]; ++b)
    for (std::int64_t h = 0; h < t.extent[1]; ++h)
      for (std::int64_t w = 0; w < t.extent[2]; ++w)
        for (std::int64_t c = 0; c < t.extent[3]; ++c, ++i) {
          std::uint32_t bits = 0;
          if constexpr (std::is_same_v<T, float>)
            std::memcpy(&bits, &values[i], 4);
          else
            bits = static_cast<std::uint32_t>(values[i]);
          std::array<std::uint8_t, 4> raw{};
          for (std::size_t k = 0; k < 4; ++k) raw[k] = static_cast<std::uint8_t>(bits >> (8 * k));
          LOCKSTEP_CHECK(memory.write(t.address + static_cast<std::uint64_t>(t.at(b, h, w, c)),
                                      std::span(raw).first(static_cast<std::size_t>(t.bytes)),
                                      where + ": " + t.name));
        }
  return {};
}

// Scales or zero points, one or one a channel.
struct Quant {
  std::vector<double> scale;
  std::vector<std::int64_t> zero;
  double s(std::size_t k) const { return scale[scale.size() == 1 ? 0 : k]; }
  std::int64_t z(std::size_t k) const { return zero[zero.size() == 1 ? 0 : k]; }
};
inline Result<Quant> quant(const NpuFields& info, const std::string& scale, const std::string& zero,
                           std::int64_t channels, const NpuMemory& memory,
                           const std::string& where) {
  Quant q;
  const std::int64_t n = number(info, scale + ".dim.num_elem", 1),
                     m = number(info, zero + ".dim.num_elem", 1);
  if ((n != 1 && n != channels) || (m != 1 && m != channels))
    return Error{where,
                 fmt::format("{} scales and {} zero points", n, m),
                 fmt::format("1 or {}", channels),
                 {}};
  const Cells s{scale, described_address(info, scale), {1, 1, 1, n}, {0, 0, 0, 4}, 4, true};
  const Cells z{zero,
                described_address(info, zero),
                {1, 1, 1, m},
                {0, 0, 0, 1},
                1,
                number(info, zero + ".format.is_signed") != 0};
  if (s.address == 0 || z.address == 0)
    return Error{where, "no " + scale + " or " + zero, "scales and zero points", {}};
  LOCKSTEP_TRY(const auto scales, load<float>(s, memory, where));
  for (const float v : scales) {
    if (!(v > 0) || !std::isfinite(v))
      return Error{where, fmt::format("scale {}", v), "a positive number", {}};
    q.scale.push_back(static_cast<double>(v));
  }
  LOCKSTEP_TRY(q.zero, load<std::int64_t>(z, memory, where));
  return q;
}

inline std::int64_t clamped(std::int64_t code, const Cells& t) {
  return t.is_signed ? npu_saturate(code, static_cast<int>(t.bytes))
                     : std::clamp<std::int64_t>(code, 0, (std::int64_t{1} << (8 * t.bytes)) - 1);
}
inline std::int64_t code_of(double real, double scale, std::int64_t zero, const Cells& t) {
  return clamped(npu_nearest(std::clamp(real / scale, -4e9, 4e9)) + zero, t);
}

struct Call {
  const NpuFields& info;
  NpuMemory& memory;
  NpuCounts& counts;
  const std::string& where;
  Cells in, out;

  Error wrong(std::string what, std::string want) const {
    return {where, std::move(what), std::move(want), {}};
  }
};

// Rows and columns by factors; the channels stay.
Result<void> resize_integer(const Call& c);

// Windows: convolution and pooling.
Result<void> conv_integer(const Call& c);
Result<void> conv_float(const Call& c);
Result<void> pool_float(const Call& c, const std::string& type);

}  // namespace lockstep::described
