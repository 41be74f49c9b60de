// y_i = exp(beta * (x_i - max x)) / sum_j exp(beta * (x_j - max x)), row by row, by the
// arithmetic's own policy
#include <algorithm>
#include <cmath>
#include <optional>

#include "kernel/kernel.h"
#include "kernel/kernel_transpose.h"
#include "num/softmax_fixed.h"
#include "num/softmax_rows.h"
#include "num/tflite_policies.h"
#include "op/op_codes.h"
#include "op/op_held.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Softmax"};

// `outer` times `inner` rows of `count` elements that lie `inner` apart.
struct Rows {
  std::int64_t outer = 1, count = 1, inner = 1;
};

std::optional<Rows> rows_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const auto rank = static_cast<std::int64_t>(x.size());
  std::int64_t axis = n.attrs().integer("axis", -1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return {};
  const bool flatten = n.attrs().integer("flatten", 0) != 0;
  Rows r;
  for (std::int64_t i = 0; i < rank; ++i)
    (i < axis               ? r.outer
     : i == axis || flatten ? r.count
                            : r.inner) *= x[static_cast<std::size_t>(i)];
  return r;
}

class SoftmaxRows : public PreparedKernel {
 public:
  explicit SoftmaxRows(const KernelProblem& p)
      : rows_(*rows_of(p.view)), reals_(p.num.real.softmax) {
    const Value &x = p.view.input(0), &y = p.view.output(0);
    codes_ = is_code(x);
    if (!codes_) return;
    policy_ = p.num.softmax;
    x_signed_ = x.dtype == DType::i8;
    const CodeRange range = code_range(y.dtype);
    shift_ = held_shift(p.view, y);
    scales_ = {x.quant.scale_at(0),
               y.quant.scale_at(0),
               p.view.attrs().real("beta", 1),
               y.quant.zero_at(0),
               static_cast<std::int32_t>(range.low),
               static_cast<std::int32_t>(range.high),
               static_cast<std::int32_t>(code_range(x.dtype).low)};
    at_once_ = SoftmaxOfCodes::make(*policy_, scales_, x_signed_, rows_.count);
    if (policy_ == &tflite_softmax) fixed_.emplace(scales_);
    scales_.y_zero += shift_, scales_.low += shift_, scales_.high += shift_;
  }

  // Each piece of the work has its own room.
  std::size_t scratch_bytes(int threads) const override {
    return pieces_a_thread * static_cast<std::size_t>(threads) * room();
  }

  void run(const KernelRun& r) const override {
    const auto count = static_cast<std::size_t>(rows_.count);
    if (at_once_) return run_at_once(r);
    r.workers.each(rows_.outer * rows_.inner, [&](std::int64_t begin, std::int64_t end, int piece) {
      std::byte* const room_of_piece = r.scratch + static_cast<std::size_t>(piece) * room();
      for (std::int64_t u = begin; u < end; ++u) {
        const auto first =
            static_cast<std::size_t>(u / rows_.inner * rows_.count * rows_.inner + u % rows_.inner);
        if (fixed_)
          fixed_->row(r.in[0] + first, r.out[0] + first, rows_.count, rows_.inner, x_signed_);
        else if (codes_)
          row_of_codes(r, first, {reinterpret_cast<std::int32_t*>(room_of_piece), 2 * count});
        else
          row_of_reals(r, first, {reinterpret_cast<float*>(room_of_piece), 2 * count});
      }
    });
  }

 private:
  static constexpr std::size_t pieces_a_thread = 4;  // Workers::each

  std::size_t room() const {
    const std::size_t turned = rows_.inner > 1 ? matrix() * 2 : 0;
    const std::size_t bytes =
        at_once_ ? at_once_->room() * 4 + turned : static_cast<std::size_t>(rows_.count) * 8;
    return (bytes + 63) / 64 * 64;
  }
  std::size_t matrix() const {
    return (static_cast<std::size_t>(rows_.count * rows_.inner) + 63) / 64 * 64;
  }

