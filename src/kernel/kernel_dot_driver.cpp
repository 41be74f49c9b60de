#include "kernel/kernel_dot_driver.h"

#include <algorithm>
#include <cstring>

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

// Sums that stay sums.
void keep_sums(const FinishTile& t) {
  for (std::int64_t r = 0; r < t.rows; ++r)
    std::memcpy(t.out + r * t.out_step, t.acc + r * t.acc_step,
                static_cast<std::size_t>(t.channels) * 4);
}

// Lines that will be written soon: one that another cache holds is under way meanwhile.
void expect_writes(std::byte* from, std::int64_t bytes) {
#if defined(__x86_64__)
  for (std::int64_t at = 0; at < bytes; at += 64) __asm__ volatile("prefetchw %0" ::"m"(from[at]));
#endif
}
constexpr std::size_t near_weights = 1 << 19;  // bytes
constexpr std::int64_t near_bytes = 1 << 16;   // of a result that the nearest cache holds anyway

// What becomes codes at once; rows are read in fours.
constexpr std::int64_t most_sums = DotDriver::most_rows * 16 + 4 * 64;

}  // namespace

DotDriver::DotDriver(DotProblem problem, const DotSet& set)
    : set_(set), m_(std::move(problem), set), fold_(set.fold[m_.fold_log]) {
  cut();
  const bool codes = m_.d.y != DType::f32;
  if (codes && m_.d.finish.form == RequantForm::float_nearest) finish_ = set.float_nearest;
  if (codes && m_.d.finish.form == RequantForm::fixed_twice) finish_ = set.fixed_twice;
  if (!codes && !m_.d.finish.factor.empty()) finish_ = set.by_factor;
  if (m_.d.y == DType::i32) finish_ = keep_sums;
}

// Units of work: panels by up to max_vecs, positions by rows that share a run of the input.
void DotDriver::cut() {
  const Window& w = m_.d.window;
  lines_ = m_.flat ? 1 : w.batch * w.out[0] * w.out[1];
  line_ = m_.flat ? w.batch * w.in_count() : w.out[2];
  for (std::int64_t vecs = 1; vecs <= fold_.max_vecs; ++vecs) {
    // Wide tiles overlap with what becomes of them; narrow ones are finished several at once.
    const std::int64_t high = fold_.max_rows[vecs];
    block_[vecs] = dense(vecs)                           ? m_.dense_rows
                   : vecs * m_.panel_width <= set_.lanes ? 4 * high
                                                         : high;
  }
  const std::int64_t block = block_[parts(m_.panels, m_.chunks)];
  piece_ = std::min(line_, block * 8);
  pieces_ = parts(line_, piece_);
  // Lines are computed several at once where they are short.
  lines_at_once_ = std::max<std::int64_t>(1, 96 / std::max<std::int64_t>(1, piece_));
  units_ = m_.d.group * m_.chunks * parts(lines_, lines_at_once_) * pieces_;
  for (std::int64_t line = 0; line < lines_; ++line) {
    const std::int64_t oh = line % w.out[1], od = line / w.out[1] % w.out[0],
                       n = line / w.out[1] / w.out[0];
    line_start_.push_back(m_.flat ? 0
                                  : n * m_.stage.extent[0] * m_.stage.plane +
                                        od * w.strides[0] * m_.stage.plane +
                                        oh * w.strides[1] * m_.stage.row);
  }
  far_ = lines_ * line_ * m_.d.oc * static_cast<std::int64_t>(size_of(m_.d.y)) > near_bytes;
  plan_tiles();
  // Strips are lines, or even tiles where there are few lines.
  const std::int64_t high = fold_.max_rows[parts(m_.panels, m_.chunks)];
  strip_ = lines_ >= 4 * known_shares ? line_ : parts(line_, parts(line_, high));
  strips_ = parts(line_, strip_);
  for (int threads = 1; threads <= known_shares; ++threads)
    shares_[threads - 1] = share_dot(work(), threads);
}

