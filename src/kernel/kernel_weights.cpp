#include "kernel/kernel_weights.h"

#include <algorithm>
#include <cstring>

#include "kernel/kernel_transpose.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

// Every sum of this many codes fits 32 bits.
constexpr std::int64_t stretch = 1 << 20;

template <class Code>
[[gnu::always_inline]] inline DotWeights::Row measured(const std::byte* x, std::int64_t n) {
  const auto* const code = reinterpret_cast<const Code*>(x);
  DotWeights::Row row;
  Code low = code[0], high = code[0];
  for (std::int64_t first = 0; first < n; first += stretch) {
    const std::int64_t last = std::min(n, first + stretch);
    std::int32_t sum = 0;
    for (std::int64_t i = first; i < last; ++i) sum += code[i];
    row.sum += sum;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    low = code[i] < low ? code[i] : low;
    high = code[i] > high ? code[i] : high;
  }
  row.low = low;
  row.high = high;
  return row;
}
DotWeights::Row measured_portable(const std::byte* x, std::int64_t n, bool is_signed) {
  return is_signed ? measured<std::int8_t>(x, n) : measured<std::uint8_t>(x, n);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] DotWeights::Row measured_avx2(const std::byte* x, std::int64_t n,
                                                      bool is_signed) {
  return is_signed ? measured<std::int8_t>(x, n) : measured<std::uint8_t>(x, n);
}
#endif

// Bytes minus `taken`, four at once.
std::uint32_t minus(std::uint32_t x, std::uint32_t taken) {
  constexpr std::uint32_t high = 0x80808080u;
  return ((x | high) - (taken & ~high)) ^ ((x ^ ~taken) & high);
}

template <std::int64_t piece>
void pack_bytes(const std::byte* from, const DotWeights::Pieces& p, std::uint8_t taken,
                std::byte* to) {
  const std::uint32_t all = taken * 0x01010101u;
  for (std::int64_t run = 0; run < p.runs; ++run, from += p.run_length) {
    std::int64_t k = 0;
    for (; k + piece <= p.run_length; k += piece, to += p.step)
      for (std::int64_t e = 0; e < piece; e += 4) {
        std::uint32_t four;
        std::memcpy(&four, from + k + e, 4);
        four = minus(four, all);
        std::memcpy(to + e, &four, 4);
      }
    if (k == p.run_length) continue;
    for (std::int64_t e = 0; k + e < p.run_length; ++e)
      to[e] = static_cast<std::byte>(static_cast<std::uint8_t>(from[k + e]) - taken);
    to += p.step;
  }
}

}  // namespace

void DotWeights::take(const Tensor& w, Lie lie, std::int64_t channels, std::int64_t taps) {
  is_signed = w.dtype() == DType::i8;
  codes = w.bytes().data();
  depth = channels > 0 ? static_cast<std::int64_t>(w.bytes().size()) / channels : 0;
  if (lie == Lie::rows || depth == 0 || (lie == Lie::taps_inside && (taps == 1 || taps == depth)))
    return;
  own = std::make_unique_for_overwrite<std::byte[]>(w.bytes().size());
  if (lie == Lie::columns)
    transpose(codes, own.get(), depth, channels, 1);
  else
    for (std::int64_t o = 0; o < channels; ++o)
      transpose(codes + o * depth, own.get() + o * depth, depth / taps, taps, 1);
  codes = own.get();
}

DotWeights::Row DotWeights::row(std::int64_t channel) const {
  auto measure = measured_portable;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) measure = measured_avx2;
#endif
  Row r = measure(codes + channel * depth, depth, is_signed);
  const std::int32_t z = zero[static_cast<std::size_t>(channel)];
  r.sum -= depth * z;
  r.low -= z;
  r.high -= z;
  return r;
}

void DotWeights::pack(std::int64_t channel, const Pieces& p, std::byte* to) const {
  if (p.words) {
    for (std::int64_t run = 0; run < p.runs; ++run)
      for (std::int64_t k = 0; k < p.run_length; k += p.piece, to += p.step)
        for (std::int64_t e = 0; e < p.piece && k + e < p.run_length; ++e) {
          const std::int16_t word = at(channel, run * p.run_length + k + e);
          std::memcpy(to + 2 * e, &word, 2);
        }
    return;
  }
  const auto taken = static_cast<std::uint8_t>(zero[static_cast<std::size_t>(channel)] + p.taken);
  const std::byte* const from = codes + channel * depth;
  if (p.piece == 4) return pack_bytes<4>(from, p, taken, to);
  if (p.piece == 8) return pack_bytes<8>(from, p, taken, to);
  pack_bytes<16>(from, p, taken, to);
}

}  // namespace lockstep

#pragma GCC pop_options
