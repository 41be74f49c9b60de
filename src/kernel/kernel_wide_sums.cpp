#include "kernel/kernel_wide_sums.h"

#include <algorithm>
#include <cstring>

#include "kernel/kernel_dot_driver.h"
#include "kernel/kernel_transpose.h"
#include "num/fixed.h"
#include "op/op_codes.h"
#include "op/op_matrix.h"

namespace lockstep {
namespace {

// Of x some channels at a time; what its sums count in the whole.
struct Part {
  std::unique_ptr<const DotDriver> driver;
  std::int64_t x_at = 0, factor = 1, units_before = 0;
  std::int64_t first = 0, count = 0;  // channels
};

// So many products of an activation and a number of up to `most` fit into 32 bits.
constexpr std::int64_t products_of(std::int64_t most) {
  return 2147483647 / (32768 * most);
}
constexpr std::int64_t upper_bytes = 128, lower_bytes = 255;

// The parts, and how their sums become codes.
class WideSums {
 public:
  WideSums(const DotSet& set, DotProblem whole)
      : set_(set), whole_(std::move(whole)), stage_(Stage::of_words(whole_.window)) {}

  const Stage& stage() const { return stage_; }
  const std::vector<Part>& parts() const { return parts_; }
  std::int64_t sums_bytes() const {
    return static_cast<std::int64_t>(parts_.size()) * part_bytes();
  }
  std::size_t resident_bytes() const {
    std::size_t bytes = 0;
    for (const Part& p : parts_) bytes += p.driver->layout().packed_bytes;
    return bytes;
  }

  // `count` channels from `first` on; weights of the part, or none where they come with a run.
  void add_part(std::int64_t first, std::int64_t count, std::int64_t factor, bool weights) {
    DotProblem d;
    d.window = whole_.window;
    d.window.begin = {0, 0, 0};
    std::ranges::copy(stage_.extent, d.window.in.begin());
    d.ic = count;
    d.oc = whole_.oc;
    d.x = DType::i16;
    d.y = DType::i32;
    d.bias.assign(static_cast<std::size_t>(d.oc), 0);
    if (weights) take(first, count, d);
    Part p;
    p.x_at = first * 2;
    p.factor = factor;
    p.first = first;
    p.count = count;
    p.units_before = units_;
    p.driver = std::make_unique<const DotDriver>(std::move(d), set_);
    units_ += p.driver->units();
    parts_.push_back(std::move(p));
  }

  // x as the stage leaves it; weights(part) where they come with the run.
  template <class Weights>
  void run(const std::byte* x, std::byte* sums, std::byte* y, Workers& workers,
           Weights&& weights) const {
    workers.each(units_, [&](std::int64_t first, std::int64_t last, int) {
      std::size_t i = 0;
      for (std::int64_t u = first; u < last; ++u) {
        while (i + 1 < parts_.size() && parts_[i + 1].units_before <= u) ++i;
        const DotLayout& m = parts_[i].driver->layout();
        parts_[i].driver->unit(
            u - parts_[i].units_before,
            {x + parts_[i].x_at, m.weights() ? m.weights() : weights(i), m.d.finish.bias.data(),
             nullptr, sums + static_cast<std::int64_t>(i) * part_bytes()});
      }
    });
    workers.each(positions(), [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t at = first; at < last; ++at) finish(sums, at, y + at * whole_.oc * 2);
    });
  }

 private:
  std::int64_t positions() const { return whole_.window.batch * whole_.window.out_count(); }
  std::int64_t part_bytes() const { return (positions() * whole_.oc * 4 + 63) / 64 * 64; }

  void take(std::int64_t first, std::int64_t count, DotProblem& d) const {
    const std::int64_t taps = whole_.window.kernel_count();
    d.w.is_signed = whole_.w.is_signed;
    d.w.depth = taps * count;
    d.w.zero = whole_.w.zero;
    d.w.own =
        std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(d.oc * d.w.depth));
    d.w.codes = d.w.own.get();
    for (std::int64_t row = 0; row < d.oc * taps; ++row)
      std::memcpy(d.w.own.get() + row * count, whole_.w.codes + row * whole_.ic + first,
                  static_cast<std::size_t>(count));
  }

