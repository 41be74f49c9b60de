#include "kernel/kernel_dot.h"

#include <algorithm>
#include <cstring>

#include "num/fixed.h"

namespace lockstep {
namespace {

constexpr std::int64_t parts(std::int64_t v, std::int64_t of) {
  return (v + of - 1) / of;
}

// Sums that only the policy itself can turn into codes or reals.
void finish_by_policy(const FinishTile& t, DType y) {
  const DotFinish& f = *t.finish;
  for (std::int64_t r = 0; r < t.rows; ++r)
    for (std::int64_t c = 0; c < t.channels; ++c) {
      const auto o = static_cast<std::size_t>(t.first + c);
      const std::int32_t acc = t.acc[r * t.acc_step + c];
      std::byte* const out = t.out + r * t.out_step;
      if (y == DType::f32) {
        const float real = f.to_real(acc, f.alpha, f.x_scale, f.w_scale[o]);
        std::memcpy(out + c * 4, &real, 4);
      } else {
        const std::int64_t code = std::int64_t{f.policy->apply(acc, f.rescale[o])} + f.y_zero;
        out[c] = static_cast<std::byte>(clamp_code(code, f.low, f.high));
      }
    }
}

template <class T>
std::vector<T> padded(const std::vector<T>& v, std::int64_t group, std::int64_t per_group,
                      std::int64_t width) {
  std::vector<T> out;
  if (v.empty()) return out;
  out.resize(static_cast<std::size_t>(group * width));
  for (std::int64_t g = 0; g < group; ++g)
    std::copy_n(v.begin() + g * per_group, per_group, out.begin() + g * width);
  return out;
}

class DotKernel : public PreparedKernel {
 public:
  DotKernel(const KernelProblem& p, const DotSet& set) : set_(set), d_(*dot_problem(p, true)) {
    lay_out();
    pack();
    finish();
    d_.w = {};
    cut();
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
    r.workers.each(units_, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) unit(u, x, r.out[0]);
    });
  }

 private:
  // Strides of the staged (or direct) input, runs within a window.
  void lay_out() {
    const Window& w = d_.window;
    stage_ = Stage::of(w, d_.x, d_.x_zero, set_.words, set_.stage);
    flat_ = w.kernel_count() == 1 && w.strides[0] == 1 && w.strides[1] == 1 && w.strides[2] == 1 &&
            !stage_.padded;
    const bool joined = w.dilations[2] == 1 && d_.group == 1;
    run_length_ = joined ? w.kernel[2] * d_.ic : d_.ic;
    const std::int64_t per_group = set_.words ? 2 : 4;
    groups_ = parts(run_length_, per_group);
    for (std::int64_t a = 0; a < w.kernel[0]; ++a)
      for (std::int64_t b = 0; b < w.kernel[1]; ++b)
        for (std::int64_t c = 0; c < (joined ? 1 : w.kernel[2]); ++c)
          runs_.push_back(a * w.dilations[0] * stage_.plane + b * w.dilations[1] * stage_.row +
                          c * w.dilations[2] * stage_.pixel);
    og_ = d_.oc / d_.group;
    panels_ = parts(og_, set_.lanes);
    panel_bytes_ = static_cast<std::int64_t>(runs_.size()) * groups_ * set_.lanes * 4;
  }

  void pack() {
    const std::int64_t per_group = set_.words ? 2 : 4, depth = d_.window.kernel_count() * d_.ic;
    packed_.assign(static_cast<std::size_t>(d_.group * panels_ * panel_bytes_ + 64), std::byte{0});
    std::byte* to = packed();
    for (std::int64_t g = 0; g < d_.group; ++g)
      for (std::int64_t p = 0; p < panels_; ++p)
        for (std::size_t run = 0; run < runs_.size(); ++run)
          for (std::int64_t q = 0; q < groups_; ++q)
            for (std::int64_t l = 0; l < set_.lanes; ++l)
              for (std::int64_t e = 0; e < per_group; ++e, to += stage_.size) {
                const std::int64_t o = p * set_.lanes + l, k = q * per_group + e;
                if (o >= og_ || k >= run_length_) continue;
                const std::int16_t w = d_.w[static_cast<std::size_t>(
                    (g * og_ + o) * depth + static_cast<std::int64_t>(run) * run_length_ + k)];
                if (set_.words)
                  std::memcpy(to, &w, 2);
                else
                  *to = static_cast<std::byte>(w);
              }
  }

