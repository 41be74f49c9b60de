#include "kernel/kernel_pool.h"

#include <algorithm>
#include <optional>

#include "num/average_rows.h"
#include "num/ort_codes.h"
#include "op/op_codes.h"
#include "op/op_pool.h"

namespace lockstep {
namespace {

bool byte_wide(const Value& v) {
  return v.dtype == DType::i8 || v.dtype == DType::u8;
}

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
  // Output line i. Where all columns of the window lie inside, the taps only move on.
  void line(const std::byte* x, std::byte* y, std::int64_t i) const {
    const std::int64_t pixel = w_.channels * static_cast<std::int64_t>(size_of(type_)),
                       step = w_.strides[2] * pixel, oh = i % w_.out[1],
                       od = i / w_.out[1] % w_.out[0], n = i / w_.out[1] / w_.out[0];
    const std::int64_t reach = (w_.kernel[2] - 1) * w_.dilations[2];
    const std::byte* taps[256];
    PoolPosition p{taps, 0, w_.channels, y + i * w_.out[2] * pixel, clamp_.low, clamp_.high};
    bool was_inside = false;
    for (std::int64_t ow = 0; ow < w_.out[2]; ++ow, p.out += pixel) {
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
      compute_(p);
    }
  }

  Window w_;
  DType type_;
  CodeClamp clamp_{};
  void (*compute_)(const PoolPosition&) = nullptr;
};

constexpr std::int64_t most_channels = 4096;  // whose sums stand on the stack

bool average_fits(const KernelProblem& p) {
  const Value &x = p.view.input(0), &y = p.view.output(0);
  if (!p.num.average || (p.num.average->window && p.num.average != &ort_average) ||
      !p.num.average->apply || !is_code(x) || !is_code(y) || !byte_wide(x) || !byte_wide(y))
    return false;
  if (p.view.attrs().integer("count_include_pad", 0) != 0 ||
      (!p.num.average->window && !p.view.attrs().text("codes", "").empty()))
    return false;
  const auto w = pool_window(p.view);
  return w.ok() && w->channels <= most_channels;
}

// Averages of codes: sums in integers where their order in a window does not count, else in reals.
class AverageKernel : public PreparedKernel {
 public:
  AverageKernel(const KernelProblem& p, const PoolSet& set)
      : set_(set),
        policy_(*p.num.average),
        w_(*pool_window(p.view)),
        signed_(p.view.input(0).dtype == DType::i8) {
    const Value &x = p.view.input(0), &y = p.view.output(0);
    const CodeClamp clamp = clamp_of(p.view);
    scales_ = {x.quant.scale_at(0), y.quant.scale_at(0), x.quant.zero_at(0),
               y.quant.zero_at(0),  clamp.low,           clamp.high};
    in_reals_ = {signed_, scales_, p.view.attrs().text("codes", "") == "unsigned" ? 128 : 0};
    for (std::int32_t* const code :
         {&in_reals_.scales.y_zero, &in_reals_.scales.low, &in_reals_.scales.high})
      *code += in_reals_.shift;
  }
  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    r.workers.each(w_.batch * w_.out[0] * w_.out[1], [&](std::int64_t first, std::int64_t last,
                                                         int) {
      std::int32_t sums[most_channels + 16];
      float reals[most_channels];
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t oh = i % w_.out[1], od = i / w_.out[1] % w_.out[0],
                           n = i / w_.out[1] / w_.out[0];
        for (std::int64_t ow = 0; ow < w_.out[2]; ++ow) {
          std::byte* const out = r.out[0] + (i * w_.out[2] + ow) * w_.channels;
          std::int32_t count = 0;
          if (policy_.window) {
            std::fill_n(reals, w_.channels, 0.0f);
            each_tap(w_, od, oh, ow, [&](std::int64_t at, std::int64_t) {
              in_reals_.add(r.in[0] + (n * w_.in_count() + at) * w_.channels, w_.channels, reals);
              ++count;
            });
            in_reals_.finish(reals, count, w_.channels, out);
            continue;
          }
          std::fill_n(sums, w_.channels, 0);
          each_tap(w_, od, oh, ow, [&](std::int64_t at, std::int64_t) {
            set_.sum_codes(r.in[0] + (n * w_.in_count() + at) * w_.channels, 1, w_.channels,
                           signed_, sums);
            ++count;
          });
          for (std::int64_t c = 0; c < w_.channels; ++c)
            out[c] = static_cast<std::byte>(count == 0 ? scales_.y_zero
                                                       : policy_.apply(sums[c], count, scales_));
        }
      }
    });
  }

 private:
  const PoolSet& set_;
  const AveragePolicy& policy_;
  Window w_;
  bool signed_;
  AverageScales scales_{};
  AverageOfReals in_reals_{};
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
  if (p.view.node.op == "AveragePool") return average_fits(p);
  return p.num.global_average && p.view.input(0).shape.size() >= 3 && is_code(p.view.input(0)) &&
         is_code(p.view.output(0)) && byte_wide(p.view.input(0)) && byte_wide(p.view.output(0));
}

std::unique_ptr<PreparedKernel> prepare_pool(const KernelProblem& p, const PoolSet& set) {
  if (p.view.node.op == "MaxPool") return std::make_unique<GreatestKernel>(p, set);
  if (p.view.node.op == "AveragePool") return std::make_unique<AverageKernel>(p, set);
  return std::make_unique<GlobalAverageKernel>(p, set);
}

}  // namespace lockstep
