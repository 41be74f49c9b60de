// y[i] = mean of x over the window of i, floats in the arithmetic's order of summation
#include "kernel/kernel.h"
#include "num/activation.h"
#include "op/op_codes.h"
#include "op/op_pool.h"
#include "op/op_pool_columns.h"
#include "op/op_window.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"AveragePool"};

class WindowMeans : public PreparedKernel {
 public:
  explicit WindowMeans(const KernelProblem& p)
      : window_(pool_window(p.view).value()),
        with_pads_(p.view.attrs().integer("count_include_pad", 0) != 0),
        columns_(averages_by_columns(p.num, window_, with_pads_)),
        activation_(activation_of(p.view)) {
    if (averages_by_library(p.view, p.num, window_))
      mean_ = p.num.real.window_mean, problem_ = window_mean_problem(p.view, window_);
    each_position(window_,
                  [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
                    places_.push_back({d, h, v, position});
                  });
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override { return places_.size() * sizeof(Place); }

  void run(const KernelRun& r) const override {
    const auto* const x = reinterpret_cast<const float*>(r.in[0]);
    auto* const y = reinterpret_cast<float*>(r.out[0]);
    if (mean_) return by_planes(r, x, y);
    const Window& w = window_;
    r.workers.each(w.batch * std::ssize(places_), [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u)
        at(x, y, u / std::ssize(places_),
           places_[static_cast<std::size_t>(u % std::ssize(places_))]);
    });
  }

 private:
  struct Place {
    std::int64_t d, h, v, position;
  };

  void by_planes(const KernelRun& r, const float* x, float* y) const {
    const Window& w = window_;
    r.workers.each(w.batch * w.channels, [&](std::int64_t first, std::int64_t last, int) {
      WindowMeanProblem part = problem_;
      part.planes = last - first;
      part.x = x + first * w.in_count();
      part.y = y + first * w.out_count();
      mean_(part);
    });
  }

  // Taps that lie inside the padded input.
  std::int64_t padded_taps(const Place& at) const {
    const Window& w = window_;
    const std::int64_t place[3] = {at.d, at.h, at.v};
    std::int64_t taps = 1;
    for (std::size_t a = 0; a < 3; ++a) {
      std::int64_t inside = 0;
      for (std::int64_t k = 0; k < w.kernel[a]; ++k)
        inside += place[a] * w.strides[a] + k * w.dilations[a] < w.in[a] + w.begin[a] + w.end[a];
      taps *= inside;
    }
    return taps;
  }

  void at(const float* x, float* y, std::int64_t n, const Place& place) const {
    const Window& w = window_;
    for (std::int64_t c = 0; c < w.channels; ++c) {
      if (columns_) {
        y[w.index(n, c, place.position, w.out_count(), w.channels)] =
            activate(activation_, average_by_columns(w, x, n, c, place.h, place.v));
        continue;
      }
      float sum = 0;
      std::int64_t count = 0;
      each_tap(w, place.d, place.h, place.v, [&](std::int64_t from, std::int64_t) {
        sum += x[w.index(n, c, from, w.in_count(), w.channels)];
        ++count;
      });
      if (with_pads_) count = padded_taps(place);
      y[w.index(n, c, place.position, w.out_count(), w.channels)] =
          count == 0 ? 0.0f : activate(activation_, sum / static_cast<float>(count));
    }
  }

  Window window_;
  bool with_pads_, columns_;
  Activation activation_;
  void (*mean_)(const WindowMeanProblem& p) = nullptr;
  WindowMeanProblem problem_;
  std::vector<Place> places_;
};

bool fits(const KernelProblem& p) {
  return p.view.input(0).dtype == DType::f32 && p.view.output(0).dtype == DType::f32 &&
         !p.constants[0] && pool_window(p.view).ok();
}

}  // namespace

extern constinit const Kernel kernel_window_means = {
    .name = "window_means",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "means of floats over windows, each in the arithmetic's order",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<WindowMeans>(p);
    },
};

}  // namespace lockstep
