// y = clamp(half_even(x / scale) + zero), codes of 16 bits
#include <algorithm>

#include "kernel/kernel.h"
#include "num/litert_quantize.h"
#include "num/ort_codes.h"
#include "num/ort_rows.h"
#include "op/op_quantization.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"QuantizeLinear"};
constexpr std::int64_t piece = 8192;

class QuantizeWide : public PreparedKernel {
 public:
  explicit QuantizeWide(const KernelProblem& p)
      : policy_(quantize_policy(p.num)), count_(count_of(p.view.output(0).shape)) {
    const CodeRange range = code_range(p.view.output(0).dtype);
    to_.scale = p.constants[1]->as<float>()[0];
    to_.zero = p.view.has_input(2) ? static_cast<std::int32_t>(p.constants[2]->code(0)) : 0;
    to_.low = static_cast<std::int32_t>(range.low);
    to_.high = static_cast<std::int32_t>(range.high);
    const Value& y = p.view.output(0);
    left_ = left_by_vectors(policy_, y.dtype == DType::i16, count_);
    if (y.shape.size() > 2) {
      channels_ = y.shape[1];
      positions_ = count_of(Shape(y.shape.begin() + 2, y.shape.end()));
    }
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    const auto* const x = reinterpret_cast<const float*>(r.in[0]);
    auto* const y = reinterpret_cast<std::uint16_t*>(r.out[0]);
    r.workers.each((count_ + piece - 1) / piece, [&](std::int64_t first, std::int64_t last, int) {
      const std::int64_t from = first * piece, to = std::min(count_, last * piece);
      if (policy_.quantize == ort_quantize.quantize)
        return ort_quantize_row(x + from, to_, y + from, to - from);
      for (std::int64_t i = from; i < to; ++i)
        y[i] = static_cast<std::uint16_t>(
            policy_.quantize(x[i], to_.scale, to_.zero, to_.low, to_.high));
    });
    for (std::int64_t i = count_ - left_; i < count_; ++i) {
      const std::int64_t at = r.channels_last ? place(i) : i;
      y[at] =
          static_cast<std::uint16_t>(quantize_left(x[at], to_.scale, to_.zero, to_.low, to_.high));
    }
  }

 private:
  // Where an element of the file's order lies when channels are last.
  std::int64_t place(std::int64_t i) const {
    const std::int64_t line = i / positions_;
    return (line / channels_ * positions_ + i % positions_) * channels_ + line % channels_;
  }

  const QuantizePolicy& policy_;
  std::int64_t count_, left_ = 0, channels_ = 1, positions_ = 1;
  WideCodes to_{};
};

bool fits(const KernelProblem& p) {
  const DType y = p.view.output(0).dtype;
  if (p.constants[0] || p.view.input(0).dtype != DType::f32 || (y != DType::i16 && y != DType::u16))
    return false;
  if (!p.constants[1] || p.constants[1]->dtype() != DType::f32 || p.constants[1]->count() != 1)
    return false;
  return count_of(p.view.output(0).shape) > 0 &&
         (!p.view.has_input(2) || (p.constants[2] && p.constants[2]->count() == 1));
}

}  // namespace

extern constinit const Kernel kernel_quantize_wide = {
    .name = "quantize_wide",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "16-bit codes from reals",
    .order = Order::any,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<QuantizeWide>(p);
    },
};

}  // namespace lockstep