// A strip by a chunk: a product each, a broadcast each, and what becomes of the sums.
DotWork DotDriver::work() const {
  DotWork w{m_.d.group, m_.panels, m_.chunks, lines_ * strips_};
  const auto group_count = static_cast<double>(m_.groups.size());
  for (std::int64_t vecs = 1; vecs <= fold_.max_vecs; ++vecs) {
    const std::int64_t tiles = parts(strip_, fold_.max_rows[vecs]);
    const auto rows = static_cast<double>(strip_), v = static_cast<double>(vecs),
               loads = 1.4 * (rows + static_cast<double>(tiles) * v);
    w.strip_vec[vecs] = group_count * std::max(rows * v, loads) + 6 * rows * v;
  }
  w.weight_bytes = static_cast<double>(m_.d.group * m_.panels * m_.panel_bytes);
  w.input_bytes = static_cast<double>(m_.stage.bytes);
  return w;
}

// Even tiles: 7 rows of at most 6 are 4 and 3, the taller ones first.
void DotDriver::plan_tiles() {
  for (std::int64_t vecs = 1; vecs <= fold_.max_vecs; ++vecs) {
    const std::int64_t most = fold_.max_rows[vecs],
                       high = dense(vecs) ? most - most % m_.dense_step : most;
    for (std::int64_t rows = 1; rows <= most_rows; ++rows) {
      const std::int64_t count = parts(rows, high);
      plan_[vecs][rows] = {rows % count, count - rows % count, rows / count};
    }
  }
}

DotDriver::Columns DotDriver::columns(std::int64_t chunk, std::int64_t chunks) const {
  const std::int64_t g = chunk / chunks, first = chunk % chunks * m_.panels / chunks;
  return {g, first, (chunk % chunks + 1) * m_.panels / chunks - first};
}

void DotDriver::unit(std::int64_t u, const DotOperands& o) const {
  const std::int64_t piece = u % pieces_;
  u /= pieces_;
  const std::int64_t bundles = parts(lines_, lines_at_once_), bundle = u % bundles;
  const Columns c = columns(u / bundles, m_.chunks);
  const std::int64_t first = piece * piece_, last = std::min(line_, first + piece_);
  const std::int64_t end = std::min(lines_, (bundle + 1) * lines_at_once_);
  for (std::int64_t line = bundle * lines_at_once_; line < end; ++line)
    row_of_tiles(c, line, first, last, o);
}

DotShare DotDriver::share(int threads) const {
  return threads <= known_shares ? shares_[static_cast<std::size_t>(threads - 1)]
                                 : share_dot(work(), threads);
}

bool DotDriver::stages_itself(const DotShare& s) const {
  return m_.stage.needed && s.parts() > 1 && (m_.flat || (m_.stage.by_lines() && lines_ >= s.rows));
}

DotDriver::Reach DotDriver::reach(const DotShare& s, std::int64_t first, std::int64_t last) const {
  const std::int64_t strips = lines_ * strips_, begin = strips * first / s.rows,
                     end = strips * last / s.rows;
  if (m_.flat) return {begin * strip_, std::min(line_, end * strip_)};
  const auto line = [&](std::int64_t strip) {
    return line_start_[static_cast<std::size_t>(strip / strips_)] / m_.stage.row;
  };
  const Window& w = m_.d.window;
  return {line(begin), line(end - 1) + (w.kernel[1] - 1) * w.dilations[1] + 1};
}

std::int64_t DotDriver::own_room() const {
  const bool cuts_lines = !m_.flat && strips_ > 1;  // two parts may read the windows of one line
  return m_.stage.own_room() +
         (cuts_lines ? (m_.d.window.strides[1] * m_.stage.row + 63) / 64 * 64 : 0);
}

