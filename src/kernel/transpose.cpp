// y[i0, i1, ...] = x[j0, j1, ...] with j[perm[d]] = i[d], by runs or by blocks of two axes
#include <algorithm>
#include <cstring>

#include "kernel/kernel.h"
#include "kernel/kernel_transpose.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Transpose"};

// Steps in elements.
struct Axis {
  std::int64_t n, from, to;
};

std::optional<std::vector<std::size_t>> permutation(const KernelProblem& p) {
  const std::size_t rank = p.view.input(0).shape.size();
  std::vector<std::int64_t> asked;
  if (p.view.has_input(1)) {
    if (!p.constants[1]) return {};
    asked = integers_of(*p.constants[1]);
  } else {
    asked = p.view.attrs().integers("perm");
    if (asked.empty())
      for (std::size_t d = rank; d-- > 0;) asked.push_back(static_cast<std::int64_t>(d));
  }
  if (asked.size() != rank) return {};
  auto axes = normal_axes(p.view, asked, rank);
  if (!axes.ok()) return {};
  return std::move(axes).value();
}

Shape strides_as_laid(const Shape& s, bool channels_last) {
  Shape strides(s.size(), 1);
  std::int64_t step = 1;
  const auto lay = [&](std::size_t d) {
    strides[d] = step;
    step *= s[d];
  };
  if (channels_last) lay(1);
  for (std::size_t d = s.size(); d-- > 0;)
    if (!channels_last || d != 1) lay(d);
  return strides;
}

// Outermost of y first; axes that stay neighbours are one.
std::vector<Axis> axes_of(const KernelProblem& p, bool channels_last) {
  const Shape &x = p.view.input(0).shape, &y = p.view.output(0).shape;
  const bool last = channels_last && x.size() > 2;
  const Shape from = strides_as_laid(x, last), to = strides_as_laid(y, last);
  const auto perm = *permutation(p);
  std::vector<Axis> axes, joined;
  for (std::size_t d = 0; d < perm.size(); ++d)
    if (y[d] != 1) axes.push_back({y[d], from[perm[d]], to[d]});
  std::ranges::sort(axes, [](const Axis& a, const Axis& b) { return a.to > b.to; });
  for (const Axis& a : axes) {
    if (!joined.empty() && joined.back().to == a.n * a.to && joined.back().from == a.n * a.from)
      joined.back() = {joined.back().n * a.n, a.from, a.to};
    else
      joined.push_back(a);
  }
  // The last two are the block: the axis that is innermost in x, then the one innermost in y.
  if (joined.empty()) joined.push_back({1, 1, 1});
  if (joined.back().from == 1) return joined;
  const auto inner = std::ranges::find(joined, std::int64_t{1}, &Axis::from);
  std::rotate(inner, inner + 1, joined.end() - 1);
  return joined;
}

class Transposed : public PreparedKernel {
 public:
  explicit Transposed(const KernelProblem& p)
      : width_(static_cast<std::int64_t>(size_of(p.view.input(0).dtype))),
        axes_{axes_of(p, false), axes_of(p, true)} {
    for (const bool last : {false, true}) small_[last] = small_of(axes_[last]);
  }
  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    const std::vector<Axis>& axes = axes_[r.channels_last];
    const SmallTranspositions& small = small_[r.channels_last];
    const Axis& a = axes[0];
    const bool alone = axes.size() < 3;
    std::int64_t step = width_;
    for (std::size_t d = 1; d < axes.size(); ++d) step *= axes[d].n;
    const std::int64_t least = std::max<std::int64_t>(1, worth_sharing / step);
    r.workers.each(
        alone ? 1 : a.n,
        [&](std::int64_t first, std::int64_t last, int) {
          if (alone) return walk(axes, 0, r.in[0], r.out[0]);
          const std::byte* const x = r.in[0] + first * a.from * width_;
          std::byte* const y = r.out[0] + first * a.to * width_;
          if (small.planned()) return small.run(x, y, last - first);
          for (std::int64_t i = 0; i < last - first; ++i)
            walk(axes, 1, x + i * a.from * width_, y + i * a.to * width_);
        },
        least);
  }

 private:
  static constexpr std::int64_t worth_sharing = 16384;  // bytes of a part

  // Dense small matrices of two axes, one behind the other in x as in y.
  SmallTranspositions small_of(const std::vector<Axis>& axes) const {
    if (axes.size() != 3) return {};
    const Axis &all = axes[0], &a = axes[1], &b = axes[2];
    if (a.from != 1 || b.to != 1 || b.from != a.n || a.to != b.n || all.from != a.n * b.n ||
        all.to != all.from)
      return {};
    return {b.n, a.n, static_cast<std::size_t>(width_)};
  }

  void walk(const std::vector<Axis>& axes, std::size_t d, const std::byte* x, std::byte* y) const {
    const Axis& a = axes[d];
    if (d + 1 == axes.size()) {
      std::memcpy(y, x, static_cast<std::size_t>(a.n * width_));
      return;
    }
    const Axis& b = axes[d + 1];
    if (d + 2 == axes.size() && b.from != 1)
      return transpose(x, y, {b.n, a.n, b.from, a.to, static_cast<std::size_t>(width_)});
    for (std::int64_t i = 0; i < a.n; ++i)
      walk(axes, d + 1, x + i * a.from * width_, y + i * a.to * width_);
  }

  std::int64_t width_;
  std::vector<Axis> axes_[2];  // as shaped, channels last
  SmallTranspositions small_[2];
};

bool fits(const KernelProblem& p) {
  const Value &x = p.view.input(0), &y = p.view.output(0);
  return !p.constants[0] && x.dtype == y.dtype && count_of(x.shape) > 0 &&
         permutation(p).has_value();
}

}  // namespace

extern constinit const Kernel kernel_transpose = {
    .name = "transpose",
    .ops = ops,
    .isa = Isa::any,
    .speed = 2,
    .meaning = "elements whose axes change places, by runs or by blocks of 16 x 16",
    .order = Order::any,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<Transposed>(p);
    },
};

}  // namespace lockstep
