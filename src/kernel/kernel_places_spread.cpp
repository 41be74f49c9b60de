#include "kernel/kernel_places_spread.h"

#include <algorithm>
#include <cstring>

#include "kernel/kernel_spread.h"

namespace lockstep {
namespace {

// Two operands of codes that are spread against each other. Rows of y are runs of neighbours; what
// does not walk along in steps of one is written out for a row, over and over where rows are short.
class SpreadKernel : public PreparedKernel {
 public:
  SpreadKernel(const KernelProblem& p, SpreadCall call) : p_(std::move(call)) {
    const std::size_t first = p_.swapped ? 1 : 0;
    for (std::size_t i = 0; i < 2; ++i)
      if (const Tensor* const t = p.constants[i == 0 ? first : 1 - first])
        fixed_[i].assign(t->bytes().begin(), t->bytes().end());
    const Shape& y = p.view.output(0).shape;
    for (const bool last : {false, true})
      plan_[last] =
          plan_of(spread_of(y, p.view.input(first).shape, last && fixed_[0].empty(),
                            p.view.input(1 - first).shape, last && fixed_[1].empty(), last));
  }
  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override { return fixed_[0].size() + fixed_[1].size(); }

  void run(const KernelRun& r) const override {
    const Plan& plan = plan_[r.channels_last];
    const std::size_t first = p_.swapped ? 1 : 0;
    const std::byte* const from[2] = {fixed_[0].empty() ? r.in[first] : fixed_[0].data(),
                                      fixed_[1].empty() ? r.in[1 - first] : fixed_[1].data()};
    const std::int64_t parts = (plan.row + plan.chunk - 1) / plan.chunk;
    r.workers.each(plan.rows * parts, [&](std::int64_t begin, std::int64_t end, int) {
      std::byte written[2][most_places + block];
      std::int64_t written_row = -1;
      PlaceCall c = p_.call;
      c.state = &p_.state;
      for (std::int64_t u = begin; u < end; ++u) {
        const std::int64_t row = u / parts, at = u % parts * plan.chunk;
        const std::byte* operand[2];
        const bool anew = written_row != row;
        written_row = row;
        for (std::size_t i = 0; i < 2; ++i)
          operand[i] = walk(plan, i, from[i] + start_of(plan, i, row), at, anew, written[i]);
        c.a = operand[0];
        c.b = operand[1];
        c.y = r.out[0] + row * plan.row + at;
        c.count = std::min(plan.chunk, plan.row - at);
        p_.function(c);
      }
    });
  }

 private:
  // Rows of y: the innermost axis, or the two innermost where one operand repeats.
  struct Plan {
    Spread spread;
    std::size_t outer = 0;  // axes in front of a row
    std::int64_t rows = 1, row = 1, chunk = 1;
    // Of an operand along the row; 0: it walks on, below 0: each element so many times.
    std::int64_t period[2] = {0, 0};
  };
  static constexpr std::int64_t block = 16;
  static Plan plan_of(const Spread& s) {
    Plan plan;
    plan.spread = s;
    const std::size_t inner = s.axes - 1;
    plan.outer = inner;
    plan.row = s.extent[inner];
    const std::int64_t* const steps[2] = {s.a, s.b};
    bool repeats = false, stretches[2] = {};
    for (std::size_t i = 0; i < 2; ++i) {
      // Any step but 1 is written out, a chunk at a time.
      plan.period[i] = steps[i][inner] == 1 ? 0 : 1;
      repeats |= inner > 0 && s.extent[inner] * 2 <= most_places && steps[i][inner] == 1 &&
                 steps[1 - i][inner] == 1 && steps[i][inner - 1] == 0 &&
                 steps[1 - i][inner - 1] == s.extent[inner];
      stretches[i] = inner > 0 && s.extent[inner] * 2 <= most_places && steps[i][inner] == 0 &&
                     steps[1 - i][inner] == 1 && steps[i][inner - 1] == 1 &&
                     steps[1 - i][inner - 1] == s.extent[inner];
    }
    plan.chunk = most_places;
    if (repeats || stretches[0] || stretches[1]) {
      for (std::size_t i = 0; i < 2; ++i)
        plan.period[i] = stretches[i]                          ? -s.extent[inner]
                         : repeats && steps[i][inner - 1] == 0 ? s.extent[inner]
                                                               : 0;
      plan.outer = inner - 1;
      plan.row *= s.extent[inner - 1];
      plan.chunk = most_places / s.extent[inner] * s.extent[inner];
    }
    for (std::size_t d = 0; d < plan.outer; ++d) plan.rows *= s.extent[d];
    return plan;
  }

  static std::int64_t start_of(const Plan& plan, std::size_t i, std::int64_t row) {
    std::int64_t at = 0;
    for (std::size_t d = plan.outer; d-- > 0; row /= plan.spread.extent[d])
      at += row % plan.spread.extent[d] * (i == 0 ? plan.spread.a : plan.spread.b)[d];
    return at;
  }

  // The operand's codes for a chunk that starts at `at` of its row.
  static const std::byte* walk(const Plan& plan, std::size_t i, const std::byte* from,
                               std::int64_t at, bool anew, std::byte* written) {
    const std::int64_t period = plan.period[i], n = std::min(plan.chunk, plan.row);
    if (period == 0) return from + at;
    if (period > 1) {
      for (std::int64_t k = 0; anew && k < n; k += period) std::copy_n(from, period, written + k);
      return written;
    }
    if (period < 0) {
      const std::byte* const first = from + at / -period;
      const std::int64_t count = std::min(n, plan.row - at) / -period;
      for (std::int64_t k = 0; k < count; ++k)
        for (std::int64_t j = 0; j < -period; j += block)
          std::memset(written - k * period + j, static_cast<int>(first[k]), block);
      return written;
    }
    const std::int64_t step = (i == 0 ? plan.spread.a : plan.spread.b)[plan.spread.axes - 1];
    if (step == 0 && !anew) return written;
    for (std::int64_t k = 0; k < std::min(n, plan.row - at); ++k)
      written[k] = from[(at + k) * step];
    if (step == 0) std::fill_n(written, n, from[0]);
    return written;
  }

  SpreadCall p_;
  std::vector<std::byte> fixed_[2];
  Plan plan_[2];  // as shaped, channels last
};

}  // namespace

std::unique_ptr<PreparedKernel> prepare_spread(const KernelProblem& p, SpreadCall call) {
  return std::make_unique<SpreadKernel>(p, std::move(call));
}

}  // namespace lockstep
