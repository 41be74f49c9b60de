// y = (x - zero) * scale, scale and zero point one for all or one for each index of an axis
#include <algorithm>
#include <cstring>

#include "kernel/kernel.h"
#include "num/ort_codes.h"
#include "num/xnnpack.h"
#include "op/op_quantization.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"DequantizeLinear"};

struct Rows {
  std::int64_t outer = 1, extent = 1, inner = 1;
};

std::optional<Rows> rows_of(const KernelProblem& p) {
  const Shape& x = p.view.input(0).shape;
  const auto layout = scale_layout(p.view, x, p.view.input(1).shape);
  if (!layout.ok() || layout->block != 0 || count_of(x) == 0) return {};
  if (layout->axis < 0) return Rows{1, 1, count_of(x)};
  return Rows{count_of(x) / (layout->extent * layout->inner), layout->extent, layout->inner};
}

class DequantizeRows : public PreparedKernel {
 public:
  explicit DequantizeRows(const KernelProblem& p)
      : rows_(*rows_of(p)),
        type_(p.view.input(0).dtype),
        policy_(quantize_policy(p.num)),
        product_(policy_.dequantize == ort_quantize.dequantize ||
                 policy_.dequantize == xnnpack_quantize.dequantize) {
    const Tensor* const zero = p.view.has_input(2) ? p.constants[2] : nullptr;
    for (std::int64_t i = 0; i < rows_.extent; ++i) {
      scale_.push_back(p.constants[1]->as<float>()[static_cast<std::size_t>(i)]);
      zero_.push_back(zero ? static_cast<std::int32_t>(zero->code(zero->count() > 1 ? i : 0)) : 0);
    }
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    if (type_ == DType::i8)
      all<std::int8_t>(r);
    else if (type_ == DType::u8)
      all<std::uint8_t>(r);
    else if (type_ == DType::i16)
      all<std::int16_t>(r);
    else if (type_ == DType::u16)
      all<std::uint16_t>(r);
    else
      all<std::int32_t>(r);
  }

 private:
  static constexpr std::int64_t piece = 8192;

  template <class T>
  void all(const KernelRun& r) const {
    const auto* const x = reinterpret_cast<const T*>(r.in[0]);
    auto* const y = reinterpret_cast<float*>(r.out[0]);
    if (rows_.outer * rows_.extent == 1) return one_row(x, y, r.workers);
    r.workers.each(rows_.outer * rows_.extent, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) {
        const auto c = static_cast<std::size_t>(u % rows_.extent);
        row(x + u * rows_.inner, y + u * rows_.inner, rows_.inner, scale_[c], zero_[c]);
      }
    });
  }

  // In pieces, for several threads.
  template <class T>
  void one_row(const T* x, float* y, Workers& workers) const {
    workers.each((rows_.inner + piece - 1) / piece,
                 [&](std::int64_t first, std::int64_t last, int) {
                   row(x + first * piece, y + first * piece,
                       std::min(rows_.inner, last * piece) - first * piece, scale_[0], zero_[0]);
                 });
  }

  template <class T>
  void row(const T* x, float* y, std::int64_t n, float scale, std::int32_t zero) const {
    if (product_ && sizeof(T) <= 2)  // N21
      for (std::int64_t i = 0; i < n; ++i)
        y[i] = static_cast<float>(static_cast<std::int32_t>(x[i]) - zero) * scale;
    else
      for (std::int64_t i = 0; i < n; ++i)
        y[i] = policy_.dequantize(static_cast<std::int32_t>(x[i]), scale, zero);
  }

  Rows rows_;
  DType type_;
  const QuantizePolicy& policy_;
  bool product_;
  std::vector<float> scale_;
  std::vector<std::int32_t> zero_;
};

bool fits(const KernelProblem& p) {
  const Value& x = p.view.input(0);
  if (p.constants[0] || p.view.output(0).dtype != DType::f32) return false;
  if (x.dtype != DType::i8 && x.dtype != DType::u8 && x.dtype != DType::i16 &&
      x.dtype != DType::u16 && x.dtype != DType::i32)
    return false;
  if (!p.constants[1] || p.view.input(1).dtype != DType::f32) return false;
  if (p.view.has_input(2) && !p.constants[2]) return false;
  const auto rows = rows_of(p);
  return rows && p.constants[1]->count() >= rows->extent &&
         (!p.view.has_input(2) || p.constants[2]->count() == 1 ||
          p.constants[2]->count() >= rows->extent);
}

}  // namespace

extern constinit const Kernel kernel_dequantize_rows = {
    .name = "dequantize_rows",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "reals of codes whose scale may differ along an axis",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<DequantizeRows>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
