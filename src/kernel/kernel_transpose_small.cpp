#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>

#include "kernel/kernel_transpose.h"

namespace lockstep {
namespace {

bool shuffles_here() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("ssse3");
#else
  return false;
#endif
}

}  // namespace

SmallTranspositions::SmallTranspositions(std::int64_t rows, std::int64_t columns,
                                         std::size_t width) {
  const auto size = static_cast<std::int64_t>(width);
  bytes_ = rows * columns * size;
  if (bytes_ > most_bytes || bytes_ == 0 || !shuffles_here()) return;
  for (std::int64_t c = 0; c < columns; ++c)
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t i = 0; i < size; ++i) place_.push_back((r * columns + c) * size + i);
  for (std::int64_t to = 0; to < bytes_; to += chunk)
    for (std::int64_t from = 0; from < bytes_; from += chunk) {
      Step s{{}, from, to};
      bool any = false;
      for (std::int64_t i = 0; i < chunk; ++i) {
        const std::int64_t at =
            to + i < bytes_ ? place_[static_cast<std::size_t>(to + i)] - from : -1;
        const bool here = at >= 0 && at < chunk;
        s.places[i] = static_cast<std::uint8_t>(here ? at : 0x80);
        any |= here;
      }
      if (any) steps_.push_back(s);
    }
}

#if defined(__x86_64__)
// Whole chunks: up to 15 bytes behind the matrix are read, and written with anything.
[[gnu::target("ssse3")]] void SmallTranspositions::shuffle(const std::byte* from,
                                                           std::byte* to) const {
  for (std::size_t i = 0; i < steps_.size();) {
    const std::int64_t at = steps_[i].to;
    __m128i v = _mm_setzero_si128();
    for (; i < steps_.size() && steps_[i].to == at; ++i)
      v = _mm_or_si128(
          v,
          _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + steps_[i].from)),
                           _mm_load_si128(reinterpret_cast<const __m128i*>(steps_[i].places))));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), v);
  }
}
#else
void SmallTranspositions::shuffle(const std::byte*, std::byte*) const {}
#endif

void SmallTranspositions::run(const std::byte* from, std::byte* to, std::int64_t count) const {
  // Matrices behind which there is less than a chunk go byte by byte.
  const std::int64_t alone =
      bytes_ % chunk == 0 ? 0 : std::min(count, (chunk + bytes_ - 1) / bytes_);
  for (std::int64_t i = 0; i < count - alone; ++i, from += bytes_, to += bytes_) shuffle(from, to);
  for (std::int64_t i = 0; i < alone; ++i, from += bytes_, to += bytes_)
    for (std::int64_t b = 0; b < bytes_; ++b) to[b] = from[place_[static_cast<std::size_t>(b)]];
}

}  // namespace lockstep
