// Sums, products and quotients of two reals that are spread against each other, normalization by
// channel
#include <algorithm>
#include <cmath>

#include "kernel/kernel.h"
#include "kernel/kernel_activation.h"
#include "kernel/kernel_spread.h"
#include "num/activation.h"
#include "op/op_codes.h"

#pragma GCC push_options
#pragma GCC optimize("O3", "no-trapping-math")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Add", "BatchNormalization", "Div", "Mul", "PRelu", "Sub"};

// One run of neighbours of y: operands move by 1 or stand still, or by any step.
struct Row {
  const float *a, *b, *c;
  std::int64_t a_step, b_step;
  float* y;
  std::int64_t count;
};

template <class F>
void each(const Row& r, F f) {
  if (r.a_step == 1 && r.b_step == 1)
    for (std::int64_t i = 0; i < r.count; ++i) r.y[i] = f(r.a[i], r.b[i]);
  else if (r.a_step == 1 && r.b_step == 0)
    for (std::int64_t i = 0; i < r.count; ++i) r.y[i] = f(r.a[i], *r.b);
  else
    for (std::int64_t i = 0; i < r.count; ++i) r.y[i] = f(r.a[i * r.a_step], r.b[i * r.b_step]);
}
void add(const Row& r) {
  each(r, [](float a, float b) { return a + b; });
}
void sub(const Row& r) {
  each(r, [](float a, float b) { return a - b; });
}
void mul(const Row& r) {
  each(r, [](float a, float b) { return a * b; });
}
void div(const Row& r) {
  each(r, [](float a, float b) { return a / b; });
}
void prelu(const Row& r) {
  each(r, [](float a, float b) { return a >= 0 ? a : a * b; });
}
void scale(const Row& r) {
  for (std::int64_t i = 0; i < r.count; ++i)
    r.y[i] = r.a[i * r.a_step] * r.b[i * r.b_step] + r.c[i * r.b_step];
}

using RowFunction = void (*)(const Row&);
RowFunction two_operands(std::string_view op) {
  return op == "Add"     ? add
         : op == "Sub"   ? sub
         : op == "Mul"   ? mul
         : op == "Div"   ? div
         : op == "PRelu" ? prelu
                         : nullptr;
}

class RealsRows : public PreparedKernel {
 public:
  explicit RealsRows(const KernelProblem& p)
      : two_(two_operands(p.view.node.op)), activation_(activation_of(p.view)) {
    const Shape &y = p.view.output(0).shape, &a = p.view.input(0).shape;
    Shape b;
    if (two_) {
      b = p.view.input(1).shape;
      if (p.constants[0]) keep(*p.constants[0], fixed_a_);
      if (p.constants[1]) keep(*p.constants[1], fixed_b_);
    } else {
      two_ = scale;
      b.assign(y.size() - 1, 1);
      b[0] = y[1];
      fold(p);
    }
    for (const bool last : {false, true})
      spread_[last] = spread_of(y, a, last && fixed_a_.empty(), b, last && fixed_b_.empty(), last);
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override {
    return (fixed_a_.size() + fixed_b_.size() + fixed_c_.size()) * 4;
  }

  void run(const KernelRun& r) const override {
    auto* const y = reinterpret_cast<float*>(r.out[0]);
    const auto* const a =
        fixed_a_.empty() ? reinterpret_cast<const float*>(r.in[0]) : fixed_a_.data();
    const auto* const b =
        fixed_b_.empty() ? reinterpret_cast<const float*>(r.in[1]) : fixed_b_.data();
    const Spread& s = spread_[r.channels_last];
    std::int64_t rows = 1;
    for (std::size_t d = 0; d + 1 < s.axes; ++d) rows *= s.extent[d];
    const std::int64_t whole = s.extent[s.axes - 1], part = rows > 1 ? whole : piece,
                       parts = (whole + part - 1) / part;
    r.workers.each(rows * parts, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) {
        std::int64_t row = u / parts, ia = 0, ib = 0;
        const std::int64_t from = u % parts * part;
        for (std::size_t d = s.axes - 1; d-- > 0; row /= s.extent[d]) {
          ia += row % s.extent[d] * s.a[d];
          ib += row % s.extent[d] * s.b[d];
        }
        const std::int64_t sa = s.a[s.axes - 1], sb = s.b[s.axes - 1];
        const Row line{a + ia + from * sa,
                       b + ib + from * sb,
                       fixed_c_.data() + ib + from * sb,
                       sa,
                       sb,
                       y + u / parts * whole + from,
                       std::min(part, whole - from)};
        two_(line);
        activate_all(activation_, line.y, line.count);
      }
    });
  }

 private:
  static constexpr std::int64_t piece = 4096;

  static void keep(const Tensor& t, std::vector<float>& to) {
    to.assign(t.as<float>().begin(), t.as<float>().end());
  }

  // x * factor + term by channel.
  void fold(const KernelProblem& p) {
    const auto scales = p.constants[1]->as<float>(), bias = p.constants[2]->as<float>(),
               mean = p.constants[3]->as<float>(), variance = p.constants[4]->as<float>();
    const auto epsilon = static_cast<float>(p.view.attrs().real("epsilon", 1e-5f));
    for (std::size_t c = 0; c < scales.size(); ++c) {
      const float factor = scales[c] * (1 / std::sqrt(variance[c] + epsilon));
      fixed_b_.push_back(factor);
      fixed_c_.push_back(bias[c] - mean[c] * factor);
    }
  }

  RowFunction two_;
  Activation activation_;
  std::vector<float> fixed_a_, fixed_b_, fixed_c_;
  Spread spread_[2];
};

bool fits(const KernelProblem& p) {
  const Value& y = p.view.output(0);
  const std::string_view op = p.view.node.op;
  if (y.dtype != DType::f32 || y.shape.size() > most_axes || count_of(y.shape) == 0) return false;
  bool computed = false;
  for (std::size_t i = 0; i < p.view.input_count(); ++i) {
    if (!p.view.has_input(i)) continue;
    if (p.view.input(i).dtype != DType::f32 || p.view.input(i).quant.quantized()) return false;
    computed |= !p.constants[i];
  }
  if (!computed) return false;
  if (two_operands(op)) return true;
  if (p.constants[0] || p.view.input(0).shape != y.shape) return false;
  for (std::size_t i = 1; i < p.view.input_count(); ++i)
    if (p.view.has_input(i) && (!p.constants[i] || p.constants[i]->count() < 1)) return false;
  if (op != "BatchNormalization") return true;
  for (std::size_t i = 1; i < 5; ++i)
    if (i >= p.constants.size() || !p.constants[i] || y.shape.size() < 2 ||
        p.constants[i]->count() != y.shape[1])
      return false;
  return p.view.node.outputs.size() == 1;
}

}  // namespace

extern constinit const Kernel kernel_reals_rows = {
    .name = "reals_rows",
    .ops = ops,
    .isa = Isa::any,
    .speed = 2,
    .meaning = "sums, products and quotients of two reals that are spread",
    .order = Order::any,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<RealsRows>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
