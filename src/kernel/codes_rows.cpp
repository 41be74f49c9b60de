// y = policy(a, b) on codes that are spread against each other, one by one by the arithmetic's own
// policy
#include <algorithm>

#include "kernel/kernel.h"
#include "kernel/kernel_spread.h"
#include "num/litert_sums.h"
#include "op/op_binary.h"
#include "op/op_codes.h"
#include "op/op_held.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Add", "Div", "Mul", "PRelu", "SquaredDifference", "Sub"};

const BinaryPolicy* policy_of(const KernelProblem& p) {
  const std::string_view op = p.view.node.op;
  return op == "Add"     ? p.num.add
         : op == "Div"   ? p.num.div
         : op == "Mul"   ? p.num.mul
         : op == "PRelu" ? p.num.prelu
         : op == "Sub"   ? p.num.sub
                         : p.num.squared_difference;
}

std::int32_t code_at(const std::byte* p, std::int64_t i, bool is_signed) {
  return is_signed ? std::int32_t{static_cast<std::int8_t>(p[i])}
                   : std::int32_t{static_cast<std::uint8_t>(p[i])};
}

class CodesRows : public PreparedKernel {
 public:
  explicit CodesRows(const KernelProblem& p) : policy_(policy_of(p)) {
    const Value &a = p.view.input(0), &b = p.view.input(1), &y = p.view.output(0);
    a_shift_ = held_shift(p.view, a), b_shift_ = held_shift(p.view, b),
    y_shift_ = held_shift(p.view, y);
    state_ = policy_->prepare(binary_scales(p.view));
    a_signed_ = a.dtype == DType::i8;
    b_signed_ = b.dtype == DType::i8;
    wide_ = y.dtype == DType::i16;
    if (p.constants[0])
      fixed_a_.assign(p.constants[0]->bytes().begin(), p.constants[0]->bytes().end());
    if (p.constants[1])
      fixed_b_.assign(p.constants[1]->bytes().begin(), p.constants[1]->bytes().end());
    for (const bool last : {false, true})
      spread_[last] = spread_of(y.shape, a.shape, last && fixed_a_.empty(), b.shape,
                                last && fixed_b_.empty(), last);
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    const Spread& s = spread_[r.channels_last];
    const std::byte* const a = fixed_a_.empty() ? r.in[0] : fixed_a_.data();
    const std::byte* const b = fixed_b_.empty() ? r.in[1] : fixed_b_.data();
    const std::size_t inner = s.axes - 1;
    std::int64_t rows = 1;
    for (std::size_t d = 0; d < inner; ++d) rows *= s.extent[d];
    r.workers.each(rows, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) {
        std::int64_t row = u, ia = 0, ib = 0;
        for (std::size_t d = inner; d-- > 0; row /= s.extent[d]) {
          ia += row % s.extent[d] * s.a[d];
          ib += row % s.extent[d] * s.b[d];
        }
        const Line line{ia, ib, s.a[inner], s.b[inner], u * s.extent[inner], s.extent[inner]};
        wide_ ? words(a, b, r.out[0], line) : bytes(a, b, r.out[0], line);
      }
    });
  }

 private:
  // Elements: where the operands and y stand, and how the operands move.
  struct Line {
    std::int64_t a, b, a_step, b_step, y, count;
  };
  void bytes(const std::byte* a, const std::byte* b, std::byte* y, const Line& l) const {
    for (std::int64_t i = 0; i < l.count; ++i)
      y[l.y + i] = static_cast<std::byte>(
          policy_->apply(code_at(a, l.a + i * l.a_step, a_signed_) + a_shift_,
                         code_at(b, l.b + i * l.b_step, b_signed_) + b_shift_, state_) -
          y_shift_);
  }
  void words(const std::byte* a, const std::byte* b, std::byte* y, const Line& l) const {
    const auto *const left = reinterpret_cast<const std::int16_t*>(a) + l.a,
                      *const right = reinterpret_cast<const std::int16_t*>(b) + l.b;
    auto* const out = reinterpret_cast<std::int16_t*>(y) + l.y;
    for (std::int64_t i = 0; i < l.count; ++i)
      out[i] = static_cast<std::int16_t>(
          policy_->apply(left[i * l.a_step], right[i * l.b_step], state_));
  }

  const BinaryPolicy* policy_;
  BinaryState state_;
  std::int32_t a_shift_ = 0, b_shift_ = 0, y_shift_ = 0;
  bool a_signed_ = false, b_signed_ = false, wide_ = false;
  std::vector<std::byte> fixed_a_, fixed_b_;
  Spread spread_[2];
};

// Sums that differ by their place in a row (N110).
bool has_vectors(const KernelProblem& p) {
  const BinaryPolicy& policy = *policy_of(p);
  const BinaryState state = policy.prepare(binary_scales(p.view));
  return sums_by_rows(policy, state) && sum_rows(state, p.view.output(0).dtype == DType::u8,
                                                 p.view.input(0).shape, p.view.input(1).shape)
                                                .whole > 0;
}

bool fits(const KernelProblem& p) {
  const auto byte_wide = [](const Value& v) {
    return is_code(v) && (v.dtype == DType::i8 || v.dtype == DType::u8);
  };
  const auto word_wide = [](const Value& v) { return is_code(v) && v.dtype == DType::i16; };
  const Value &a = p.view.input(0), &b = p.view.input(1), &y = p.view.output(0);
  return ((byte_wide(a) && byte_wide(b) && byte_wide(y)) ||
          (word_wide(a) && word_wide(b) && word_wide(y))) &&
         y.shape.size() <= most_axes && count_of(y.shape) > 0 && policy_of(p) &&
         (!p.constants[0] || !p.constants[1]) && !has_vectors(p);
}

}  // namespace

extern constinit const Kernel kernel_codes_rows = {
    .name = "codes_rows",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "two operands in codes, spread against each other, one by one",
    .order = Order::any,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<CodesRows>(p);
    },
};

}  // namespace lockstep
