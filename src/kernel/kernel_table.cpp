#include "kernel/kernel_table.h"

#if defined(__x86_64__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstring>

namespace lockstep {
namespace {

void bytes_portable(const std::byte* table, const std::byte* x, std::byte* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = table[static_cast<std::uint8_t>(x[i])];
}

#if defined(__x86_64__)
// 256 entries in four registers: two lookups of 128 entries, the top bit chooses.
[[gnu::target("avx512f,avx512bw,avx512vl,avx512vbmi")]] void bytes_vbmi(const std::byte* table,
                                                                        const std::byte* x,
                                                                        std::byte* y,
                                                                        std::int64_t count) {
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64),
                t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (std::int64_t i = 0; i < count; i += 64) {
    const __mmask64 mask =
        count - i >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (count - i)) - 1;
    const __m512i code = _mm512_maskz_loadu_epi8(mask, x + i);
    const __m512i low = _mm512_permutex2var_epi8(t0, code, t1),
                  high = _mm512_permutex2var_epi8(t2, code, t3);
    _mm512_mask_storeu_epi8(y + i, mask,
                            _mm512_mask_blend_epi8(_mm512_movepi8_mask(code), low, high));
  }
}
#endif

using TableBytes = void (*)(const std::byte*, const std::byte*, std::byte*, std::int64_t);
TableBytes pick() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw")) return bytes_vbmi;
#endif
  return bytes_portable;
}

template <class T>
void words(const T* table, const std::byte* x, T* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = table[static_cast<std::uint8_t>(x[i])];
}

// Channels innermost: every element has a table of its own.
template <class T>
void by_channel(const T* table, std::int64_t channels, const std::byte* x, T* y, std::int64_t first,
                std::int64_t count) {
  std::int64_t c = first % channels;
  for (std::int64_t i = 0; i < count;) {
    const std::int64_t n = std::min(count - i, channels - c);
    const T* own = table + c * 256;
    const std::byte* const from = x + i;
    T* const to = y + i;
    std::int64_t k = 0;
    for (; k + 4 <= n; k += 4, own += 1024) {
      const T v0 = own[static_cast<std::uint8_t>(from[k])],
              v1 = own[256 + static_cast<std::uint8_t>(from[k + 1])],
              v2 = own[512 + static_cast<std::uint8_t>(from[k + 2])],
              v3 = own[768 + static_cast<std::uint8_t>(from[k + 3])];
      to[k] = v0, to[k + 1] = v1, to[k + 2] = v2, to[k + 3] = v3;
    }
    for (; k < n; ++k, own += 256) to[k] = own[static_cast<std::uint8_t>(from[k])];
    i += n;
    c = 0;
  }
}

// A table whose entries are T.
template <class T>
struct Applied {
  const CodeTable& table;
  void (*look_up)(const T* table, const std::byte* x, T* y, std::int64_t count);

  void run(const std::byte* x, T* y, std::int64_t first, std::int64_t count,
           std::int64_t run) const {
    const T* const t = reinterpret_cast<const T*>(table.entries.data());
    x += first;
    y += first;
    if (table.channels <= 1) return look_up(t, x, y, count);
    if (run == 1) return by_channel(t, table.channels, x, y, first, count);
    for (std::int64_t n = 0; count > 0; x += n, y += n, first += n, count -= n) {
      n = std::min(count, run - first % run);
      look_up(t + first / run % table.channels * 256, x, y, n);
    }
  }
};

}  // namespace

void apply_table(const CodeTable& table, const std::byte* x, std::byte* y, std::int64_t first,
                 std::int64_t count, std::int64_t run) {
  static const TableBytes bytes = pick();
  if (table.width == 1)
    Applied<std::byte>{table, bytes}.run(x, y, first, count, run);
  else if (table.width == 2)
    Applied<std::uint16_t>{table, words<std::uint16_t>}.run(x, reinterpret_cast<std::uint16_t*>(y),
                                                            first, count, run);
  else
    Applied<std::uint32_t>{table, words<std::uint32_t>}.run(x, reinterpret_cast<std::uint32_t*>(y),
                                                            first, count, run);
}

}  // namespace lockstep
