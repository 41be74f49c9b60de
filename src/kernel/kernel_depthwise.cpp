#include "kernel/kernel_depthwise.h"

#include <algorithm>
#include <numeric>

namespace lockstep {
namespace {

class DepthwiseKernel : public PreparedKernel {
 public:
  DepthwiseKernel(const KernelProblem& p, const DepthwiseSet& set)
      : set_(set), d_(*dot_problem(p, true)) {
    const Window& w = d_.window;
    stage_ = Stage::of(w, d_.x, d_.x_zero, false, set.stage);
    lay_out_line();
    list_taps();
    pack();
    line_.y_signed = d_.y == DType::i8;
    line_.y_zero = d_.finish.y_zero;
    line_.low = d_.finish.low;
    line_.high = d_.finish.high;
    d_.w = {};
  }

  std::size_t scratch_bytes(int) const override { return stage_.scratch_bytes(); }
  std::size_t resident_bytes() const override { return packed_.size(); }

  void run(const KernelRun& r) const override {
    const std::byte* x = r.in[0];
    if (stage_.needed) {
      r.workers.each(stage_.parts(), [&](std::int64_t first, std::int64_t last, int) {
        stage_.run(r.in[0], r.scratch, first, last);
      });
      x = r.scratch;
    }
    const Window& w = d_.window;
    const auto compute = set_.line[d_.finish.form == RequantForm::float_nearest ? 0 : 1][join_log_];
    r.workers.each(w.batch * w.out[0] * w.out[1], [&](std::int64_t first, std::int64_t last, int) {
      DepthwiseLine line = line_;
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t oh = i % w.out[1], od = i / w.out[1] % w.out[0],
                           n = i / w.out[1] / w.out[0];
        line.x = x + n * stage_.extent[0] * stage_.plane + od * w.strides[0] * stage_.plane +
                 oh * w.strides[1] * stage_.row;
        line.out = r.out[0] + i * w.out[2] * w.channels;
        compute(line);
      }
    });
  }

 private:
  void lay_out_line() {
    const std::int64_t c = d_.window.channels, stride = d_.window.strides[2],
                       width = d_.window.out[2];
    if (stride == 1) {  // the whole line is one run of bytes
      line_.blocks = c / std::gcd(c, set_.bytes);
      line_.pixels = 1;
      line_.pixel_bytes = width * c;
      line_.last_join = 1;
    } else {
      // Joined runs read beyond the line by less than kernel_slack.
      const std::int64_t join = stride > 4            ? 1
                                : c * 2 == set_.bytes ? 2
                                : c * 4 == set_.bytes ? 4
                                                      : 1;
      join_log_ = join == 4 ? 2 : join == 2 ? 1 : 0;
      line_.blocks = join > 1 ? 1 : (c + set_.bytes - 1) / set_.bytes;
      line_.pixels = (width + join - 1) / join;
      line_.last_join = width - (line_.pixels - 1) * join;
      line_.pixel_bytes = c * join;
      line_.piece_step = stride * c;
      line_.x_step = stride * c * join;
      line_.y_step = c * join;
    }
    line_.vectors = (line_.pixel_bytes + set_.bytes - 1) / set_.bytes;
  }

  void list_taps() {
    const Window& w = d_.window;
    for (std::int64_t a = 0; a < w.kernel[0]; ++a)
      for (std::int64_t b = 0; b < w.kernel[1]; ++b)
        for (std::int64_t c = 0; c < w.kernel[2]; ++c)
          taps_.push_back(a * w.dilations[0] * stage_.plane + b * w.dilations[1] * stage_.row +
                          c * w.dilations[2] * stage_.pixel);
    tap_count_ = static_cast<std::int64_t>(taps_.size());
    while (taps_.size() % 4 != 0) taps_.push_back(taps_.front());
    line_.taps = taps_.data();
    line_.quads = static_cast<std::int64_t>(taps_.size()) / 4;
  }

  // The channel of byte i of a block.
  std::int64_t channel(std::int64_t block, std::int64_t i) const {
    const std::int64_t c = d_.window.channels, at = block * set_.bytes + i;
    return d_.window.strides[2] == 1 || join_log_ > 0 ? at % c : at < c ? at : -1;
  }

  void pack() {
    const std::int64_t zero = d_.x_zero + (d_.x == DType::i8 ? 128 : 0), lanes = set_.bytes / 4;
    const auto count = static_cast<std::size_t>(line_.blocks * set_.bytes);
    packed_.assign(count * static_cast<std::size_t>(line_.quads) * 4, std::byte{0});
    for (auto* const v : {&bias_, &multiplier_, &left_, &right_}) v->assign(count, 0);
    factor_.assign(count, 0);
    for (std::int64_t block = 0; block < line_.blocks; ++block)
      for (std::int64_t j = 0; j < 4; ++j)
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
          const std::int64_t c = channel(block, lane / 4 * 16 + 4 * j + lane % 4);
          if (c < 0) continue;
          std::int64_t sum = 0;
          for (std::int64_t t = 0; t < tap_count_; ++t) {
            const std::int16_t w = d_.w[static_cast<std::size_t>(c * tap_count_ + t)];
            sum += w;
            packed_[static_cast<std::size_t>(
                (((block * line_.quads + t / 4) * 4 + j) * lanes + lane) * 4 + t % 4)] =
                static_cast<std::byte>(w);
          }
          const auto at = static_cast<std::size_t>((block * 4 + j) * lanes + lane),
                     o = static_cast<std::size_t>(c);
          bias_[at] = static_cast<std::int32_t>(static_cast<std::uint32_t>(d_.bias[o]) -
                                                static_cast<std::uint32_t>(sum * zero));
          factor_[at] = d_.finish.factor[o];
          multiplier_[at] = d_.finish.multiplier[o];
          left_[at] = d_.finish.left[o];
          right_[at] = d_.finish.right[o];
        }
    line_.w = packed_.data();
    line_.bias = bias_.data();
    line_.factor = factor_.data();
    line_.multiplier = multiplier_.data();
    line_.left = left_.data();
    line_.right = right_.data();
  }

  const DepthwiseSet& set_;
  DotProblem d_;
  Stage stage_;
  DepthwiseLine line_;
  int join_log_ = 0;
  std::vector<std::int64_t> taps_;
  std::int64_t tap_count_ = 0;
  std::vector<std::byte> packed_;
  std::vector<std::int32_t> bias_, multiplier_, left_, right_;
  std::vector<float> factor_;
};

}  // namespace

bool depthwise_fits(const KernelProblem& p) {
  if (p.view.node.op != "Conv") return false;
  const auto d = dot_problem(p, false);
  if (!d || d->group < 2 || d->ic != 1 || d->oc != d->group ||
      d->finish.form == RequantForm::policy)
    return false;
  if (d->y != DType::i8 && d->y != DType::u8) return false;
  const QuantParams& q = p.view.input(1).quant;
  if (p.view.input(1).dtype == DType::i8 &&
      std::ranges::all_of(q.zero, [](std::int32_t z) { return z == 0; }))
    return true;
  const auto whole = dot_problem(p, true);
  return std::ranges::all_of(whole->w, [](std::int16_t w) { return w >= -128 && w <= 127; });
}

std::unique_ptr<PreparedKernel> prepare_depthwise(const KernelProblem& p, const DepthwiseSet& set) {
  return std::make_unique<DepthwiseKernel>(p, set);
}

}  // namespace lockstep