  // x is read as x - 0 (bytes): what its zero point adds goes into the bias.
  void finish() {
    const std::int64_t depth = d_.window.kernel_count() * d_.ic;
    const std::int64_t zero = d_.x_zero + (d_.x == DType::i8 ? 128 : 0);
    if (!set_.words)
      for (std::int64_t o = 0; o < d_.oc; ++o) {
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < depth; ++k)
          sum += d_.w[static_cast<std::size_t>(o * depth + k)];
        auto& b = d_.bias[static_cast<std::size_t>(o)];
        b = static_cast<std::int32_t>(static_cast<std::uint32_t>(b) -
                                      static_cast<std::uint32_t>(sum * zero));
      }
    DotFinish& f = d_.finish;
    const std::int64_t width = panels_ * set_.lanes;
    f.bias = padded(d_.bias, d_.group, og_, width);
    f.factor = padded(f.factor, d_.group, og_, width);
    f.multiplier = padded(f.multiplier, d_.group, og_, width);
    f.left = padded(f.left, d_.group, og_, width);
    f.right = padded(f.right, d_.group, og_, width);
    f.rescale = padded(f.rescale, d_.group, og_, width);
    f.w_scale = padded(f.w_scale, d_.group, og_, width);
  }

  // Units of work: panels by up to max_vecs, positions by rows that share a run of the input.
  void cut() {
    const Window& w = d_.window;
    chunks_ = parts(panels_, set_.max_vecs);
    lines_ = flat_ ? 1 : w.batch * w.out[0] * w.out[1];
    line_ = flat_ ? w.batch * w.in_count() : w.out[2];
    const std::int64_t high = set_.max_rows[std::min<std::int64_t>(panels_, set_.max_vecs)];
    piece_ = std::min(line_, flat_ ? high * 4 : high * 8);
    pieces_ = parts(line_, piece_);
    // Lines are computed several at once where they are short.
    lines_at_once_ = std::max<std::int64_t>(1, 32 / std::max<std::int64_t>(1, piece_));
    units_ = d_.group * chunks_ * parts(lines_, lines_at_once_) * pieces_;
  }

  void unit(std::int64_t u, const std::byte* x, std::byte* out) const {
    const std::int64_t piece = u % pieces_;
    u /= pieces_;
    const std::int64_t bundles = parts(lines_, lines_at_once_), bundle = u % bundles;
    u /= bundles;
    const std::int64_t chunk = u % chunks_, g = u / chunks_;
    const std::int64_t panel = chunk * set_.max_vecs;
    const auto vecs = static_cast<int>(std::min<std::int64_t>(set_.max_vecs, panels_ - panel));
    const std::int64_t first = piece * piece_, last = std::min(line_, first + piece_);
    const std::int64_t end = std::min(lines_, (bundle + 1) * lines_at_once_);
    for (std::int64_t line = bundle * lines_at_once_; line < end; ++line)
      row_of_tiles({g, panel, vecs}, line, first, last, x, out);
  }

  struct Columns {
    std::int64_t g, panel;
    int vecs;
  };

  void row_of_tiles(const Columns& c, std::int64_t line, std::int64_t first, std::int64_t last,
                    const std::byte* x, std::byte* out) const {
    const Window& w = d_.window;
    alignas(64) std::int32_t acc[16 * 64];
    const std::int64_t oh = line % w.out[1], od = line / w.out[1] % w.out[0],
                       n = line / w.out[1] / w.out[0];
    const std::int64_t start = flat_ ? 0
                                     : n * stage_.extent[0] * stage_.plane +
                                           od * w.strides[0] * stage_.plane +
                                           oh * w.strides[1] * stage_.row;
    const std::int64_t step = flat_ ? stage_.pixel : w.strides[2] * stage_.pixel;
    const std::int64_t y_size = static_cast<std::int64_t>(size_of(d_.y));
    DotTile t{nullptr,
              runs_.data(),
              static_cast<std::int64_t>(runs_.size()),
              groups_,
              step,
              packed() + (c.g * panels_ + c.panel) * panel_bytes_,
              panel_bytes_,
              d_.finish.bias.data() + (c.g * panels_ + c.panel) * set_.lanes,
              acc};
    FinishTile f{&d_.finish,
                 (c.g * panels_ + c.panel) * set_.lanes,
                 acc,
                 c.vecs * set_.lanes,
                 0,
                 std::min<std::int64_t>(og_ - c.panel * set_.lanes, c.vecs * set_.lanes),
                 nullptr,
                 d_.oc * y_size,
                 d_.y == DType::i8};
    for (std::int64_t at = first; at < last; at += f.rows) {
      // Even tiles: 7 rows of at most 6 are 4 and 3.
      const std::int64_t left = last - at, high = set_.max_rows[c.vecs];
      f.rows = parts(left, parts(left, high));
      t.origin = x + start + at * step + c.g * d_.ic * stage_.size;
      set_.tile[f.rows][c.vecs](t);
      const std::int64_t position = flat_ ? at : line * line_ + at;
      f.out = out + (position * d_.oc + c.g * og_ + c.panel * set_.lanes) * y_size;
      if (d_.y != DType::f32 && d_.finish.form == RequantForm::float_nearest && set_.float_nearest)
        set_.float_nearest(f);
      else if (d_.y != DType::f32 && d_.finish.form == RequantForm::fixed_twice && set_.fixed_twice)
        set_.fixed_twice(f);
      else
        finish_by_policy(f, d_.y);
    }
  }

  std::byte* packed() { return align(packed_.data()); }
  const std::byte* packed() const { return align(const_cast<std::byte*>(packed_.data())); }
  static std::byte* align(std::byte* p) {
    return p + (64 - reinterpret_cast<std::uintptr_t>(p) % 64) % 64;
  }

  const DotSet& set_;
  DotProblem d_;
  Stage stage_;
  bool flat_ = false;
  std::vector<std::int64_t> runs_;
  std::int64_t run_length_ = 0, groups_ = 0, og_ = 0, panels_ = 0, panel_bytes_ = 0;
  std::vector<std::byte> packed_;
  std::int64_t chunks_ = 0, lines_ = 0, line_ = 0, piece_ = 0, pieces_ = 0, lines_at_once_ = 1,
               units_ = 0;
};

}  // namespace

bool dot_fits(const KernelProblem& p, const DotSet& set) {
  const auto d = dot_problem(p, false);
  if (!d) return false;
  // A byte product needs weights that are bytes once their zero point is taken off.
  if (set.words) return true;
  const QuantParams& q = p.view.input(1).quant;
  const bool is_signed = p.view.input(1).dtype == DType::i8;
  if (is_signed && std::ranges::all_of(q.zero, [](std::int32_t z) { return z == 0; })) return true;
  const auto whole = dot_problem(p, true);
  return std::ranges::all_of(whole->w, [](std::int16_t w) { return w >= -128 && w <= 127; });
}

std::unique_ptr<PreparedKernel> prepare_dot(const KernelProblem& p, const DotSet& set) {
  return std::make_unique<DotKernel>(p, set);
}

}  // namespace lockstep
