#include "kernel/kernel_depthwise.h"

#include <algorithm>
#include <cstring>
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
      : set_(set),
        d_(*dot_problem(p, true, set.wide)),
        size_(set.words ? 2 : 1),
        elements_(set.bytes / size_),
        sums_(set.words ? 2 : 4) {
    const Window& w = d_.window;
    stage_ = set.wide ? Stage::of_words(w) : Stage::of(w, d_.x, d_.x_zero, set.words, set.stage);
    line_.y_size = static_cast<std::int64_t>(size_of(d_.y));
    lay_out_line();
    choose_rows();
    pack_weights();
    pack_constants();
    line_.y_signed = d_.y == DType::i8;
    line_.y_zero = d_.finish.y_zero;
    line_.low = d_.finish.low;
    line_.high = d_.finish.high;
    line_.row_bytes = w.out[2] * w.channels * line_.y_size;
    line_.finish = finish;
    d_.w = {};
  }

  std::size_t scratch_bytes(int threads) const override {
    const std::size_t whole = stage_.scratch_bytes();
    // Pieces are four for each thread at most.
    return threads == 1 || whole == 0
               ? whole
               : whole + static_cast<std::size_t>(4 * threads * stage_.own_room());
  }
  std::size_t resident_bytes() const override { return packed_.size(); }

  void run(const KernelRun& r) const override {
    const Window& w = d_.window;
    const std::int64_t bundles = (w.out[1] + rows_ - 1) / rows_;
    // Each part stages the lines that it reads, where no other thread writes.
    const bool apart = stage_.needed && stage_.by_lines() && r.workers.threads() > 1;
    if (stage_.needed && !apart)
      r.workers.each(stage_.parts(), [&](std::int64_t first, std::int64_t last, int) {
        stage_.run(r.in[0], r.scratch, first, last);
      });
    r.workers.each(w.batch * w.out[0] * bundles, [&](std::int64_t first, std::int64_t last,
                                                     int piece) {
      std::byte* const room = r.scratch + piece * stage_.own_room();
      if (apart) stage_lines(r.in[0], room, bundles, first, last);
      compute(!stage_.needed ? r.in[0] : apart ? room : r.scratch, r.out[0], bundles, first, last);
    });
  }

 private:
  // What bundles first to last of lines read: from the first one's to the last one's window.
  void stage_lines(const std::byte* x, std::byte* to, std::int64_t bundles, std::int64_t first,
                   std::int64_t last) const {
    const Window& w = d_.window;
    const auto line = [&](std::int64_t i, std::int64_t row) {
      return i / bundles * stage_.extent[1] +
             std::min(w.out[1] - 1, i % bundles * rows_ + row) * w.strides[1];
    };
    stage_.run_lines(x, to, line(first, 0),
                     line(last - 1, rows_ - 1) + (w.kernel[1] - 1) * w.dilations[1] + 1);
  }

  void compute(const std::byte* x, std::byte* y, std::int64_t bundles, std::int64_t first,
               std::int64_t last) const {
    const Window& w = d_.window;
    const auto& lines = set_.line[form(d_.finish.form)][join_log_][rows_ - 1];
    DepthwiseLine line = line_;
    line.owner = this;
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t oh = i % bundles * rows_, od = i / bundles % w.out[0],
                         n = i / bundles / w.out[0];
      line.x = x + n * stage_.extent[0] * stage_.plane + od * w.strides[0] * stage_.plane +
               oh * w.strides[1] * stage_.row;
      line.out = y + ((n * w.out[0] + od) * w.out[1] + oh) * line_.row_bytes;
      const bool whole = oh + rows_ <= w.out[1];
      // A last line alone reads nothing of the one that is not there.
      line.taps = whole ? taps_.data() : first_taps_.data();
      lines[whole ? rows_ - 1 : 0](line);
    }
  }

  static int form(RequantForm f) {
    return f == RequantForm::float_nearest ? 0 : f == RequantForm::fixed_twice ? 1 : 2;
  }

  static void finish(const DepthwiseLine& t, const std::int32_t* acc, std::int64_t block,
                     std::int64_t count, std::byte* out) {
    const auto& k = *static_cast<const DepthwiseKernel*>(t.owner);
    for (std::int64_t i = 0; i < std::min(count, k.elements_); ++i)
      finish_sum(k.d_.finish, static_cast<std::size_t>(k.channel(block, i)),
                 acc[k.place_[static_cast<std::size_t>(i)]], k.d_.y, out + i * t.y_size);
  }

  void lay_out_line() {
    const std::int64_t c = d_.window.channels, stride = d_.window.strides[2],
                       width = d_.window.out[2];
    if (stride == 1) {  // the whole line is one run
      line_.blocks = c / std::gcd(c, elements_);
      line_.pixels = 1;
      line_.pixel_count = width * c;
      line_.last_join = 1;
    } else {
      // Joined runs read beyond the line by less than kernel_slack.
      const std::int64_t join = stride > 4           ? 1
                                : c * 2 == elements_ ? 2
                                : c * 4 == elements_ ? 4
                                                     : 1;
      join_log_ = join == 4 ? 2 : join == 2 ? 1 : 0;
      line_.blocks = join > 1 ? 1 : (c + elements_ - 1) / elements_;
      line_.pixels = (width + join - 1) / join;
      line_.last_join = width - (line_.pixels - 1) * join;
      line_.pixel_count = c * join;
      line_.piece_step = stride * stage_.pixel;
      line_.x_step = stride * stage_.pixel * join;
      line_.y_step = c * join * line_.y_size;
    }
    line_.vectors = (line_.pixel_count + elements_ - 1) / elements_;
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

  // Two lines at once where that costs less: a group is loaded and unpacked once, and has products
  // for each line.
  void choose_rows() {
    places_ = places(1);
    if (d_.window.out[1] < 2) return;
    std::vector<Place> two = places(2);
    const auto per = static_cast<std::size_t>(sums_);
    const auto cost = [&](std::size_t count, std::size_t rows) {
      return (count + per - 1) / per * (3 * per + per * rows) * (3 - rows);
    };
    if (cost(two.size(), 2) >= cost(places_.size(), 1)) return;
    places_ = std::move(two);
    rows_ = 2;
  }

  // The channel of byte i of a block.
  std::int64_t channel(std::int64_t block, std::int64_t i) const {
    const std::int64_t c = d_.window.channels, at = block * elements_ + i;
    return d_.window.strides[2] == 1 || join_log_ > 0 ? at % c : at < c ? at : -1;
  }

  // Weights of more than a signed byte are sums of several, at the same place again. [place][row]
  // [channel]
  std::vector<std::vector<std::int16_t>> split_weights() {
    const std::int64_t channels = d_.oc;
    std::vector<std::vector<std::int16_t>> split;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      std::vector<std::int16_t>& w = split.emplace_back();
      for (std::int64_t r = 0; r < rows_; ++r)
        for (std::int64_t c = 0; c < channels; ++c)
          w.push_back(places_[i].tap[r] < 0 ? std::int16_t{0} : d_.w.at(c, places_[i].tap[r]));
    }
    for (std::size_t i = 0; i < places_.size(); ++i) {
      bool more = false;
      std::vector<std::int16_t> rest(split[i].size());
      for (std::size_t k = 0; k < rest.size(); ++k) {
        const std::int16_t byte =
            set_.words ? split[i][k] : std::clamp<std::int16_t>(split[i][k], -128, 127);
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

  // The element of a block that accumulator j holds in a lane.
  std::int64_t element(std::int64_t j, std::int64_t lane) const {
    return lane / 4 * (16 / size_) + 4 * j + lane % 4;
  }

  void pack_weights() {
    const auto split = split_weights();
    for (const Place& p : places_) {
      taps_.push_back(p.offset);
      first_taps_.push_back(p.tap[0] >= 0 ? p.offset : 0);
    }
    const std::int64_t per = sums_;  // as many places as sums
    const auto groups = (static_cast<std::int64_t>(taps_.size()) + per - 1) / per;
    for (auto* const list : {&taps_, &first_taps_})
      list->resize(static_cast<std::size_t>(groups * per), 0);
    line_.groups = groups;
    line_.block_bytes = groups * rows_ * sums_ * set_.bytes;
    packed_.assign(static_cast<std::size_t>(line_.blocks * line_.block_bytes), std::byte{0});
    const auto count = static_cast<std::int64_t>(split.size());
    std::byte* to = packed_.data();
    for (std::int64_t block = 0; block < line_.blocks; ++block) {
      const std::vector<std::int64_t> channels = channels_of(block);
      for (std::int64_t q = 0; q < groups; ++q)
        for (std::int64_t r = 0; r < rows_; ++r)
          for (const std::int64_t c : channels) {
            for (std::int64_t e = 0; c >= 0 && e < std::min(per, count - q * per); ++e) {
              const std::int16_t word = split[static_cast<std::size_t>(q * per + e)]
                                             [static_cast<std::size_t>(r * d_.oc + c)];
              to[e * size_] = static_cast<std::byte>(word & 255);
              if (size_ == 2) std::memcpy(to + e * 2, &word, 2);
            }
            to += per * size_;
          }
    }
    line_.w = packed_.data();
  }

  // By accumulator and lane.
  std::vector<std::int64_t> channels_of(std::int64_t block) const {
    std::vector<std::int64_t> channels;
    for (std::int64_t j = 0; j < sums_; ++j)
      for (std::int64_t lane = 0; lane < set_.bytes / 4; ++lane)
        channels.push_back(channel(block, element(j, lane)));
    return channels;
  }

  void pack_constants() {
    const std::int64_t zero = set_.words ? 0 : d_.x_zero + (d_.x == DType::i8 ? 128 : 0),
                       lanes = set_.bytes / 4, taps = d_.window.kernel_count();
    const auto count = static_cast<std::size_t>(line_.blocks * elements_);
    for (auto* const v : {&bias_, &multiplier_, &left_, &right_}) v->assign(count, 0);
    factor_.assign(count, 0);
    place_.resize(static_cast<std::size_t>(elements_));
    for (std::int64_t j = 0; j < sums_; ++j)
      for (std::int64_t lane = 0; lane < lanes; ++lane)
        place_[static_cast<std::size_t>(element(j, lane))] = j * lanes + lane;
    std::vector<std::int64_t> sum(static_cast<std::size_t>(d_.oc), 0);
    for (std::int64_t c = 0; c < d_.oc; ++c)
      for (std::int64_t t = 0; t < taps; ++t) sum[static_cast<std::size_t>(c)] += d_.w.at(c, t);
    for (std::int64_t block = 0; block < line_.blocks; ++block) {
      auto at = static_cast<std::size_t>(block * sums_ * lanes);
      for (const std::int64_t c : channels_of(block)) {
        const std::size_t i = at++, o = static_cast<std::size_t>(c);
        if (c < 0) continue;
        bias_[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(d_.bias[o]) -
                                             static_cast<std::uint32_t>(sum[o] * zero));
        factor_[i] = d_.finish.factor[o];
        multiplier_[i] = d_.finish.multiplier[o];
        left_[i] = d_.finish.left[o];
        right_[i] = d_.finish.right[o];
      }
    }
    line_.bias = bias_.data();
    line_.factor = factor_.data();
    line_.multiplier = multiplier_.data();
    line_.left = left_.data();
    line_.right = right_.data();
  }

  const DepthwiseSet& set_;
  DotProblem d_;
  std::int64_t size_, elements_, sums_;  // of an element; of a vector: elements, accumulators
  Stage stage_;
  DepthwiseLine line_;
  int join_log_ = 0;
  std::int64_t rows_ = 1;
  std::vector<Place> places_;
  std::vector<std::int64_t> taps_, first_taps_;  // of all lines, of the first alone
  std::vector<std::byte> packed_;
  std::vector<std::int32_t> bias_, multiplier_, left_, right_;
  std::vector<float> factor_;
  std::vector<std::int64_t> place_;  // by element: where its accumulator stands
};

}  // namespace

bool depthwise_fits(const KernelProblem& p, const DepthwiseSet& set) {
  if (p.view.node.op != "Conv") return false;
  const auto d = dot_problem(p, set.wide, set.wide);
  return d && d->group > 1 && d->ic == 1 && d->oc == d->group && (!set.wide || sums_fit(*d));
}

std::unique_ptr<PreparedKernel> prepare_depthwise(const KernelProblem& p, const DepthwiseSet& set) {
  return std::make_unique<DepthwiseKernel>(p, set);
}

}  // namespace lockstep