  void finish(const std::byte* sums, std::int64_t at, std::byte* y) const {
    const DotFinish& f = whole_.finish;
    for (std::int64_t o = 0; o < whole_.oc; ++o) {
      const auto channel = static_cast<std::size_t>(o);
      std::int64_t sum = whole_.bias[channel];
      const std::byte* from = sums + (at * whole_.oc + o) * 4;
      for (const Part& p : parts_) {
        std::int32_t part;
        std::memcpy(&part, from, 4);
        sum += part * p.factor;
        from += part_bytes();
      }
      const auto code = static_cast<std::int16_t>(clamp_code(
          std::int64_t{f.policy->apply_wide(sum, f.rescale[channel])} + f.y_zero, f.low, f.high));
      std::memcpy(y + o * 2, &code, 2);
    }
  }

  const DotSet& set_;
  const DotProblem whole_;
  const Stage stage_;
  std::vector<Part> parts_;
  std::int64_t units_ = 0;
};

std::int64_t in_lines(std::int64_t bytes) {
  return (bytes + 63) / 64 * 64;
}

// The greatest size of a weight without its zero point.
std::int64_t most_weight(const KernelProblem& p) {
  const Value& w = p.view.input(1);
  const bool plain = w.dtype == DType::i8 &&
                     std::ranges::all_of(w.quant.zero, [](std::int32_t z) { return z == 0; });
  return plain ? 128 : 255;
}

// Convolutions and layers with constant weights.
class DeepKernel : public PreparedKernel {
 public:
  DeepKernel(const KernelProblem& p, const DotSet& set) : sums_(set, *dot_problem(p, true, true)) {
    const DotProblem d = *dot_problem(p, false, true);
    const std::int64_t most = products_of(most_weight(p)) / d.window.kernel_count();
    const std::int64_t count = (d.ic + most - 1) / most;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t first = i * d.ic / count, last = (i + 1) * d.ic / count;
      sums_.add_part(first, last - first, 1, true);
    }
  }

  std::size_t scratch_bytes(int) const override {
    return static_cast<std::size_t>(staged() + sums_.sums_bytes());
  }
  std::size_t resident_bytes() const override { return sums_.resident_bytes(); }
  void run(const KernelRun& r) const override {
    const Stage& stage = sums_.stage();
    if (stage.needed)
      r.workers.each(stage.parts(), [&](std::int64_t first, std::int64_t last, int) {
        stage.run(r.in[0], r.scratch, first, last);
      });
    sums_.run(stage.needed ? r.scratch : r.in[0], r.scratch + staged(), r.out[0], r.workers,
              [](std::size_t) -> const std::byte* { return nullptr; });
  }

 private:
  std::int64_t staged() const {
    return in_lines(static_cast<std::int64_t>(sums_.stage().scratch_bytes()));
  }
  WideSums sums_;
};

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
    for (const Part& part : sums_.parts()) {
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
      const Part& part = sums_.parts()[i];
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

bool products_fit(const KernelProblem& p) {
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

}  // namespace

bool wide_sums_fit(const KernelProblem& p) {
  if (p.view.node.op == "MatMul") return products_fit(p);
  const auto d = dot_problem(p, false, true);
  return d && d->finish.wide && d->group == 1 && d->y == DType::i16 &&
         d->window.kernel_count() <= products_of(most_weight(p));
}

std::unique_ptr<PreparedKernel> prepare_wide_sums(const KernelProblem& p, const DotSet& set) {
  if (p.view.node.op == "MatMul") return std::make_unique<WideProducts>(p, set);
  return std::make_unique<DeepKernel>(p, set);
}

}  // namespace lockstep
