// y0, y1, ... = the parts of x along an axis: runs that lie together
#include <cstring>
#include <optional>

#include "kernel/kernel.h"
#include "kernel/kernel_spread.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Split"};

class Parts : public PreparedKernel {
 public:
  explicit Parts(const KernelProblem& p) {
    const Shape& x = p.view.input(0).shape;
    const auto size = static_cast<std::int64_t>(size_of(p.view.input(0).dtype));
    const std::size_t axis = *normal_axis(p.view, p.view.attrs().integer("axis", 0), x.size());
    for (std::size_t i = 0; i < p.view.node.outputs.size(); ++i)
      parts_.push_back(p.view.node.outputs[i] == no_id ? 0 : p.view.output(i).shape[axis]);
    for (const bool last : {false, true}) {
      Order& o = order_[last];
      std::int64_t* to = &o.outer;
      const auto take = [&](std::size_t a) {
        if (a == axis)
          to = &o.inner;
        else
          *to *= x[a];
      };
      const bool moved = last && x.size() > 2;
      for (std::size_t a = 0; a < x.size(); ++a)
        if (!moved || a != 1) take(a);
      if (moved) take(1);
      o.inner *= size;
    }
    extent_ = x[axis];
    // A part that nobody names still takes its place.
    start_.push_back(0);
    Shape extents = *split_extents(p.view);
    for (const std::int64_t e : extents) start_.push_back(start_.back() + e);
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    const Order& o = order_[r.channels_last];
    const auto row = extent_ * o.inner;
    r.workers.each(o.outer, [&](std::int64_t first, std::int64_t last, int) {
      for (std::size_t i = 0; i < parts_.size(); ++i) {
        if (parts_[i] == 0) continue;
        const std::int64_t bytes = parts_[i] * o.inner;
        for (std::int64_t k = first; k < last; ++k)
          std::memcpy(r.out[i] + k * bytes, r.in[0] + k * row + start_[i] * o.inner,
                      static_cast<std::size_t>(bytes));
      }
    });
  }

 private:
  struct Order {
    std::int64_t outer = 1, inner = 1;  // runs; bytes of one element of the axis
  };
  static std::optional<Shape> split_extents(const NodeView& n) {
    const auto facts = find_op("Split")->infer(n);
    if (!facts.ok()) return {};
    const auto axis = *normal_axis(n, n.attrs().integer("axis", 0), n.input(0).shape.size());
    Shape extents;
    for (const Facts& f : *facts) extents.push_back(f.shape[axis]);
    return extents;
  }

  std::vector<std::int64_t> parts_, start_;  // 0: nobody reads it
  std::int64_t extent_ = 0;
  Order order_[2];
};

bool fits(const KernelProblem& p) {
  if (p.constants[0] || (p.view.has_input(1) && !p.constants[1])) return false;
  const Value& x = p.view.input(0);
  return !x.shape.empty() && count_of(x.shape) > 0 && find_op("Split")->infer(p.view).ok();
}

}  // namespace

extern constinit const Kernel kernel_parts = {
    .name = "parts",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "parts along an axis, run by run",
    .order = Order::any,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<Parts>(p);
    },
};

}  // namespace lockstep
