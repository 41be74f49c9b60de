// y = the greatest of x over the axes, in codes or reals
#include <algorithm>
#include <cstring>

#include "kernel/kernel.h"
#include "kernel/kernel_spread.h"
#include "op/op_reduce.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"ReduceMax"};

class ReduceGreatest : public PreparedKernel {
 public:
  explicit ReduceGreatest(const KernelProblem& p)
      : type_(p.view.input(0).dtype), count_(count_of(p.view.output(0).shape)) {
    const Reduction r = *reduction_of(p.view);
    const Shape& x = p.view.input(0).shape;
    const Shape steps = strides_of(r.kept);
    for (std::size_t d = 0; d < x.size(); ++d, ++axes_) {
      extent_[d] = x[d];
      step_[d] = r.reduced[d] ? 0 : steps[d];
    }
    elements_ = count_of(x);
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    if (type_ == DType::i8)
      over<std::int8_t>(r);
    else
      over<std::uint8_t>(r);
  }

 private:
  template <class T>
  void over(const KernelRun& r) const {
    const auto* const x = reinterpret_cast<const T*>(r.in[0]);
    auto* const y = reinterpret_cast<T*>(r.out[0]);
    std::fill_n(y, count_, std::numeric_limits<T>::lowest());
    std::int64_t index[most_axes] = {}, to = 0;
    // The innermost axis is a run: of outputs that lie together, or of one.
    const std::size_t inner = axes_ - 1;
    const std::int64_t run = extent_[inner];
    for (std::int64_t i = 0; i < elements_; i += run) {
      if (step_[inner] == 0)
        for (std::int64_t k = 0; k < run; ++k) y[to] = std::max(y[to], x[i + k]);
      else
        for (std::int64_t k = 0; k < run; ++k) y[to + k] = std::max(y[to + k], x[i + k]);
      for (std::size_t d = inner; d-- > 0;) {
        to += step_[d];
        if (++index[d] < extent_[d]) break;
        to -= step_[d] * extent_[d];
        index[d] = 0;
      }
    }
  }

  DType type_;
  std::int64_t count_, elements_ = 0, extent_[most_axes] = {}, step_[most_axes] = {};
  std::size_t axes_ = 0;
};

bool fits(const KernelProblem& p) {
  const Value& x = p.view.input(0);
  if (p.constants[0] || (x.dtype != DType::i8 && x.dtype != DType::u8)) return false;
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
    .meaning = "the greatest code over axes",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<ReduceGreatest>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
