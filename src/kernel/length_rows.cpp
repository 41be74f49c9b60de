// y = x over the length of its row, in codes, by TFLite's policy (N71)
#include "num/length_rows.h"
#include "kernel/kernel.h"
#include "num/tflite_policies.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"L2Normalization"};

class Lengths : public PreparedKernel {
 public:
  explicit Lengths(const KernelProblem& p) {
    const Value& x = p.view.input(0);
    of_ = {x.shape.empty() ? 1 : x.shape.back(), x.quant.zero_at(0), x.dtype == DType::u8};
    rows_ = count_of(x.shape) / of_.count;
  }
  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    r.workers.each(
        rows_,
        [&](std::int64_t first, std::int64_t last, int) {
          length_rows(of_, r.in[0] + first * of_.count, r.out[0] + first * of_.count, last - first);
        },
        worth_sharing / of_.count + 1);
  }

 private:
  static constexpr std::int64_t worth_sharing = 8192;  // codes of a part
  LengthRows of_;
  std::int64_t rows_ = 0;
};

bool fits(const KernelProblem& p) {
  const Value &x = p.view.input(0), &y = p.view.output(0);
  return !p.constants[0] && is_code(x) && is_code(y) && x.dtype == y.dtype &&
         (x.dtype == DType::i8 || x.dtype == DType::u8) && count_of(x.shape) > 0 &&
         p.num.l2_normalization == &tflite_l2_normalization;
}

}  // namespace

extern constinit const Kernel kernel_length_rows = {
    .name = "length_rows",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "rows of codes over their lengths",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<Lengths>(p);
    },
};

}  // namespace lockstep
