#include "kernel/kernel_dot.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernel/kernel_dot_layout.h"
#include "num/fixed.h"

namespace lockstep {
namespace {

constexpr std::int64_t parts(std::int64_t v, std::int64_t of) {
  return (v + of - 1) / of;
}

// Sums that only the policy itself can turn into codes or reals.
void finish_by_policy(const FinishTile& t, DType y) {
  const auto size = static_cast<std::int64_t>(size_of(y));
  for (std::int64_t r = 0; r < t.rows; ++r)
    for (std::int64_t c = 0; c < t.channels; ++c)
      finish_sum(*t.finish, static_cast<std::size_t>(t.first + c), t.acc[r * t.acc_step + c], y,
                 t.out + r * t.out_step + c * size);
}

// What becomes codes at once: 4 tiles of 16 rows of one vector; rows are read in fours.
constexpr std::int64_t most_rows = 4 * 16, most_sums = most_rows * 16 + 4 * 64;

class DotKernel : public PreparedKernel {
 public:
  DotKernel(const KernelProblem& p, const DotSet& set)
      : set_(set),
        m_(*dot_problem(p, true, set.wide), set),
        d_(m_.d),
        fold_(set.fold[m_.fold_log]) {
    cut();
    const bool codes = d_.y != DType::f32;
    if (codes && d_.finish.form == RequantForm::float_nearest) finish_ = set.float_nearest;
    if (codes && d_.finish.form == RequantForm::fixed_twice) finish_ = set.fixed_twice;
  }

  std::size_t scratch_bytes(int) const override { return m_.stage.scratch_bytes(); }
  std::size_t resident_bytes() const override { return m_.packed.size(); }

  void run(const KernelRun& r) const override {
    const std::byte* x = r.in[0];
    if (m_.stage.needed) {
      r.workers.each(m_.stage.parts(), [&](std::int64_t first, std::int64_t last, int) {
        m_.stage.run(r.in[0], r.scratch, first, last);
      });
      x = r.scratch;
    }
    r.workers.each(units_, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) unit(u, x, r.out[0]);
    });
  }

 private:
  // Units of work: panels by up to max_vecs, positions by rows that share a run of the input.
  void cut() {
    const Window& w = d_.window;
    lines_ = m_.flat ? 1 : w.batch * w.out[0] * w.out[1];
    line_ = m_.flat ? w.batch * w.in_count() : w.out[2];
    const std::int64_t vecs = parts(m_.panels, m_.chunks), high = fold_.max_rows[vecs],
                       widest = parts(vecs * m_.panel_width, set_.lanes) * set_.lanes;
    // Wide tiles overlap with what becomes of them; narrow ones are finished several at once.
    block_ = widest <= set_.lanes ? 4 * high : high;
    piece_ = std::min(line_, block_ * 8);
    pieces_ = parts(line_, piece_);
    // Lines are computed several at once where they are short.
    lines_at_once_ = std::max<std::int64_t>(1, 96 / std::max<std::int64_t>(1, piece_));
    units_ = d_.group * m_.chunks * parts(lines_, lines_at_once_) * pieces_;
    for (std::int64_t line = 0; line < lines_; ++line) {
      const std::int64_t oh = line % w.out[1], od = line / w.out[1] % w.out[0],
                         n = line / w.out[1] / w.out[0];
      line_start_.push_back(m_.flat ? 0
                                    : n * m_.stage.extent[0] * m_.stage.plane +
                                          od * w.strides[0] * m_.stage.plane +
                                          oh * w.strides[1] * m_.stage.row);
    }
    plan_tiles();
  }

  // Even tiles: 7 rows of at most 6 are 4 and 3, the taller ones first.
  void plan_tiles() {
    for (std::int64_t vecs = 1; vecs <= fold_.max_vecs; ++vecs) {
      const std::int64_t high = fold_.max_rows[vecs];
      for (std::int64_t rows = 1; rows <= most_rows; ++rows) {
        const std::int64_t count = parts(rows, high);
        plan_[vecs][rows] = {rows % count, count - rows % count, rows / count};
      }
    }
  }

  void unit(std::int64_t u, const std::byte* x, std::byte* out) const {
    const std::int64_t piece = u % pieces_;
    u /= pieces_;
    const std::int64_t bundles = parts(lines_, lines_at_once_), bundle = u % bundles;
    u /= bundles;
    const std::int64_t chunk = u % m_.chunks, g = u / m_.chunks;
    const std::int64_t panel = m_.first_panel(chunk), vecs = m_.first_panel(chunk + 1) - panel;
    const std::int64_t first = piece * piece_, last = std::min(line_, first + piece_);
    const std::int64_t end = std::min(lines_, (bundle + 1) * lines_at_once_);
    for (std::int64_t line = bundle * lines_at_once_; line < end; ++line)
      row_of_tiles({g, panel, vecs}, line, first, last, x, out);
  }

