// y[n,c] = mean of the plane x[n,c,...], in the arithmetic's order of summation
#include "kernel/kernel.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"GlobalAveragePool"};

class PlaneMeans : public PreparedKernel {
 public:
  explicit PlaneMeans(const KernelProblem& p)
      : straight_(p.view.attrs().text("kernel", "") == "blocked"),
        mean_(p.num.real.plane_mean),
        planes_(count_of(p.view.output(0).shape)),
        count_(count_of(p.view.input(0).shape) / planes_) {}

  std::size_t scratch_bytes(int) const override { return 0; }

  void run(const KernelRun& r) const override {
    const auto* const x = reinterpret_cast<const float*>(r.in[0]);
    auto* const y = reinterpret_cast<float*>(r.out[0]);
    r.workers.each(planes_, [&](std::int64_t first, std::int64_t last, int) {
      if (mean_ && !straight_)
        mean_(x + first * count_, last - first, count_, y + first);
      else
        for (std::int64_t p = first; p < last; ++p)
          y[p] = straight_ ? straight(x + p * count_) : exact(x + p * count_);
    });
  }

 private:
  float straight(const float* x) const {  // N45
    float sum = 0;
    for (std::int64_t i = 0; i < count_; ++i) sum += x[i];
    return sum / static_cast<float>(count_);
  }
  float exact(const float* x) const {
    double sum = 0;
    for (std::int64_t i = 0; i < count_; ++i) sum += static_cast<double>(x[i]);
    return static_cast<float>(sum / static_cast<double>(count_));
  }

  bool straight_;
  void (*mean_)(const float* x, std::int64_t planes, std::int64_t count, float* y);
  std::int64_t planes_, count_;
};

bool fits(const KernelProblem& p) {
  return p.view.input(0).dtype == DType::f32 && p.view.output(0).dtype == DType::f32 &&
         !p.constants[0] && p.view.attrs().text("layout", "NCHW") != "NHWC" &&
         count_of(p.view.input(0).shape) > 0;
}

}  // namespace

extern constinit const Kernel kernel_plane_means = {
    .name = "plane_means",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "means of float planes, each in the arithmetic's order",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<PlaneMeans>(p);
    },
};

}  // namespace lockstep
