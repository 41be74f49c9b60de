#include <algorithm>
#include <set>

#include "kernel/kernel_pool.h"
#include "num/average_rows.h"
#include "num/ort_codes.h"
#include "op/op_codes.h"
#include "op/op_held.h"
#include "op/op_pool.h"

namespace lockstep {
namespace {

constexpr std::int64_t most_sums = 4096;  // that stand on the stack

// What sums over so many taps become, for every sum there is.
class AverageTables {
 public:
  // Where results are many: tables cost one of them for each sum.
  AverageTables() = default;
  AverageTables(const AveragePolicy& policy, const AverageScales& scales,
                const std::set<std::int64_t>& counts, bool is_signed, std::int64_t results)
      : least_(is_signed ? -128 : 0) {
    std::int64_t entries = 0;
    for (const std::int64_t n : counts) entries += range * n + 1;
    if (2 * entries > results || entries > most_entries) return;
    at_.assign(static_cast<std::size_t>(*counts.rbegin() + 1), -1);
    for (const std::int64_t n : counts) {
      at_[static_cast<std::size_t>(n)] = std::ssize(codes_);
      const auto taps = static_cast<std::int32_t>(n);
      for (std::int64_t sum = least_ * n; sum <= (least_ + range) * n; ++sum)
        codes_.push_back(static_cast<std::byte>(
            n == 0 ? scales.y_zero : policy.apply(static_cast<std::int32_t>(sum), taps, scales)));
    }
  }
  bool there() const { return !codes_.empty(); }
  // By sums over n taps.
  const std::byte* of(std::int64_t n) const {
    return codes_.data() + at_[static_cast<std::size_t>(n)] - least_ * n;
  }

 private:
  static constexpr std::int64_t range = 255, most_entries = 1 << 16;
  std::int64_t least_ = 0;
  std::vector<std::int64_t> at_;
  std::vector<std::byte> codes_;
};

// Averages of codes: sums in integers where their order in a window does not count, else in reals.
// A tap is added to all positions of a line that have it.
class AverageKernel : public PreparedKernel {
 public:
  AverageKernel(const KernelProblem& p, const PoolSet& set)
      : set_(set),
        policy_(*p.num.average),
        w_(*pool_window(p.view)),
        signed_(p.view.input(0).dtype == DType::i8) {
    const Value &x = p.view.input(0), &y = p.view.output(0);
    const CodeClamp clamp = clamp_of(p.view);
    scales_ = {x.quant.scale_at(0), y.quant.scale_at(0), x.quant.zero_at(0),
               y.quant.zero_at(0),  clamp.low,           clamp.high};
    in_reals_ = {signed_, scales_, held_shift(p.view, y)};
    for (std::int32_t* const code :
         {&in_reals_.scales.y_zero, &in_reals_.scales.low, &in_reals_.scales.high})
      *code += in_reals_.shift;
    std::set<std::int64_t> counts{1};
    for (int a = 0; a < 3; ++a) {
      std::set<std::int64_t> more;
      for (std::int64_t o = 0; o < w_.out[a]; ++o) {
        const Taps t = taps(a, o);
        taps_[a].push_back(t.end - t.begin);
        for (const std::int64_t n : counts) more.insert(n * taps_[a].back());
      }
      counts = std::move(more);
    }
    if (!policy_.window) tables_ = {policy_, scales_, counts, signed_, count_of(y.shape)};
  }
  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    const std::int64_t at_once = std::max<std::int64_t>(1, most_sums / w_.channels);
    r.workers.each(w_.batch * w_.out[0] * w_.out[1],
                   [&](std::int64_t first, std::int64_t last, int) {
                     for (std::int64_t i = first; i < last; ++i)
                       for (std::int64_t at = 0; at < w_.out[2]; at += at_once) {
                         const Piece piece{i, at, std::min(w_.out[2], at + at_once)};
                         policy_.window ? piece_of_reals(r, piece) : piece_of_sums(r, piece);
                       }
                   });
  }

 private:
  struct Taps {
    std::int64_t begin, end;
  };
  // Positions of output line `line`.
  struct Piece {
    std::int64_t line, first, last;
  };

  // The taps of output o along axis a that lie inside.
  Taps taps(int a, std::int64_t o) const {
    const std::int64_t from = o * w_.strides[a] - w_.begin[a], step = w_.dilations[a];
    const auto before = [&](std::int64_t place) {  // taps that lie before it
      return std::clamp<std::int64_t>((place - from + step - 1) / step, 0, w_.kernel[a]);
    };
    return {from >= 0 ? 0 : before(0), from >= w_.in[a] ? 0 : before(w_.in[a])};
  }

  std::int64_t rows_of(std::int64_t line) const {
    return taps_[0][static_cast<std::size_t>(line / w_.out[1] % w_.out[0])] *
           taps_[1][static_cast<std::size_t>(line % w_.out[1])];
  }

