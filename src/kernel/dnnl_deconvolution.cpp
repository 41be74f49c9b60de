// Float transposed convolutions of the arithmetic `float` by oneDNN
#include <algorithm>

#include "kernel/kernel_dnnl_units.h"
#include "op/op_codes.h"
#include "op/op_conv_transpose.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"ConvTranspose"};

// One image; `batch` of them are computed.
std::optional<DnnlWindow> window_of(const KernelProblem& p) {
  if (!p.constants[1] || (p.view.has_input(2) && !p.constants[2])) return {};
  const auto t = transposed_window_of(p.view);
  if (!t.ok() || t->in[0] != 1 || t->out[0] != 1 || t->kernel[0] != 1 || t->begin[0] != 0)
    return {};
  DnnlWindow w;
  w.transposed = true;
  w.group = t->group, w.ic = t->channels, w.oc = t->filters;
  for (std::size_t a = 0; a < 2; ++a) {
    w.in[a] = t->in[a + 1], w.out[a] = t->out[a + 1], w.kernel[a] = t->kernel[a + 1];
    w.strides[a] = t->strides[a + 1], w.dilations[a] = t->dilations[a + 1];
    w.begin[a] = t->begin[a + 1];
    w.end[a] = (w.in[a] - 1) * w.strides[a] + (w.kernel[a] - 1) * w.dilations[a] + 1 - w.begin[a] -
               w.out[a];
  }
  const std::int64_t step[3] = {t->w_at(1, 0, 0, 0), t->w_at(0, 0, 1, 0), t->w_at(0, 1, 0, 0)},
                     tap = t->w_at(0, 0, 0, 1);
  std::ranges::copy(std::array{step[0], step[1], step[2], w.kernel[1] * tap, tap}, w.weight_step);
  return w;
}

class DnnlDeconvolution : public DnnlUnits {
 public:
  explicit DnnlDeconvolution(const KernelProblem& p) : activation_(activation_of(p.view)) {
    const DnnlWindow w = *window_of(p);
    const bool biased = p.view.has_input(2);
    calls_.push_back(DnnlCall::of(w, biased));
    calls_[0]->make_ready(p.constants[1]->as<float>().data(),
                          biased ? p.constants[2]->as<float>().data() : nullptr);
    const std::int64_t x = w.in[0] * w.in[1] * w.group * w.ic,
                       y = w.out[0] * w.out[1] * w.group * w.oc;
    for (std::int64_t n = 0; n < p.view.input(0).shape[0]; ++n)
      units_.push_back({0, n * x, 0, n * y, y});
  }

 private:
  void finish(const Unit& u, float* y) const override { activate_all(activation_, y, u.count); }

  Activation activation_;
};

bool fits(const KernelProblem& p) {
  if (!sums_in_any_order(p.num) || !reals_alone(p.view) ||
      find_op("ConvTranspose")->cost(p.view).macs < dnnl_least_products)
    return false;
  const auto w = window_of(p);
  return w && DnnlCall::of(*w, p.view.has_input(2));
}

}  // namespace

extern constinit const Kernel kernel_dnnl_deconvolution = {
    .name = "dnnl_deconvolution",
    .ops = ops,
    .isa = Isa::any,
    .speed = 20,
    .meaning =
        "float transposed convolutions by oneDNN, in `float` alone: sums in another order, "
        "within N6",
    .order = Order::channels_last,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<DnnlDeconvolution>(p);
    },
    .library = dnnl_library,
    .loads = dnnl_loads,
};

}  // namespace lockstep
