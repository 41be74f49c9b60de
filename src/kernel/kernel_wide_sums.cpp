#include "kernel/kernel_wide_sums.h"

#include <algorithm>

#include "kernel/kernel_wide_parts.h"
#include "kernel/kernel_wide_products.h"

namespace lockstep {
namespace {

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

}  // namespace

bool wide_sums_fit(const KernelProblem& p) {
  if (p.view.node.op == "MatMul") return wide_products_fit(p);
  const auto d = dot_problem(p, false, true);
  return d && d->finish.wide && d->group == 1 && d->y == DType::i16 &&
         d->window.kernel_count() <= products_of(most_weight(p));
}

std::unique_ptr<PreparedKernel> prepare_wide_sums(const KernelProblem& p, const DotSet& set) {
  if (p.view.node.op == "MatMul") return prepare_wide_products(p, set);
  return std::make_unique<DeepKernel>(p, set);
}

}  // namespace lockstep
