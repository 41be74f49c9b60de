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
               : whole + static_cast<std::size_t>(4 * threads * m_.stage.own_room());
  }
  std::size_t resident_bytes() const override { return m_.packed.size(); }

  void run(const KernelRun& r) const override {
    const Window& w = m_.d.window;
    const std::int64_t bundles = (w.out[1] + m_.rows - 1) / m_.rows;
    // Each part stages the lines that it reads, where no other thread writes.
    const bool apart = m_.stage.needed && m_.stage.by_lines() && r.workers.threads() > 1;
    if (m_.stage.needed && !apart)
      r.workers.each(m_.stage.parts(), [&](std::int64_t first, std::int64_t last, int) {
        m_.stage.run(r.in[0], r.scratch, first, last);
      });
    r.workers.each(w.batch * w.out[0] * bundles,
                   [&](std::int64_t first, std::int64_t last, int piece) {
                     std::byte* const room = r.scratch + piece * m_.stage.own_room();
                     if (apart) stage_lines(r.in[0], room, bundles, first, last);
                     compute(!m_.stage.needed ? r.in[0]
                             : apart          ? room
                                              : r.scratch,
                             r.out[0], bundles, first, last);
                   });
  }

 private:
  // What bundles first to last of lines read: from the first one's to the last one's window.
  void stage_lines(const std::byte* x, std::byte* to, std::int64_t bundles, std::int64_t first,
                   std::int64_t last) const {
    const Window& w = m_.d.window;
    const auto line = [&](std::int64_t i, std::int64_t row) {
      return i / bundles * m_.stage.extent[1] +
             std::min(w.out[1] - 1, i % bundles * m_.rows + row) * w.strides[1];
    };
    m_.stage.run_lines(x, to, line(first, 0),
                       line(last - 1, m_.rows - 1) + (w.kernel[1] - 1) * w.dilations[1] + 1);
  }

  void compute(const std::byte* x, std::byte* y, std::int64_t bundles, std::int64_t first,
               std::int64_t last) const {
    const Window& w = m_.d.window;
    const auto& lines = m_.set.line[form(m_.d.finish.form)][m_.join_log][m_.rows - 1];
    DepthwiseLine line = m_.line;
    line.owner = this;
    line.finish = finish;
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t oh = i % bundles * m_.rows, od = i / bundles % w.out[0],
                         n = i / bundles / w.out[0];
      line.x = x + n * m_.stage.extent[0] * m_.stage.plane + od * w.strides[0] * m_.stage.plane +
               oh * w.strides[1] * m_.stage.row;
      line.out = y + ((n * w.out[0] + od) * w.out[1] + oh) * m_.line.row_bytes;
      const bool whole = oh + m_.rows <= w.out[1];
      // A last line alone reads nothing of the one that is not there.
      line.taps = whole ? m_.taps.data() : m_.first_taps.data();
      lines[whole ? m_.rows - 1 : 0](line);
    }
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
