#include "kernel/kernel_depthwise.h"

#include <algorithm>

#include "kernel/kernel_depthwise_layout.h"

namespace lockstep {
namespace {

class DepthwiseKernel : public PreparedKernel {
 public:
  DepthwiseKernel(const KernelProblem& p, const DepthwiseSet& set) : m_(p, set) {}

  std::size_t scratch_bytes(int threads) const override {
    const std::size_t whole = m_.stage.scratch_bytes();
    // Pieces are four for each thread at most.
    return threads == 1 || whole == 0
               ? whole
               : whole + static_cast<std::size_t>(4 * threads * room(strips(threads)));
  }
  std::size_t resident_bytes() const override { return m_.packed.size(); }

  void run(const KernelRun& r) const override {
    const std::int64_t cut = strips(r.workers.threads());
    // Each part stages the lines that it reads, where no other thread writes.
    const bool apart = m_.stage.needed && m_.stage.by_lines() && r.workers.threads() > 1;
    if (m_.stage.needed && !apart)
      r.workers.each(m_.stage.parts(), [&](std::int64_t first, std::int64_t last, int) {
        m_.stage.run(r.in[0], r.scratch, first, last);
      });
    r.workers.each(all_bundles() * cut, [&](std::int64_t first, std::int64_t last, int piece) {
      std::byte* const own = r.scratch + piece * room(cut);
      if (apart) stage_lines(r.in[0], own, first / cut, (last + cut - 1) / cut);
      compute(!m_.stage.needed ? r.in[0] : apart ? own : r.scratch, r.out[0], {cut, first, last});
    });
  }

 private:
  std::int64_t bundles_of_plane() const { return (m_.d.window.out[1] + m_.rows - 1) / m_.rows; }
  std::int64_t all_bundles() const {
    return m_.d.window.batch * m_.d.window.out[0] * bundles_of_plane();
  }
  // Where lines are fewer than threads, each is cut into so many strips.
  std::int64_t strips(int threads) const {
    constexpr std::int64_t least_vectors = 96;  // of a strip
    const std::int64_t most = m_.line.pixels * m_.line.vectors / least_vectors,
                       each =
                           (threads + all_bundles() - 1) / std::max<std::int64_t>(1, all_bundles());
    return std::max<std::int64_t>(1, std::min(most, each));
  }
  // Between what pieces stage; strips of one line stage all of it.
  std::int64_t room(std::int64_t cut) const {
    return m_.stage.own_room() + (cut > 1 ? (m_.stage.bytes + 63) / 64 * 64 : 0);
  }

  // What bundles first to last of lines read: from the first one's to the last one's window.
  void stage_lines(const std::byte* x, std::byte* to, std::int64_t first, std::int64_t last) const {
    const Window& w = m_.d.window;
    const std::int64_t bundles = bundles_of_plane();
    const auto line = [&](std::int64_t i, std::int64_t row) {
      return i / bundles * m_.stage.extent[1] +
             std::min(w.out[1] - 1, i % bundles * m_.rows + row) * w.strides[1];
    };
    m_.stage.run_lines(x, to, line(first, 0),
                       line(last - 1, m_.rows - 1) + (w.kernel[1] - 1) * w.dilations[1] + 1);
  }

  // Strips first to last, of which a line has `cut`.
  struct Part {
    std::int64_t cut, first, last;
  };
  void compute(const std::byte* x, std::byte* y, const Part& part) const {
    const Window& w = m_.d.window;
    const auto& lines = m_.set.line[form(m_.d.finish.form)][m_.join_log][m_.rows - 1];
    const std::int64_t bundles = bundles_of_plane();
    DepthwiseLine line = m_.line;
    line.owner = this;
    line.finish = finish;
    for (std::int64_t u = part.first; u < part.last; ++u) {
      const std::int64_t i = u / part.cut, oh = i % bundles * m_.rows, od = i / bundles % w.out[0],
                         n = i / bundles / w.out[0];
      line.x = x + n * m_.stage.extent[0] * m_.stage.plane + od * w.strides[0] * m_.stage.plane +
               oh * w.strides[1] * m_.stage.row;
      line.out = y + ((n * w.out[0] + od) * w.out[1] + oh) * m_.line.row_bytes;
      const bool whole = oh + m_.rows <= w.out[1];
      // A last line alone reads nothing of the one that is not there.
      line.taps = whole ? m_.taps.data() : m_.first_taps.data();
      const auto compute_line = lines[whole ? m_.rows - 1 : 0];
      part.cut > 1 ? compute_line(strip(line, u % part.cut, part.cut)) : compute_line(line);
    }
  }

  // Strip i of so many: pixels, or vectors by whole rounds of blocks where the line is one run.
  DepthwiseLine strip(DepthwiseLine t, std::int64_t i, std::int64_t cut) const {
    if (m_.d.window.strides[2] != 1) {
      const std::int64_t first = t.pixels * i / cut, last = t.pixels * (i + 1) / cut;
      if (last < t.pixels) t.last_join = std::int64_t{1} << m_.join_log;
      t.x += first * t.x_step;
      t.out += first * t.y_step;
      t.pixels = last - first;
      return t;
    }
    const std::int64_t rounds = (t.vectors + t.blocks - 1) / t.blocks,
                       first = rounds * i / cut * t.blocks,
                       last = std::min(t.vectors, rounds * (i + 1) / cut * t.blocks);
    t.x += first * m_.set.bytes;
    t.out += first * m_.elements * t.y_size;
    t.pixel_count = std::min(t.pixel_count, last * m_.elements) - first * m_.elements;
    t.vectors = last - first;
    return t;
  }

  static int form(RequantForm f) {
    return f == RequantForm::float_nearest ? 0 : f == RequantForm::fixed_twice ? 1 : 2;
  }

  static void finish(const DepthwiseLine& t, const std::int32_t* acc, std::int64_t block,
                     std::int64_t count, std::byte* out) {
    const auto& k = *static_cast<const DepthwiseKernel*>(t.owner);
    for (std::int64_t i = 0; i < std::min(count, k.m_.elements); ++i)
      finish_sum(k.m_.d.finish, static_cast<std::size_t>(k.m_.channel(block, i)),
                 acc[k.m_.place[static_cast<std::size_t>(i)]], k.m_.d.y, out + i * t.y_size);
  }

  const DepthwiseLayout m_;
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