  struct Columns {
    std::int64_t g, panel, vecs;
  };

  // `tiles` of `rows` rows each; t goes behind them.
  void compute(DotTile& t, std::int64_t tiles, std::int64_t rows, std::int64_t vecs,
               std::int64_t acc_step) const {
    if (tiles == 0) return;
    t.tiles = tiles;
    fold_.tile[rows][vecs](t);
    t.acc += tiles * rows * acc_step;
    t.origin += tiles * rows * t.step;
  }

  void row_of_tiles(const Columns& c, std::int64_t line, std::int64_t first, std::int64_t last,
                    const std::byte* x, std::byte* out) const {
    alignas(64) std::int32_t acc[most_sums];
    const std::int64_t step = m_.flat ? m_.stage.pixel : d_.window.strides[2] * m_.stage.pixel;
    const std::int64_t y_size = static_cast<std::int64_t>(size_of(d_.y));
    const std::int64_t channel = c.panel * m_.panel_width, at_padded = c.g * m_.width + channel,
                       acc_step = parts(c.vecs * m_.panel_width, set_.lanes) * set_.lanes;
    const std::int64_t position = (m_.flat ? 0 : line * line_) + first;
    DotTile t{x + line_start_[static_cast<std::size_t>(line)] + c.g * d_.ic * m_.stage.size +
                  first * step,
              m_.groups.data(),
              static_cast<std::int64_t>(m_.groups.size()),
              step,
              0,
              m_.weights(c.g, c.panel),
              m_.panel_bytes,
              d_.finish.bias.data() + at_padded,
              acc};
    FinishTile f{&d_.finish,
                 at_padded,
                 acc,
                 acc_step,
                 0,
                 std::min(m_.og - channel, c.vecs * m_.panel_width),
                 out + (position * d_.oc + c.g * m_.og + channel) * y_size,
                 d_.oc * y_size,
                 d_.y == DType::i8};
    for (std::int64_t at = first; at < last; at += f.rows, f.out += f.rows * f.out_step) {
      const std::int64_t left = last - at;
      // Two blocks that are left are even.
      f.rows = left <= block_ ? left : left < 2 * block_ ? (left + 1) / 2 : block_;
      const std::byte* const origin = t.origin;
      const Tiles& tiles = plan_[c.vecs][f.rows];
      t.acc = acc;
      compute(t, tiles.tall, tiles.low_rows + 1, c.vecs, acc_step);
      compute(t, tiles.low, tiles.low_rows, c.vecs, acc_step);
      if (!m_.common.empty()) add_sums(origin, f, at_padded, acc);
      if (finish_)
        finish_(f);
      else
        finish_by_policy(f, d_.y);
    }
  }

  void add_sums(const std::byte* origin, const FinishTile& f, std::int64_t at_padded,
                std::int32_t* acc) const {
    set_.add_sums({origin, m_.runs.data(), static_cast<std::int64_t>(m_.runs.size()), m_.run_length,
                   m_.flat ? m_.stage.pixel : d_.window.strides[2] * m_.stage.pixel, f.rows,
                   m_.common.data() + at_padded, acc, f.acc_step});
  }

  struct Tiles {
    std::int64_t tall = 0, low = 0, low_rows = 0;  // so many of low_rows + 1, of low_rows
  };
  const DotSet& set_;
  const DotLayout m_;
  const DotProblem& d_;
  const DotFold& fold_;
  void (*finish_)(const FinishTile&) = nullptr;
  std::vector<std::int64_t> line_start_;  // bytes to the window of a line's first position
  std::array<std::array<Tiles, most_rows + 1>, 7> plan_;  // by vecs, rows
  std::int64_t lines_ = 0, line_ = 0, block_ = 1, piece_ = 0, pieces_ = 0, lines_at_once_ = 1,
               units_ = 0;
};

}  // namespace

void finish_sum(const DotFinish& f, std::size_t channel, std::int32_t acc, DType type,
                std::byte* y) {
  if (type == DType::f32) {
    const float real = f.to_real(acc, f.alpha, f.x_scale, f.w_scale[channel]);
    std::memcpy(y, &real, 4);
    return;
  }
  const Rescale& r = f.rescale[channel];
  const std::int32_t scaled = f.wide ? f.policy->apply_wide(acc, r) : f.policy->apply(acc, r);
  const auto code =
      static_cast<std::int16_t>(clamp_code(std::int64_t{scaled} + f.y_zero, f.low, f.high));
  std::memcpy(y, &code, size_of(type));
}

bool dot_fits(const KernelProblem& p, const DotSet& set) {
  const auto d = dot_problem(p, set.wide, set.wide);
  return d && (!set.wide || sums_fit(*d));
}

std::unique_ptr<PreparedKernel> prepare_dot(const KernelProblem& p, const DotSet& set) {
  return std::make_unique<DotKernel>(p, set);
}

}  // namespace lockstep
