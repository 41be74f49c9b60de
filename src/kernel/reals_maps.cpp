// y = f(x) of every real alone
#include <algorithm>
#include <cmath>

#include "kernel/kernel.h"
#include "num/ort_rows.h"
#include "num/real_functions.h"
#include "op/op_binary.h"

#pragma GCC push_options
#pragma GCC optimize("O3", "no-trapping-math")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Abs",         "Clip",      "Erf",     "Exp",  "Gelu",
                                    "HardSigmoid", "HardSwish", "Neg",     "Pow",  "QuickGelu",
                                    "Reciprocal",  "Relu",      "Sigmoid", "Sqrt", "Tanh"};

enum class Function : std::uint8_t {
  abs,
  clip,
  neg,
  own,
  power,
  reciprocal,
  relu,
  sigmoid,
  square_root,
  tanh
};

// The arithmetic's own steps for the operator, null where it has none.
RealFunctions::Map map_of(const KernelProblem& p) {
  const RealFunctions* const f = p.num.real.functions;
  const std::string_view op = p.view.node.op;
  if (!f) return nullptr;
  return op == "Erf"   ? f->erf
         : op == "Exp" ? f->exp
         : op == "Gelu"
             ? (p.view.attrs().text("approximate", "none") == "tanh" ? f->gelu_tanh : f->gelu)
         : op == "HardSigmoid" ? f->hard_sigmoid
         : op == "HardSwish"   ? f->hard_swish
         : op == "QuickGelu"   ? f->quick_gelu
         : op == "Sigmoid"     ? f->sigmoid
         : op == "Tanh"        ? f->tanh
                               : nullptr;
}

Function function_of(std::string_view op) {
  return op == "Abs"          ? Function::abs
         : op == "Clip"       ? Function::clip
         : op == "Neg"        ? Function::neg
         : op == "Pow"        ? Function::power
         : op == "Reciprocal" ? Function::reciprocal
         : op == "Relu"       ? Function::relu
         : op == "Sigmoid"    ? Function::sigmoid
         : op == "Sqrt"       ? Function::square_root
         : op == "Tanh"       ? Function::tanh
                              : Function::own;
}

class RealsMaps : public PreparedKernel {
 public:
  explicit RealsMaps(const KernelProblem& p)
      : function_(function_of(p.view.node.op)),
        sigmoid_(p.num.real.sigmoid),
        tanh_(p.num.real.tanh),
        map_(map_of(p)),
        count_(count_of(p.view.output(0).shape)) {
    const std::string_view op = p.view.node.op;
    if (map_) function_ = Function::own;
    if (op == "HardSigmoid") {
      alpha_ = static_cast<float>(p.view.attrs().real("alpha", 0.2f));
      beta_ = static_cast<float>(p.view.attrs().real("beta", 0.5));
    }
    if (op == "QuickGelu") alpha_ = static_cast<float>(p.view.attrs().real("alpha", 1.702f));
    if (function_ == Function::clip) {
      alpha_ = -INFINITY, beta_ = INFINITY;
      if (p.constants.size() > 1 && p.constants[1]) alpha_ = p.constants[1]->as<float>()[0];
      if (p.constants.size() > 2 && p.constants[2]) beta_ = p.constants[2]->as<float>()[0];
    }
    if (function_ == Function::power) alpha_ = p.constants[1]->as<float>()[0];
    if (p.num.real.functions) power_ = p.num.real.functions->power;
  }

  std::size_t scratch_bytes(int) const override { return 0; }

  void run(const KernelRun& r) const override {
    auto* const y = reinterpret_cast<float*>(r.out[0]);
    const auto* const x = reinterpret_cast<const float*>(r.in[0]);
    r.workers.each((count_ + piece - 1) / piece, [&](std::int64_t first, std::int64_t last, int) {
      some(x + first * piece, y + first * piece, std::min(count_, last * piece) - first * piece);
    });
  }

 private:
  static constexpr std::int64_t piece = 4096;

  template <class F>
  static void each(const float* x, float* y, std::int64_t n, F f) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
  }

  void some(const float* x, float* y, std::int64_t n) const {
    switch (function_) {
      case Function::abs:
        return each(x, y, n, [](float v) { return std::fabs(v); });
      case Function::clip:
        return each(x, y, n, [low = alpha_, high = beta_](float v) {
          return std::min(std::max(v, low), high);
        });
      case Function::neg:
        return each(x, y, n, [](float v) { return -v; });
      case Function::own:
        return map_({x, static_cast<std::size_t>(n)}, {y, static_cast<std::size_t>(n)}, alpha_,
                    beta_);
      case Function::power:
        return powers(x, y, n);
      case Function::reciprocal:
        return each(x, y, n, [](float v) { return 1.0f / v; });
      case Function::relu:
        return each(x, y, n, [](float v) { return v < 0 ? 0 : v; });
      case Function::sigmoid:
        if (sigmoid_) return map_row(sigmoid_, x, y, n);
        return each(x, y, n, [](float v) {
          return static_cast<float>(1 / (1 + std::exp(-static_cast<double>(v))));
        });
      case Function::square_root:
        return each(x, y, n, [](float v) { return std::sqrt(v); });
      case Function::tanh:
        if (tanh_) return map_row(tanh_, x, y, n);
        return each(x, y, n,
                    [](float v) { return static_cast<float>(std::tanh(static_cast<double>(v))); });
    }
  }

  // A square is the same product in every arithmetic.
  void powers(const float* x, float* y, std::int64_t n) const {
    if (alpha_ == 2.0f) return each(x, y, n, [](float v) { return v * v; });
    if (power_) return each(x, y, n, [this](float v) { return power_(v, alpha_); });
    each(x, y, n, [this](float v) {
      return static_cast<float>(std::pow(static_cast<double>(v), static_cast<double>(alpha_)));
    });
  }

  Function function_;
  float (*sigmoid_)(float);
  float (*tanh_)(float);
  float (*power_)(float, float) = nullptr;
  RealFunctions::Map map_;
  float alpha_ = 0, beta_ = 0;
  std::int64_t count_;
};

bool fits(const KernelProblem& p) {
  const Value& y = p.view.output(0);
  if (p.constants[0] || y.dtype != DType::f32 || count_of(y.shape) == 0 ||
      p.view.input(0).shape != y.shape)
    return false;
  for (std::size_t i = 0; i < p.view.input_count(); ++i) {
    if (!p.view.has_input(i)) continue;
    if (p.view.input(i).dtype != DType::f32 || p.view.input(i).quant.quantized()) return false;
    if (i > 0 && (!p.constants[i] || p.constants[i]->count() < 1)) return false;
  }
  const Function f = function_of(p.view.node.op);
  if (f == Function::power)
    return run_kind(y.shape, p.view.input(1).shape) == RunKind::second_still &&
           p.constants[1]->count() == 1;
  return f != Function::own || map_of(p);
}

}  // namespace

extern constinit const Kernel kernel_reals_maps = {
    .name = "reals_maps",
    .ops = ops,
    .isa = Isa::any,
    .speed = 2,
    .meaning = "functions of one real",
    .order = Order::any,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<RealsMaps>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
