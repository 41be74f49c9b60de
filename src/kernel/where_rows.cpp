// y[i] = x[i] where condition[i], else z[i]; the three are spread against each other
#include <algorithm>

#include "kernel/kernel.h"
#include "kernel/kernel_spread.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Where"};

class WhereRows : public PreparedKernel {
 public:
  explicit WhereRows(const KernelProblem& p)
      : width_(size_of(p.view.output(0).dtype)), count_(count_of(p.view.output(0).shape)) {
    const Shape& y = p.view.output(0).shape;
    const auto shape = [&](std::size_t i) { return p.view.input(i).shape; };
    for (std::size_t i = 0; i < 3; ++i)
      if (p.constants[i])
        fixed_[i].assign(p.constants[i]->bytes().begin(), p.constants[i]->bytes().end());
    for (const bool last : {false, true}) {
      const auto moved = [&](std::size_t i) { return last && fixed_[i].empty(); };
      others_[last] = spread_of(y, y, last, shape(2), moved(2), last);
      chosen_[last] = spread_of(y, shape(0), moved(0), shape(1), moved(1), last);
    }
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override {
    return fixed_[0].size() + fixed_[1].size() + fixed_[2].size();
  }
  void run(const KernelRun& r) const override {
    if (width_ == 1)
      over<std::uint8_t>(r);
    else if (width_ == 2)
      over<std::uint16_t>(r);
    else if (width_ == 4)
      over<std::uint32_t>(r);
    else
      over<std::uint64_t>(r);
  }

 private:
  const std::byte* operand(const KernelRun& r, std::size_t i) const {
    return fixed_[i].empty() ? r.in[i] : fixed_[i].data();
  }

  // Calls row(first element of y, of a, of b) for the rows that `s` is cut into.
  template <class Row>
  void each_row(const KernelRun& r, const Spread& s, Row&& row) const {
    const std::size_t inner = s.axes - 1;
    r.workers.each(count_ / s.extent[inner], [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) {
        std::int64_t rest = u, a = 0, b = 0;
        for (std::size_t d = inner; d-- > 0; rest /= s.extent[d]) {
          a += rest % s.extent[d] * s.a[d];
          b += rest % s.extent[d] * s.b[d];
        }
        row(u * s.extent[inner], a, b);
      }
    });
  }

  template <class T>
  void over(const KernelRun& r) const {
    const std::byte* const condition = operand(r, 0);
    const auto *const x = reinterpret_cast<const T*>(operand(r, 1)), *const z =
                                                                         reinterpret_cast<const T*>(
                                                                             operand(r, 2));
    auto* const y = reinterpret_cast<T*>(r.out[0]);
    const Spread &others = others_[r.channels_last], &chosen = chosen_[r.channels_last];
    each_row(r, others, [&](std::int64_t at, std::int64_t, std::int64_t from) {
      copy(y + at, z + from, others.b[others.axes - 1], others.extent[others.axes - 1]);
    });
    each_row(r, chosen, [&](std::int64_t at, std::int64_t asked, std::int64_t from) {
      choose(y + at, condition + asked, x + from, chosen);
    });
  }

  template <class T>
  static void copy(T* y, const T* z, std::int64_t step, std::int64_t n) {
    if (step == 1)
      std::copy_n(z, n, y);
    else
      for (std::int64_t i = 0; i < n; ++i) y[i] = z[i * step];
  }
  template <class T>
  static void choose(T* y, const std::byte* condition, const T* x, const Spread& s) {
    const std::int64_t n = s.extent[s.axes - 1], c = s.a[s.axes - 1], step = s.b[s.axes - 1];
    const auto* const asked = reinterpret_cast<const std::uint8_t*>(condition);
    if (c == 1 && step == 1) {
      for (std::int64_t i = 0; i < n; ++i) y[i] = chosen_of(asked[i], x[i], y[i]);
    } else if (c == 1 && step == 0) {
      const T one = *x;
      for (std::int64_t i = 0; i < n; ++i) y[i] = chosen_of(asked[i], one, y[i]);
    } else {
      for (std::int64_t i = 0; i < n; ++i) y[i] = chosen_of(asked[i * c], x[i * step], y[i]);
    }
  }
  // By bits, as no processor guesses what a condition says.
  template <class T>
  static T chosen_of(std::uint8_t condition, T x, T z) {
    const T all = static_cast<T>(T{0} - static_cast<T>(condition != 0));
    return static_cast<T>((x & all) | (z & static_cast<T>(~all)));
  }

  std::size_t width_;
  std::int64_t count_;
  std::vector<std::byte> fixed_[3];
  Spread others_[2], chosen_[2];  // as shaped, channels last: y and z, condition and x
};

bool fits(const KernelProblem& p) {
  const Value& y = p.view.output(0);
  if (y.shape.size() > most_axes || count_of(y.shape) == 0) return false;
  // A condition of one axis may stand for the outermost one.
  if (p.view.attrs().integer("rows", 0) != 0 && p.view.input(0).shape.size() == 1 &&
      p.view.input(1).shape.size() > 1)
    return false;
  return p.view.input(0).dtype == DType::boolean && p.view.input(1).dtype == y.dtype &&
         p.view.input(2).dtype == y.dtype &&
         (!p.constants[0] || !p.constants[1] || !p.constants[2]);
}

}  // namespace

extern constinit const Kernel kernel_where_rows = {
    .name = "where_rows",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "one of two operands by a third, all spread",
    .order = Order::any,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<WhereRows>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
