#include "kernel/kernel_dot_layout.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

namespace lockstep {
namespace {

constexpr std::int64_t parts(std::int64_t v, std::int64_t of) {
  return (v + of - 1) / of;
}

// [group * per_group] to [group * width], and one vector more that tiles may read.
template <class T>
std::vector<T> padded_groups(const std::vector<T>& v, std::int64_t group, std::int64_t per_group,
                             std::int64_t width) {
  std::vector<T> out;
  if (v.empty()) return out;
  out.resize(static_cast<std::size_t>(group * width + 64));
  for (std::int64_t g = 0; g < group; ++g)
    std::copy_n(v.begin() + g * per_group, per_group, out.begin() + g * width);
  return out;
}

// v so many times, and one vector more that tiles may read.
template <class T>
std::vector<T> repeated(const std::vector<T>& v, std::int64_t times) {
  std::vector<T> out;
  if (v.empty()) return out;
  out.reserve(v.size() * static_cast<std::size_t>(times) + 64);
  for (std::int64_t i = 0; i < times; ++i) out.insert(out.end(), v.begin(), v.end());
  out.resize(out.size() + 64);
  return out;
}

}  // namespace

DotLayout::DotLayout(DotProblem problem, const DotSet& set) : d(std::move(problem)) {
  const Window& w = d.window;
  stage = set.wide ? Stage::of_words(w) : Stage::of(w, d.x, d.x_zero, set.words, set.stage);
  flat = w.kernel_count() == 1 && w.strides[0] == 1 && w.strides[1] == 1 && w.strides[2] == 1 &&
         w.out == w.in && !stage.padded;
  og = d.oc / d.group;
  list_runs();
  choose_fold(set, d.w.empty() ? 0 : 2);
  if (!d.w.empty()) {
    take_common(set);
    pack(set);
  }
  find_dense(set);
  pad_finish();
  d.w = {};
}

void DotLayout::list_runs() {
  const Window& w = d.window;
  const bool joined = w.dilations[2] == 1 && d.group == 1;
  run_length = joined ? w.kernel[2] * d.ic : d.ic;
  for (std::int64_t a = 0; a < w.kernel[0]; ++a)
    for (std::int64_t b = 0; b < w.kernel[1]; ++b)
      for (std::int64_t c = 0; c < (joined ? 1 : w.kernel[2]); ++c)
        runs.push_back(a * w.dilations[0] * stage.plane + b * w.dilations[1] * stage.row +
                       c * w.dilations[2] * stage.pixel);
}

// In halves of a cycle for one output position: a product each, a broadcast each, what joins
// partial sums and what makes codes of them.
void DotLayout::choose_fold(const DotSet& set, int most_log) {
  const std::int64_t elements = set.words ? 2 : 4;
  double least = std::numeric_limits<double>::infinity();
  for (int log = 0; log <= most_log; ++log) {
    const DotFold& f = set.fold[log];
    if (f.max_vecs == 0) continue;
    const std::int64_t width_of_panel = set.lanes >> log, all = parts(og, width_of_panel),
                       count = parts(all, f.max_vecs);
    const auto group_count = static_cast<double>(static_cast<std::int64_t>(runs.size()) *
                                                 parts(run_length, elements << log));
    double cost = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t vecs = (i + 1) * all / count - i * all / count;
      const double loads = 1.4 * (1.0 + static_cast<double>(vecs) / f.max_rows[vecs]);
      cost += group_count * std::max(static_cast<double>(vecs), loads);
    }
    const double sums = log > 0 && fills(all, count, width_of_panel)
                            ? static_cast<double>(og) / set.lanes
                            : static_cast<double>(parts(og, set.lanes));
    cost += sums * (6.0 + (log == 0 ? 0.0 : log == 1 ? 1.5 : 4.5));
    if (cost >= least) continue;
    least = cost;
    fold_log = log;
    panel_width = width_of_panel;
    panels = all;
    chunks = count;
  }
  const std::int64_t fold = std::int64_t{1} << fold_log;
  width = parts(panels * panel_width, set.lanes) * set.lanes;
  for (const std::int64_t run : runs)
    for (std::int64_t q = 0; q < parts(run_length, elements * fold); ++q)
      groups.push_back(run + q * 4 * fold);
  panel_bytes = static_cast<std::int64_t>(groups.size()) * set.lanes * 4;
}

// A byte product needs weights that are signed bytes. Where a channel's are not, a number that all
// of them have in common is taken out.
void DotLayout::take_common(const DotSet& set) {
  if (set.words) return;
  const std::int64_t zero = d.x_zero + (d.x == DType::i8 ? 128 : 0);
  std::vector<std::int32_t> taken(static_cast<std::size_t>(d.oc), 0);
  bool any = false;
  for (std::int64_t o = 0; o < d.oc; ++o) {
    const DotWeights::Row row = d.w.row(o);
    // x is read as x - 0: what its zero point adds goes into the bias.
    auto& b = d.bias[static_cast<std::size_t>(o)];
    b = static_cast<std::int32_t>(static_cast<std::uint32_t>(b) -
                                  static_cast<std::uint32_t>(row.sum * zero));
    if (row.low >= -128 && row.high <= 127) continue;
    taken[static_cast<std::size_t>(o)] = row.high - 127;
    any |= row.high != 127;
  }
  if (any) common = taken;
}

void DotLayout::pack(const DotSet& set) {
  const std::int64_t fold = std::int64_t{1} << fold_log;
  packed_bytes = static_cast<std::size_t>(d.group * panels * panel_bytes + 64);
  packed = std::make_unique<std::byte[]>(packed_bytes);
  weights_ = packed.get() + (64 - reinterpret_cast<std::uintptr_t>(packed.get()) % 64) % 64;
  DotWeights::Pieces pieces;
  pieces.runs = static_cast<std::int64_t>(runs.size());
  pieces.run_length = run_length;
  pieces.piece = fold * (set.words ? 2 : 4);
  pieces.step = std::int64_t{4} * set.lanes;
  pieces.words = set.words;
  for (std::int64_t o = 0; o < d.oc; ++o) {
    const std::int64_t g = o / og, c = o % og;
    pieces.taken = common.empty() ? 0 : common[static_cast<std::size_t>(o)];
    d.w.pack(o, pieces, weights_ + weights_at(g, c / panel_width) + c % panel_width * 4 * fold);
  }
}

void DotLayout::find_dense(const DotSet& set) {
  const std::int64_t fold = std::int64_t{1} << fold_log;
  if (panels % fold == 0 || !fills(panels, chunks, panel_width) || !common.empty()) return;
  dense_step = fold / std::gcd(panels, fold);
  const std::int64_t most = set.fold[fold_log].max_rows[panels], high = most - most % dense_step;
  dense_rows = 4 * high;
}

void DotLayout::pad_finish() {
  DotFinish& f = d.finish;
  const auto padded = [this](const auto& v) {
    return dense_rows > 0 ? repeated(v, dense_rows) : padded_groups(v, d.group, og, width);
  };
  f.bias = padded(d.bias);
  f.factor = padded(f.factor);
  f.multiplier = padded(f.multiplier);
  f.left = padded(f.left);
  f.right = padded(f.right);
  f.rescale = padded(f.rescale);
  f.w_scale = padded(f.w_scale);
  common = padded(common);
}

}  // namespace lockstep
