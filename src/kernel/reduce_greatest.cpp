// y = the greatest or the least of x over the axes, in codes or reals
#include <algorithm>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernel/kernel.h"
#include "kernel/kernel_spread.h"
#include "op/op_reduce.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"ReduceMax", "ReduceMin"};

class ReduceGreatest : public PreparedKernel {
 public:
  explicit ReduceGreatest(const KernelProblem& p)
      : type_(p.view.input(0).dtype), least_(p.view.node.op == "ReduceMin") {
    const Reduction r = *reduction_of(p.view);
    const Shape& x = p.view.input(0).shape;
    const Shape steps = strides_of(r.kept);
    for (std::size_t d = 0; d < x.size(); ++d, ++axes_) {
      extent_[d] = x[d];
      // An axis of one element says nothing, whether it is reduced or not.
      step_[d] = r.reduced[d] ? 0 : steps[d];
    }
    elements_ = count_of(x);
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override { run_(*this, r); }

 private:
  [[gnu::always_inline]] inline void all(const KernelRun& r) const {
    if (type_ == DType::f32)
      least_ ? over<float, true>(r) : over<float, false>(r);
    else if (type_ == DType::i8)
      least_ ? over<std::int8_t, true>(r) : over<std::int8_t, false>(r);
    else
      least_ ? over<std::uint8_t, true>(r) : over<std::uint8_t, false>(r);
  }
  // Runs of bytes along the innermost axis, where that alone is reduced.
  bool rows_of_bytes() const {
    bool others = false;
    for (std::size_t d = 0; d + 1 < axes_; ++d) others |= step_[d] == 0 && extent_[d] > 1;
    return type_ != DType::f32 && axes_ > 0 && step_[axes_ - 1] == 0 && !others &&
           extent_[axes_ - 1] >= 16;
  }
  static void portable(const ReduceGreatest& k, const KernelRun& r) { k.all(r); }
#if defined(__x86_64__)
  [[gnu::target("avx2")]] static void by_avx2(const ReduceGreatest& k, const KernelRun& r) {
    k.rows_of_bytes() ? k.rows_avx2(r) : k.all(r);
  }
  // Bytes become keys whose least one is asked for: sixteen at once, then by their pairs.
  [[gnu::target("avx2")]] void rows_avx2(const KernelRun& r) const {
    const std::int64_t run = extent_[axes_ - 1], rows = elements_ / run;
    const auto flip =
        static_cast<std::uint8_t>((type_ == DType::i8 ? 0x80 : 0) ^ (least_ ? 0 : 0xff));
    const __m128i keys = _mm_set1_epi8(static_cast<char>(flip));
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::byte* const x = r.in[0] + i * run;
      const auto at = [&](std::int64_t k) {
        return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + k)), keys);
      };
      __m128i best = at(run - 16);
      for (std::int64_t k = 0; k + 16 < run; k += 16) best = _mm_min_epu8(best, at(k));
      best = _mm_minpos_epu16(_mm_min_epu8(best, _mm_srli_epi16(best, 8)));
      r.out[0][i] = static_cast<std::byte>(_mm_cvtsi128_si32(best) ^ flip);
    }
  }
#endif
  using Run = void (*)(const ReduceGreatest&, const KernelRun&);
  static Run pick() {
#if defined(__x86_64__)
    if (runs_here(Isa::avx2)) return by_avx2;
#endif
    return portable;
  }

  // What was there stays unless the other is better: a number that comes first is kept, whatever
  // it is.
  template <class T, bool least>
  [[gnu::always_inline]] static inline T better(T best, T x) {
    return (least ? x < best : x > best) ? x : best;
  }

  // The best of a run; of bytes in any order, as equal ones are the same.
  template <class T, bool least>
  [[gnu::always_inline]] static inline T best_of(T best, const T* x, std::int64_t n) {
    for (std::int64_t k = 0; k < n; ++k) best = better<T, least>(best, x[k]);
    return best;
  }

  template <class T, bool least>
  [[gnu::always_inline]] inline void over(const KernelRun& r) const {
    const auto* const x = reinterpret_cast<const T*>(r.in[0]);
    auto* const y = reinterpret_cast<T*>(r.out[0]);
    std::int64_t index[most_axes] = {}, to = 0;
    // The innermost axis is a run: of outputs that lie together, or of one.
    const std::size_t inner = axes_ - 1;
    const std::int64_t run = extent_[inner];
    for (std::int64_t i = 0; i < elements_; i += run) {
      bool first = true;  // of the outputs it meets
      for (std::size_t d = 0; d < inner; ++d) first &= step_[d] != 0 || index[d] == 0;
      if (step_[inner] == 0)
        y[to] = best_of<T, least>(first ? x[i] : y[to], x + i, run);
      else if (first)
        for (std::int64_t k = 0; k < run; ++k) y[to + k] = x[i + k];
      else
        for (std::int64_t k = 0; k < run; ++k) y[to + k] = better<T, least>(y[to + k], x[i + k]);
      for (std::size_t d = inner; d-- > 0;) {
        to += step_[d];
        if (++index[d] < extent_[d]) break;
        to -= step_[d] * extent_[d];
        index[d] = 0;
      }
    }
  }

  const Run run_ = pick();
  DType type_;
  bool least_;
  std::int64_t elements_ = 0, extent_[most_axes] = {}, step_[most_axes] = {};
  std::size_t axes_ = 0;
};

bool fits(const KernelProblem& p) {
  const Value& x = p.view.input(0);
  if (p.constants[0] || (x.dtype != DType::i8 && x.dtype != DType::u8 && x.dtype != DType::f32))
    return false;
  if (p.view.output(0).dtype != x.dtype || x.shape.size() > most_axes) return false;
  if (p.view.has_input(1) && !p.constants[1]) return false;
  return !x.shape.empty() && count_of(x.shape) > 0 && reduction_of(p.view).ok();
}

}  // namespace

extern constinit const Kernel kernel_reduce_greatest = {
    .name = "reduce_greatest",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "the greatest or the least over axes",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<ReduceGreatest>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
