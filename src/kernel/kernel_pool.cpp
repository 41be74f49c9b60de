#include "kernel/kernel_pool.h"

#include <algorithm>
#include <optional>

#include "op/op_codes.h"
#include "op/op_pool.h"

namespace lockstep {

bool byte_wide(const Value& v) {
  return v.dtype == DType::i8 || v.dtype == DType::u8;
}

namespace {

bool greatest_fits(const KernelProblem& p) {
  if (p.view.node.outputs.size() > 1 && p.view.node.outputs[1] != no_id) return false;
  const Value& x = p.view.input(0);
  if (x.dtype != p.view.output(0).dtype || (!byte_wide(x) && x.dtype != DType::f32)) return false;
  if (x.dtype == DType::f32 && activation_of(p.view) != Activation::none) return false;
  const auto w = pool_window(p.view);
  return w.ok() && w->kernel_count() <= 256;
}

class GreatestKernel : public PreparedKernel {
 public:
  GreatestKernel(const KernelProblem& p, const PoolSet& set)
      : w_(*pool_window(p.view)), type_(p.view.input(0).dtype) {
    compute_ = type_ == DType::f32  ? set.greatest_real
               : type_ == DType::i8 ? set.greatest_signed
                                    : set.greatest_unsigned;
    const CodeRange range = code_range(type_);
    clamp_ = {static_cast<std::int32_t>(type_ == DType::f32 ? 0 : range.low),
              static_cast<std::int32_t>(type_ == DType::f32 ? 0 : range.high)};
    if (type_ != DType::f32 && p.view.output(0).quant.quantized()) clamp_ = clamp_of(p.view);
  }
  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    r.workers.each(w_.batch * w_.out[0] * w_.out[1],
                   [&](std::int64_t first, std::int64_t last, int) {
                     for (std::int64_t i = first; i < last; ++i) line(r.in[0], r.out[0], i);
                   });
  }

 private:
  // Output line i. Where all columns of the window lie inside, the taps only move on; by one pixel
  // they are those of as many channels as all such positions have.
  void line(const std::byte* x, std::byte* y, std::int64_t i) const {
    const std::int64_t pixel = w_.channels * static_cast<std::int64_t>(size_of(type_)),
                       step = w_.strides[2] * pixel, oh = i % w_.out[1],
                       od = i / w_.out[1] % w_.out[0], n = i / w_.out[1] / w_.out[0];
    const std::int64_t reach = (w_.kernel[2] - 1) * w_.dilations[2];
    const std::byte* taps[256];
    PoolPosition p{taps, 0, w_.channels, y + i * w_.out[2] * pixel, clamp_.low, clamp_.high};
    bool was_inside = false;
    for (std::int64_t ow = 0, run = 1; ow < w_.out[2]; ow += run, p.out += run * pixel) {
      const std::int64_t left = ow * w_.strides[2] - w_.begin[2];
      const bool inside = left >= 0 && left + reach < w_.in[2];
      if (inside && was_inside) {
        for (std::int64_t t = 0; t < p.count; ++t) taps[t] += step;
      } else {
        p.count = 0;
        each_tap(w_, od, oh, ow, [&](std::int64_t at, std::int64_t) {
          taps[p.count++] = x + (n * w_.in_count() + at) * pixel;
        });
      }
      was_inside = inside;
      run = inside && w_.strides[2] == 1 ? std::min(w_.out[2] - ow, w_.in[2] - left - reach) : 1;
      p.channels = run * w_.channels;
      compute_(p);
    }
  }

  Window w_;
  DType type_;
  CodeClamp clamp_{};
  void (*compute_)(const PoolPosition&) = nullptr;
};

class GlobalAverageKernel : public PreparedKernel {
 public:
  GlobalAverageKernel(const KernelProblem& p, const PoolSet& set)
      : set_(set), policy_(*p.num.global_average) {
    const Value &x = p.view.input(0), &y = p.view.output(0);
    const bool last = p.view.attrs().text("layout", "NCHW") == "NHWC";
    batch_ = x.shape[0];
    channels_ = last ? x.shape.back() : x.shape[1];
    positions_ = count_of(x.shape) / batch_ / channels_;
    signed_ = x.dtype == DType::i8;
    const CodeClamp clamp = clamp_of(p.view);
    scales_ = {x.quant.scale_at(0), y.quant.scale_at(0), x.quant.zero_at(0),
               y.quant.zero_at(0),  clamp.low,           clamp.high};
  }
  std::size_t scratch_bytes(int) const override {
    return static_cast<std::size_t>(channels_) * 4 + kernel_slack;
  }
  void run(const KernelRun& r) const override {
    auto* const sums = reinterpret_cast<std::int32_t*>(r.scratch);
    for (std::int64_t n = 0; n < batch_; ++n) {
      std::fill_n(sums, channels_, 0);
      set_.sum_codes(r.in[0] + n * positions_ * channels_, positions_, channels_, signed_, sums);
      for (std::int64_t c = 0; c < channels_; ++c)
        r.out[0][n * channels_ + c] = static_cast<std::byte>(
            policy_.apply(sums[c], static_cast<std::int32_t>(positions_), scales_));
    }
  }

 private:
  const PoolSet& set_;
  const AveragePolicy& policy_;
  AverageScales scales_{};
  std::int64_t batch_ = 1, channels_ = 1, positions_ = 1;
  bool signed_ = false;
};

}  // namespace

bool pool_fits(const KernelProblem& p) {
  if (p.view.node.op == "MaxPool") return greatest_fits(p);
  if (p.view.node.op == "AveragePool") return average_pool_fits(p);
  return p.num.global_average && p.view.input(0).shape.size() >= 3 && is_code(p.view.input(0)) &&
         is_code(p.view.output(0)) && byte_wide(p.view.input(0)) && byte_wide(p.view.output(0));
}

std::unique_ptr<PreparedKernel> prepare_pool(const KernelProblem& p, const PoolSet& set) {
  if (p.view.node.op == "MaxPool") return std::make_unique<GreatestKernel>(p, set);
  if (p.view.node.op == "AveragePool") return prepare_average_pool(p, set);
  return std::make_unique<GlobalAverageKernel>(p, set);
}

}  // namespace lockstep
