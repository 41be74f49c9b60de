#include "kernel/kernel_depthwise.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace lockstep {
namespace {

// A place of the input that some of the lines computed together read, and the kernel's tap that
// each of them has there (-1: none).
struct Place {
  std::int64_t offset = 0, tap[2] = {-1, -1};
};

class DepthwiseKernel : public PreparedKernel {
 public:
  DepthwiseKernel(const KernelProblem& p, const DepthwiseSet& set)
      : set_(set), d_(*dot_problem(p, true)) {
    const Window& w = d_.window;
    stage_ = Stage::of(w, d_.x, d_.x_zero, false, set.stage);
    lay_out_line();
    choose_rows();
    pack_weights();
    pack_constants();
    line_.y_signed = d_.y == DType::i8;
    line_.y_zero = d_.finish.y_zero;
    line_.low = d_.finish.low;
    line_.high = d_.finish.high;
    line_.row_bytes = w.out[2] * w.channels;
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
    const auto& compute =
        set_.line[d_.finish.form == RequantForm::float_nearest ? 0 : 1][join_log_][rows_ - 1];
    const std::int64_t bundles = (w.out[1] + rows_ - 1) / rows_;
    r.workers.each(w.batch * w.out[0] * bundles, [&](std::int64_t first, std::int64_t last, int) {
      DepthwiseLine line = line_;
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t oh = i % bundles * rows_, od = i / bundles % w.out[0],
                           n = i / bundles / w.out[0];
        line.x = x + n * stage_.extent[0] * stage_.plane + od * w.strides[0] * stage_.plane +
                 oh * w.strides[1] * stage_.row;
        line.out = r.out[0] + ((n * w.out[0] + od) * w.out[1] + oh) * line_.row_bytes;
        const bool whole = oh + rows_ <= w.out[1];
        // A last line alone reads nothing of the one that is not there.
        line.taps = whole ? taps_.data() : first_taps_.data();
        compute[whole ? rows_ - 1 : 0](line);
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

  // Every place that `rows` lines read, column by column.
  std::vector<Place> places(std::int64_t rows) const {
    const Window& w = d_.window;
    std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, Place> found;
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t a = 0; a < w.kernel[0]; ++a)
        for (std::int64_t b = 0; b < w.kernel[1]; ++b)
          for (std::int64_t c = 0; c < w.kernel[2]; ++c) {
            const std::int64_t h = b * w.dilations[1] + r * w.strides[1];
            Place& p = found[{a, c, h}];
            p.offset = a * w.dilations[0] * stage_.plane + h * stage_.row +
                       c * w.dilations[2] * stage_.pixel;
            p.tap[r] = (a * w.kernel[1] + b) * w.kernel[2] + c;
          }
    std::vector<Place> list;
    for (const auto& [at, place] : found) list.push_back(place);
    return list;
  }

  // Two lines at once where that costs less: a quad is loaded and unpacked (12) once, and has four
  // products for each line.
  void choose_rows() {
    places_ = places(1);
    if (d_.window.out[1] < 2) return;
    std::vector<Place> two = places(2);
    const auto cost = [](std::size_t count, std::size_t rows) {
      return (count + 3) / 4 * (12 + 4 * rows) * (3 - rows);
    };
    if (cost(two.size(), 2) >= cost(places_.size(), 1)) return;
    places_ = std::move(two);
    rows_ = 2;
  }

  // The channel of byte i of a block.
  std::int64_t channel(std::int64_t block, std::int64_t i) const {
    const std::int64_t c = d_.window.channels, at = block * set_.bytes + i;
    return d_.window.strides[2] == 1 || join_log_ > 0 ? at % c : at < c ? at : -1;
  }

  // Weights of more than a signed byte are sums of several, at the same place again. [place][row]
  // [channel]
  std::vector<std::vector<std::int16_t>> split_weights() {
    const std::int64_t taps = d_.window.kernel_count(), channels = d_.oc;
    std::vector<std::vector<std::int16_t>> split;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      std::vector<std::int16_t>& w = split.emplace_back();
      for (std::int64_t r = 0; r < rows_; ++r)
        for (std::int64_t c = 0; c < channels; ++c)
          w.push_back(places_[i].tap[r] < 0
                          ? std::int16_t{0}
                          : d_.w[static_cast<std::size_t>(c * taps + places_[i].tap[r])]);
    }
    for (std::size_t i = 0; i < places_.size(); ++i) {
      bool more = false;
      std::vector<std::int16_t> rest(split[i].size());
      for (std::size_t k = 0; k < rest.size(); ++k) {
        const std::int16_t byte = std::clamp<std::int16_t>(split[i][k], -128, 127);
        rest[k] = static_cast<std::int16_t>(split[i][k] - byte);
        split[i][k] = byte;
        more |= rest[k] != 0;
      }
      if (!more) continue;
      split.push_back(std::move(rest));
      places_.push_back(Place(places_[i]));
    }
    return split;
  }

  void pack_weights() {
    const auto split = split_weights();
    for (const Place& p : places_) {
      taps_.push_back(p.offset);
      first_taps_.push_back(p.tap[0] >= 0 ? p.offset : 0);
    }
    for (auto* const list : {&taps_, &first_taps_}) list->resize((list->size() + 3) / 4 * 4, 0);
    const auto quads = static_cast<std::int64_t>(taps_.size()) / 4, lanes = set_.bytes / 4;
    line_.quads = quads;
    line_.block_bytes = quads * rows_ * 4 * set_.bytes;
    packed_.assign(static_cast<std::size_t>(line_.blocks * line_.block_bytes), std::byte{0});
    std::byte* to = packed_.data();
    for (std::int64_t block = 0; block < line_.blocks; ++block)
      for (std::int64_t q = 0; q < quads; ++q)
        for (std::int64_t r = 0; r < rows_; ++r)
          for (std::int64_t j = 0; j < 4; ++j)
            for (std::int64_t lane = 0; lane < lanes; ++lane)
              for (std::int64_t e = 0; e < 4; ++e, ++to) {
                const std::int64_t c = channel(block, lane / 4 * 16 + 4 * j + lane % 4);
                const auto place = static_cast<std::size_t>(q * 4 + e);
                if (c >= 0 && place < split.size())
                  *to =
                      static_cast<std::byte>(split[place][static_cast<std::size_t>(r * d_.oc + c)]);
              }
    line_.w = packed_.data();
  }

  void pack_constants() {
    const std::int64_t zero = d_.x_zero + (d_.x == DType::i8 ? 128 : 0), lanes = set_.bytes / 4,
                       taps = d_.window.kernel_count();
    const auto count = static_cast<std::size_t>(line_.blocks * set_.bytes);
    for (auto* const v : {&bias_, &multiplier_, &left_, &right_}) v->assign(count, 0);
    factor_.assign(count, 0);
    for (std::int64_t block = 0; block < line_.blocks; ++block)
      for (std::int64_t j = 0; j < 4; ++j)
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
          const std::int64_t c = channel(block, lane / 4 * 16 + 4 * j + lane % 4);
          if (c < 0) continue;
          std::int64_t sum = 0;
          for (std::int64_t t = 0; t < taps; ++t)
            sum += d_.w[static_cast<std::size_t>(c * taps + t)];
          const auto at = static_cast<std::size_t>((block * 4 + j) * lanes + lane),
                     o = static_cast<std::size_t>(c);
          bias_[at] = static_cast<std::int32_t>(static_cast<std::uint32_t>(d_.bias[o]) -
                                                static_cast<std::uint32_t>(sum * zero));
          factor_[at] = d_.finish.factor[o];
          multiplier_[at] = d_.finish.multiplier[o];
          left_[at] = d_.finish.left[o];
          right_[at] = d_.finish.right[o];
        }
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
  std::int64_t rows_ = 1;
  std::vector<Place> places_;
  std::vector<std::int64_t> taps_, first_taps_;  // of all lines, of the first alone
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
  return d->y == DType::i8 || d->y == DType::u8;
}

std::unique_ptr<PreparedKernel> prepare_depthwise(const KernelProblem& p, const DepthwiseSet& set) {
  return std::make_unique<DepthwiseKernel>(p, set);
}

}  // namespace lockstep
