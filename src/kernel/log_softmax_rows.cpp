// y = x - ln(sum of e^x), row by row of codes, by LiteRT's policy (N89)
#include <algorithm>

#include "kernel/kernel.h"
#include "num/softmax_rows.h"
#include "num/xnnpack.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"LogSoftmax"};

bool is_byte(const Value& v) {
  return is_code(v) && (v.dtype == DType::i8 || v.dtype == DType::u8);
}

class LogSoftmaxRows : public PreparedKernel {
 public:
  explicit LogSoftmaxRows(const KernelProblem& p)
      : count_(p.view.input(0).shape.back()), rows_(count_of(p.view.input(0).shape) / count_) {
    const Value &x = p.view.input(0), &y = p.view.output(0);
    const CodeRange range = code_range(y.dtype);
    const SoftmaxScales s{x.quant.scale_at(0),
                          y.quant.scale_at(0),
                          1,
                          y.quant.zero_at(0),
                          static_cast<std::int32_t>(range.low),
                          static_cast<std::int32_t>(range.high),
                          static_cast<std::int32_t>(code_range(x.dtype).low)};
    all_ = SoftmaxOfCodes::make(*p.num.log_softmax, s, x.dtype == DType::i8, count_);
  }
  bool is_ready() const { return all_.has_value(); }

  std::size_t scratch_bytes(int threads) const override {
    return pieces_a_thread * static_cast<std::size_t>(threads) * room();
  }
  void run(const KernelRun& r) const override {
    r.workers.each(
        (rows_ + at_once - 1) / at_once, [&](std::int64_t begin, std::int64_t end, int piece) {
          const std::int64_t first = begin * at_once, last = std::min(end * at_once, rows_);
          all_->run(r.in[0] + first * count_, r.out[0] + first * count_, last - first,
                    reinterpret_cast<float*>(r.scratch + static_cast<std::size_t>(piece) * room()));
        });
  }

 private:
  static constexpr std::size_t pieces_a_thread = 4;  // Workers::each
  static constexpr std::int64_t at_once = 4;
  std::size_t room() const { return (all_->room() * 4 + 63) / 64 * 64; }

  std::int64_t count_, rows_;
  std::optional<SoftmaxOfCodes> all_;
};

bool fits(const KernelProblem& p) {
  const Value &x = p.view.input(0), &y = p.view.output(0);
  return !p.constants[0] && is_byte(x) && is_byte(y) && p.num.log_softmax == &litert_log_softmax &&
         !x.shape.empty() && count_of(x.shape) > 0 && p.view.attrs().integer("axis", -1) == -1 &&
         LogSoftmaxRows(p).is_ready();
}

}  // namespace

extern constinit const Kernel kernel_log_softmax_rows = {
    .name = "log_softmax_rows",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "logarithms of softmax of codes, row by row",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<LogSoftmaxRows>(p);
    },
};

}  // namespace lockstep