  // Rows whose elements do not lie together are brought together and back.
  void run_at_once(const KernelRun& r) const {
    const std::int64_t count = rows_.count, inner = rows_.inner;
    r.workers.each(inner > 1 ? rows_.outer : (rows_.outer + 3) / 4,
                   [&](std::int64_t begin, std::int64_t end, int piece) {
                     std::byte* const of_piece =
                         r.scratch + static_cast<std::size_t>(piece) * room();
                     if (inner == 1) {
                       const std::int64_t first = begin * 4, last = std::min(end * 4, rows_.outer);
                       return at_once_->run(r.in[0] + first * count, r.out[0] + first * count,
                                            last - first, reinterpret_cast<float*>(of_piece));
                     }
                     std::byte *const x = of_piece + at_once_->room() * 4, *const y = x + matrix();
                     for (std::int64_t o = begin; o < end; ++o) {
                       transpose(r.in[0] + o * count * inner, x, count, inner, 1);
                       at_once_->run(x, y, inner, reinterpret_cast<float*>(of_piece));
                       transpose(y, r.out[0] + o * count * inner, inner, count, 1);
                     }
                   });
  }

  void row_of_codes(const KernelRun& r, std::size_t first, std::span<std::int32_t> room) const {
    const std::size_t count = room.size() / 2, step = static_cast<std::size_t>(rows_.inner);
    const auto x = room.first(count), y = room.last(count);
    for (std::size_t k = 0; k < count; ++k) {
      const std::byte b = r.in[0][first + k * step];
      x[k] = x_signed_ ? std::int32_t{static_cast<std::int8_t>(b)}
                       : std::int32_t{static_cast<std::uint8_t>(b)};
    }
    policy_->apply(x, y, scales_);
    for (std::size_t k = 0; k < count; ++k)
      r.out[0][first + k * step] = static_cast<std::byte>(y[k] - shift_);
  }

  void row_of_reals(const KernelRun& r, std::size_t first, std::span<float> room) const {
    const std::size_t count = room.size() / 2, step = static_cast<std::size_t>(rows_.inner);
    const auto x = room.first(count), y = room.last(count);
    const auto* const in = reinterpret_cast<const float*>(r.in[0]) + first;
    auto* const out = reinterpret_cast<float*>(r.out[0]) + first;
    for (std::size_t k = 0; k < count; ++k) x[k] = in[k * step];
    if (reals_) {
      reals_(x, y);
    } else {
      const float greatest = std::ranges::max(x);
      float sum = 0;
      for (std::size_t k = 0; k < count; ++k) sum += y[k] = std::exp(x[k] - greatest);
      for (float& v : y) v /= sum;
    }
    for (std::size_t k = 0; k < count; ++k) out[k * step] = y[k];
  }

  Rows rows_;
  void (*reals_)(std::span<const float>, std::span<float>);
  const SoftmaxPolicy* policy_ = nullptr;
  SoftmaxScales scales_{};
  std::int32_t shift_ = 0;  // of the codes of y as the runtime holds them
  std::optional<SoftmaxOfCodes> at_once_;
  std::optional<FixedSoftmax> fixed_;
  bool codes_ = false, x_signed_ = false;
};

bool fits(const KernelProblem& p) {
  const Value &x = p.view.input(0), &y = p.view.output(0);
  const auto rows = rows_of(p.view);
  if (p.constants[0] || !rows || count_of(x.shape) == 0) return false;
  const auto byte_wide = [](const Value& v) {
    return is_code(v) && (v.dtype == DType::i8 || v.dtype == DType::u8);
  };
  if (byte_wide(x) && byte_wide(y)) return p.num.softmax != nullptr;
  return x.dtype == DType::f32 && y.dtype == DType::f32 && p.view.attrs().real("beta", 1) == 1;
}

}  // namespace

extern constinit const Kernel kernel_softmax_rows = {
    .name = "softmax_rows",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "softmax of codes and reals, row by row by the arithmetic's own policy",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<SoftmaxRows>(p);
    },
};

}  // namespace lockstep