  // Calls add(x, codes, sums) for each tap, in their order.
  template <class Add>
  void add_taps(const std::byte* x, const Piece& p, Add&& add) const {
    const std::int64_t n = p.line / w_.out[1] / w_.out[0], stride = w_.strides[2];
    const Taps d = taps(0, p.line / w_.out[1] % w_.out[0]), h = taps(1, p.line % w_.out[1]);
    const std::int64_t d0 = p.line / w_.out[1] % w_.out[0] * w_.strides[0] - w_.begin[0],
                       h0 = p.line % w_.out[1] * w_.strides[1] - w_.begin[1];
    for (std::int64_t kd = d.begin; kd < d.end; ++kd)
      for (std::int64_t kh = h.begin; kh < h.end; ++kh) {
        const std::byte* const row = x + ((n * w_.in[0] + d0 + kd * w_.dilations[0]) * w_.in[1] +
                                          h0 + kh * w_.dilations[1]) *
                                             w_.in[2] * w_.channels;
        for (std::int64_t kw = 0; kw < w_.kernel[2]; ++kw) {
          const std::int64_t shift = kw * w_.dilations[2] - w_.begin[2];
          std::int64_t first = p.first, last = p.last;
          while (first < last && first * stride + shift < 0) ++first;
          while (first < last && (last - 1) * stride + shift >= w_.in[2]) --last;
          const std::byte* const from = row + (first * stride + shift) * w_.channels;
          const std::int64_t to = (first - p.first) * w_.channels;
          if (first >= last) continue;
          if (stride == 1)
            add(from, (last - first) * w_.channels, to);
          else
            for (std::int64_t i = 0; i < last - first; ++i)
              add(from + i * stride * w_.channels, w_.channels, to + i * w_.channels);
        }
      }
  }

  // Calls finish(taps, first sum, sums, codes) for runs of positions of as many taps.
  template <class Finish>
  void each_run(const KernelRun& r, const Piece& p, Finish&& finish) const {
    const std::vector<std::int64_t>& across = taps_[2];
    for (std::int64_t at = p.first; at < p.last;) {
      std::int64_t end = at + 1;
      while (end < p.last &&
             across[static_cast<std::size_t>(end)] == across[static_cast<std::size_t>(at)])
        ++end;
      finish(rows_of(p.line) * across[static_cast<std::size_t>(at)], (at - p.first) * w_.channels,
             (end - at) * w_.channels, r.out[0] + (p.line * w_.out[2] + at) * w_.channels);
      at = end;
    }
  }

  void piece_of_sums(const KernelRun& r, const Piece& p) const {
    std::int32_t sums[most_sums + 16];
    std::fill_n(sums, (p.last - p.first) * w_.channels, 0);
    add_taps(r.in[0], p, [&](const std::byte* x, std::int64_t count, std::int64_t to) {
      set_.sum_codes(x, 1, count, signed_, sums + to);
    });
    each_run(r, p, [&](std::int64_t n, std::int64_t first, std::int64_t count, std::byte* y) {
      if (tables_.there()) {
        const std::byte* const code = tables_.of(n);
        for (std::int64_t i = 0; i < count; ++i) y[i] = code[sums[first + i]];
        return;
      }
      for (std::int64_t i = 0; i < count; ++i)
        y[i] = static_cast<std::byte>(
            n == 0 ? scales_.y_zero
                   : policy_.apply(sums[first + i], static_cast<std::int32_t>(n), scales_));
    });
  }

  void piece_of_reals(const KernelRun& r, const Piece& p) const {
    float sums[most_sums];
    std::fill_n(sums, (p.last - p.first) * w_.channels, 0.0f);
    add_taps(r.in[0], p, [&](const std::byte* x, std::int64_t count, std::int64_t to) {
      in_reals_.add(x, count, sums + to);
    });
    each_run(r, p, [&](std::int64_t n, std::int64_t first, std::int64_t count, std::byte* y) {
      in_reals_.finish(sums + first, static_cast<std::int32_t>(n), count, y);
    });
  }

  const PoolSet& set_;
  const AveragePolicy& policy_;
  Window w_;
  bool signed_;
  AverageScales scales_{};
  AverageOfReals in_reals_{};
  std::vector<std::int64_t> taps_[3];  // by output place
  AverageTables tables_;
};

}  // namespace

bool average_pool_fits(const KernelProblem& p) {
  const Value &x = p.view.input(0), &y = p.view.output(0);
  if (!p.num.average || (p.num.average->window && p.num.average != &ort_average) ||
      !p.num.average->apply || !is_code(x) || !is_code(y) || !byte_wide(x) || !byte_wide(y))
    return false;
  if (p.view.attrs().integer("count_include_pad", 0) != 0 ||
      (!p.num.average->window && holds_unsigned(p.view)))
    return false;
  const auto w = pool_window(p.view);
  return w.ok() && w->channels <= most_sums;
}

std::unique_ptr<PreparedKernel> prepare_average_pool(const KernelProblem& p, const PoolSet& set) {
  return std::make_unique<AverageKernel>(p, set);
}

}  // namespace lockstep
