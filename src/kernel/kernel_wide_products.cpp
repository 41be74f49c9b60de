#include "kernel/kernel_wide_products.h"

#include <algorithm>
#include <cstring>

#include "kernel/kernel_transpose.h"
#include "kernel/kernel_wide_parts.h"
#include "op/op_codes.h"
#include "op/op_matrix.h"

namespace lockstep {
namespace {

constexpr std::int64_t upper_bytes = 128, lower_bytes = 255;

// One pair of matrices as a convolution of 1x1.
DotProblem pair_problem(const KernelProblem& p, const MatrixPlan& plan,
                        const RequantPolicy& policy) {
  const Value &a = p.view.input(0), &b = p.view.input(1), &y = p.view.output(0);
  DotProblem d;
  d.ic = plan.k;
  d.oc = plan.n;
  d.window.channels_last = true;
  d.window.channels = plan.k;
  d.window.in[2] = d.window.out[2] = plan.m;
  d.bias.assign(static_cast<std::size_t>(plan.n), 0);
  d.finish.policy = &policy;
  for (std::int64_t j = 0; j < plan.n; ++j)
    d.finish.rescale.push_back(policy.prepare(
        a.quant.scale_at(0), b.quant.scale_at(static_cast<std::size_t>(j)), y.quant.scale_at(0)));
  const CodeClamp clamp = clamp_of(p.view);
  d.finish.low = clamp.low;
  d.finish.high = clamp.high;
  return d;
}

const RequantPolicy* policy_of(const KernelProblem& p) {
  const bool layer = p.view.attrs().text("kernel", "") == "layer";
  return p.num.matmul && !layer ? p.num.matmul : p.num.dense;
}

class WideProducts : public PreparedKernel {
 public:
  WideProducts(const KernelProblem& p, const DotSet& set)
      : set_(set), plan_(*matrix_plan(p.view)), sums_(set, pair_problem(p, plan_, *policy_of(p))) {
    each_matrix(plan_, [&](std::int64_t iy, std::int64_t ia, std::int64_t ib) {
      list_.push_back({iy, ia, ib});
    });
    words_ = p.view.input(1).dtype == DType::i16;
    const std::int64_t most = products_of(words_ ? lower_bytes : upper_bytes);
    for (std::int64_t first = 0; first < plan_.k; first += most) {
      const std::int64_t count = std::min(most, plan_.k - first);
      sums_.add_part(first, count, 1, false);
      if (words_) sums_.add_part(first, count, 256, false);
    }
    for (std::size_t i = 0; i < 2; ++i)
      if (p.constants[i]) {
        kept_[i].assign(p.constants[i]->bytes().begin(), p.constants[i]->bytes().end());
        kept_[i].resize(kept_[i].size() + kernel_slack);
      }
    turned_ = plan_.trans_a ? in_lines(plan_.m * plan_.k * 2 + 512) : 0;
    for (const WidePart& part : sums_.parts()) {
      const DotLayout& m = part.driver->layout();
      packed_at_.push_back(turned_ + packed_);
      packed_ += in_lines(m.panels * m.panel_bytes);
    }
  }

  std::size_t scratch_bytes(int) const override {
    return static_cast<std::size_t>(turned_ + packed_ + sums_.sums_bytes());
  }
  void run(const KernelRun& r) const override {
    const std::byte* const a = kept_[0].empty() ? r.in[0] : kept_[0].data();
    const std::byte* const b = kept_[1].empty() ? r.in[1] : kept_[1].data();
    std::int64_t packed = -1;
    for (const Matrices& at : list_) {
      const std::byte* x = a + at.a * plan_.m * plan_.k * 2;
      if (plan_.trans_a) {
        transpose(x, r.scratch, plan_.k, plan_.m, 2);
        x = r.scratch;
      }
      if (packed != at.b)
        r.workers.each(panels(), [&](std::int64_t first, std::int64_t last, int) {
          for (std::int64_t u = first; u < last; ++u) pack(b, at.b, u, r.scratch);
        });
      packed = at.b;
      sums_.run(x, r.scratch + turned_ + packed_, r.out[0] + at.y * plan_.m * plan_.n * 2,
                r.workers, [&](std::size_t part) { return r.scratch + packed_at_[part]; });
    }
  }

 private:
  struct Matrices {
    std::int64_t y, a, b;
  };
  std::int64_t panels() const { return sums_.parts()[0].driver->layout().panels; }

  std::int32_t code_at(const std::byte* b, std::int64_t i) const {
    if (!words_) return static_cast<std::int8_t>(b[i]);
    std::int16_t code;
    std::memcpy(&code, b + i * 2, 2);
    return code;
  }

  // One panel of every part: pairs of neighbours along k; upper bytes with their sign, lower ones
  // without.
  void pack(const std::byte* b, std::int64_t matrix, std::int64_t panel, std::byte* scratch) const {
    const std::int64_t from = matrix * plan_.k * plan_.n, step_k = plan_.trans_b ? 1 : plan_.n,
                       step_j = plan_.trans_b ? plan_.k : 1;
    for (std::size_t i = 0; i < sums_.parts().size(); ++i) {
      const WidePart& part = sums_.parts()[i];
      const DotLayout& m = part.driver->layout();
      auto* to = reinterpret_cast<std::int16_t*>(scratch + packed_at_[i] + panel * m.panel_bytes);
      const std::int64_t first = panel * m.panel_width,
                         columns = std::min(m.panel_width, plan_.n - first);
      for (std::int64_t k = 0; k < part.count; k += 2, to += 2 * m.panel_width)
        for (std::int64_t l = 0; l < m.panel_width; ++l)
          for (std::int64_t e = 0; e < 2; ++e) {
            const bool inside = l < columns && k + e < part.count;
            const std::int32_t code =
                inside ? code_at(b, from + (part.first + k + e) * step_k + (first + l) * step_j)
                       : 0;
            to[2 * l + e] = static_cast<std::int16_t>(piece_of(code, part.factor));
          }
    }
  }
  std::int32_t piece_of(std::int32_t code, std::int64_t factor) const {
    if (!words_) return code;
    const std::int32_t lower = code & 255;
    return factor == 1 ? lower : (code - lower) / 256;
  }

  const DotSet& set_;
  const MatrixPlan plan_;
  WideSums sums_;
  std::vector<Matrices> list_;
  bool words_ = false;
  std::vector<std::byte> kept_[2];
  std::vector<std::int64_t> packed_at_;
  std::int64_t turned_ = 0, packed_ = 0;  // bytes
};

bool word_code(const Value& v) {
  return is_code(v) && v.dtype == DType::i16 && !v.quant.per_channel() && v.quant.zero_at(0) == 0;
}

}  // namespace

bool wide_products_fit(const KernelProblem& p) {
  const Value &a = p.view.input(0), &b = p.view.input(1);
  if (p.num.pairs_saturate || p.num.product || (p.constants[0] && p.constants[1])) return false;
  if (!word_code(a) || !word_code(p.view.output(0)) || !is_code(b) ||
      (b.dtype != DType::i16 && b.dtype != DType::i8) ||
      std::ranges::any_of(b.quant.zero, [](std::int32_t z) { return z != 0; }))
    return false;
  const RequantPolicy* const policy = policy_of(p);
  const auto plan = matrix_plan(p.view);
  return policy && policy->apply_wide && plan.ok() &&
         plan->m * plan->n * plan->k * count_of(plan->outer) > 0;
}

std::unique_ptr<PreparedKernel> prepare_wide_products(const KernelProblem& p, const DotSet& set) {
  return std::make_unique<WideProducts>(p, set);
}

}  // namespace lockstep