void DotDriver::part(const DotShare& s, std::int64_t i, const DotOperands& o) const {
  const std::int64_t column = i / s.rows, row = i % s.rows, chunks = m_.d.group * s.chunks,
                     strips = lines_ * strips_, first = strips * row / s.rows,
                     last = strips * (row + 1) / s.rows;
  for (std::int64_t k = chunks * column / s.columns; k < chunks * (column + 1) / s.columns; ++k) {
    const Columns c = columns(k, s.chunks);
    for (std::int64_t strip = first; strip < last;) {
      const std::int64_t line = strip / strips_, begin = strip % strips_,
                         end = std::min(strips_, begin + last - strip);
      row_of_tiles(c, line, begin * strip_, std::min(line_, end * strip_), o);
      strip += end - begin;
    }
  }
}

// `tiles` of `rows` rows each; t goes behind them.
void DotDriver::compute(DotTile& t, std::int64_t tiles, std::int64_t rows, std::int64_t vecs,
                        std::int64_t acc_step) const {
  if (tiles == 0) return;
  t.tiles = tiles;
  fold_.tile[rows][vecs](t);
  t.acc += tiles * rows * acc_step;
  t.origin += tiles * rows * t.step;
}

void DotDriver::row_of_tiles(const Columns& c, std::int64_t line, std::int64_t first,
                             std::int64_t last, const DotOperands& o) const {
  alignas(64) std::int32_t acc[most_sums];
  const std::int64_t step = m_.flat ? m_.stage.pixel : m_.d.window.strides[2] * m_.stage.pixel;
  const std::int64_t y_size = static_cast<std::int64_t>(size_of(m_.d.y));
  const std::int64_t channel = c.panel * m_.panel_width, at_padded = c.g * m_.width + channel,
                     channels = c.vecs * m_.panel_width,
                     acc_step = dense(c.vecs) ? channels : parts(channels, set_.lanes) * set_.lanes,
                     block = block_[static_cast<std::size_t>(c.vecs)];
  const std::int64_t position = (m_.flat ? 0 : line * line_) + first;
  DotTile t{o.x + line_start_[static_cast<std::size_t>(line)] + c.g * m_.d.ic * m_.stage.size +
                first * step,
            m_.groups.data(),
            static_cast<std::int64_t>(m_.groups.size()),
            step,
            0,
            o.weights + m_.weights_at(c.g, c.panel),
            m_.panel_bytes,
            o.start + at_padded,
            acc,
            m_.packed_bytes > near_weights,
            dense(c.vecs)};
  FinishTile f{&m_.d.finish,
               at_padded,
               acc,
               acc_step,
               0,
               std::min(m_.og - channel, channels),
               o.out + (position * m_.d.oc + c.g * m_.og + channel) * y_size,
               m_.d.oc * y_size,
               m_.d.y == DType::i8};
  const bool first_of_rows = far_ && c.g == 0 && c.panel == 0;
  for (std::int64_t at = first, rows = 0; at < last; at += rows, f.out += rows * f.out_step) {
    const std::int64_t left = last - at;
    // Two blocks that are left are even.
    rows = left <= block ? left : left < 2 * block ? (left + 1) / 2 : block;
    if (first_of_rows)
      expect_writes(f.out + rows * f.out_step, std::min(block, left - rows) * f.out_step);
    const std::byte* const origin = t.origin;
    const Tiles& tiles = plan_[c.vecs][rows];
    t.acc = acc;
    compute(t, tiles.tall, tiles.low_rows + 1, c.vecs, acc_step);
    compute(t, tiles.low, tiles.low_rows, c.vecs, acc_step);
    f.rows = t.dense ? 1 : rows;
    if (t.dense) f.channels = rows * channels;
    if (o.common) add_sums(origin, f, o.common + at_padded, acc);
    if (finish_)
      finish_(f);
    else
      finish_by_policy(f, m_.d.y);
  }
}

void DotDriver::add_sums(const std::byte* origin, const FinishTile& f, const std::int32_t* common,
                         std::int32_t* acc) const {
  set_.add_sums({origin, m_.runs.data(), static_cast<std::int64_t>(m_.runs.size()), m_.run_length,
                 m_.flat ? m_.stage.pixel : m_.d.window.strides[2] * m_.stage.pixel, f.rows, common,
                 acc, f.acc_step});
}

}  // namespace lockstep
