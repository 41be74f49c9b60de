#include "kernel/kernel_dot.h"

#include <algorithm>
#include <cstring>

#include "kernel/kernel_dot_driver.h"
#include "kernel/kernel_products.h"
#include "kernel/kernel_recurrent_codes.h"
#include "kernel/kernel_transposed.h"
#include "kernel/kernel_wide_sums.h"
#include "num/fixed.h"

namespace lockstep {
namespace {

class DotKernel : public PreparedKernel {
 public:
  DotKernel(const KernelProblem& p, const DotSet& set)
      : driver_(*dot_problem(p, true, set.wide), set) {}

  std::size_t scratch_bytes(int threads) const override {
    const DotShare share = driver_.share(threads);
    const std::size_t whole = layout().stage.scratch_bytes();
    if (!driver_.stages_itself(share)) return whole;
    return static_cast<std::size_t>(room_before(share, share.parts())) + whole;
  }
  std::size_t resident_bytes() const override { return layout().packed_bytes; }

  void run(const KernelRun& r) const override {
    const Stage& stage = layout().stage;
    const DotShare share = driver_.share(r.workers.threads());
    if (driver_.stages_itself(share)) {
      r.workers.each(share.parts(), [&](std::int64_t first, std::int64_t last, int) {
        for (std::int64_t i = first; i < last;) i = run_staged(share, i, last, r);
      });
      return;
    }
    if (stage.needed)
      r.workers.each(
          stage.parts(),
          [&](std::int64_t first, std::int64_t last, int) {
            stage.run(r.in[0], r.scratch, first, last);
          },
          stage.least_parts());
    const DotOperands o = operands(stage.needed ? r.scratch : r.in[0], r);
    r.workers.each(share.parts(), [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t i = first; i < last; ++i) driver_.part(share, i, o);
    });
  }

 private:
  DotOperands operands(const std::byte* x, const KernelRun& r) const {
    return {x, layout().weights(), layout().d.finish.bias.data(),
            layout().common.empty() ? nullptr : layout().common.data(), r.out[0]};
  }

  // Each run of channels stages the whole input in the end, each part some lines of its neighbour.
  std::int64_t room_before(const DotShare& s, std::int64_t part) const {
    return part / s.rows * layout().stage.bytes + part * driver_.own_room();
  }

  // Parts from `first` on that have their channels in common: what they read is staged once, where
  // no other thread writes. Returns the part after them.
  std::int64_t run_staged(const DotShare& share, std::int64_t first, std::int64_t last,
                          const KernelRun& r) const {
    const Stage& stage = layout().stage;
    const std::int64_t before = first / share.rows * share.rows,
                       end = std::min(last, before + share.rows);
    const DotDriver::Reach lines = driver_.reach(share, first - before, end - before);
    std::byte* const x = r.scratch + room_before(share, first);
    if (layout().flat)
      stage.run_pixels(r.in[0], x, lines.first, lines.last);
    else
      stage.run_lines(r.in[0], x, lines.first, lines.last);
    const DotOperands o = operands(x, r);
    for (std::int64_t i = first; i < end; ++i) driver_.part(share, i, o);
    return end;
  }

  const DotLayout& layout() const { return driver_.layout(); }
  const DotDriver driver_;
};

}  // namespace

void finish_sum(const DotFinish& f, std::size_t channel, std::int32_t acc, DType type,
                std::byte* y) {
  if (type == DType::f32) {
    const float real = f.to_real(acc, f.alpha, f.x_scale, f.w_scale[channel]);
    std::memcpy(y, &real, 4);
    return;
  }
  const Rescale& r = f.rescale[channel];
  const std::int32_t scaled = f.wide ? f.policy->apply_wide(acc, r) : f.policy->apply(acc, r);
  const auto code =
      static_cast<std::int16_t>(clamp_code(std::int64_t{scaled} + f.y_zero, f.low, f.high));
  std::memcpy(y, &code, size_of(type));
}

// Of 16-bit codes; sums that the runtime itself keeps in 32 bits wrap here as there.
static bool in_one_part(const KernelProblem& p) {
  const auto d = dot_problem(p, true, true);
  return d && (!d->finish.wide || sums_fit(*d));
}

bool dot_fits(const KernelProblem& p, const DotSet& set) {
  if (p.view.node.op == "ConvTranspose") return transposed_fits(p, set);
  if (p.view.node.op == "SequenceLstm") return lstm_codes_fits(p);
  if (p.view.node.op == "Svdf") return svdf_codes_fits(p);
  if (set.wide) return in_one_part(p) || wide_sums_fit(p);
  return dot_problem(p, false) || computed_product(p);
}

std::unique_ptr<PreparedKernel> prepare_dot(const KernelProblem& p, const DotSet& set) {
  if (p.view.node.op == "ConvTranspose") return prepare_transposed(p, set);
  if (p.view.node.op == "SequenceLstm") return prepare_lstm_codes(p, set);
  if (p.view.node.op == "Svdf") return prepare_svdf_codes(p, set);
  if (set.wide && !in_one_part(p)) return prepare_wide_sums(p, set);
  if (dot_problem(p, false, set.wide)) return std::make_unique<DotKernel>(p, set);
  return prepare_products(p, set);
}

}  // namespace lockstep
