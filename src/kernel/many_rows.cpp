// y = greatest, least, sum or mean of any number of operands that are spread, joined one after the
// other
#include <algorithm>

#include "kernel/kernel.h"
#include "kernel/kernel_spread.h"
#include "op/op_variadic.h"

#pragma GCC push_options
#pragma GCC optimize("O3", "no-trapping-math")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Max", "Mean", "Min", "Sum"};

enum class Join : std::uint8_t { greatest, least, sum };

// A run of neighbours of y and the operand that joins them, which may stand still.
template <class T>
struct Run {
  T* y;
  const T* x;
  std::int64_t step, count;
  bool first;
};

template <class T, class F>
void each(const Run<T>& r, F f) {
  if (r.step == 1)
    for (std::int64_t i = 0; i < r.count; ++i) r.y[i] = f(r.y[i], r.x[i]);
  else
    for (std::int64_t i = 0; i < r.count; ++i) r.y[i] = f(r.y[i], r.x[i * r.step]);
}
template <class T>
void join(const Run<T>& r, Join how) {
  if (r.first) return each(r, [](T, T x) { return x; });
  switch (how) {
    case Join::greatest:
      return each(r, [](T y, T x) { return x > y || x != x ? x : y; });
    case Join::least:
      return each(r, [](T y, T x) { return x < y || x != x ? x : y; });
    case Join::sum:
      return each(r, [](T y, T x) { return wrapping_add(y, x); });
  }
}

class ManyRows : public PreparedKernel {
 public:
  explicit ManyRows(const KernelProblem& p)
      : type_(p.view.output(0).dtype), count_(count_of(p.view.output(0).shape)) {
    const std::string_view op = p.view.node.op;
    how_ = op == "Max" ? Join::greatest : op == "Min" ? Join::least : Join::sum;
    const Shape& y = p.view.output(0).shape;
    if (op == "Mean") share_ = 1.0f / static_cast<float>(p.view.input_count());
    for (std::size_t k = 0; k < p.view.input_count(); ++k) {
      Operand& o = operands_.emplace_back();
      const Shape& x = p.view.input(k).shape;
      if (p.constants[k])
        o.fixed.assign(p.constants[k]->bytes().begin(), p.constants[k]->bytes().end());
      for (const bool last : {false, true})
        o.spread[last] = spread_of(y, y, last, x, last && o.fixed.empty(), last);
    }
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    switch (type_) {
      case DType::f32:
        return all<float>(r);
      case DType::i8:
        return all<std::int8_t>(r);
      case DType::u8:
        return all<std::uint8_t>(r);
      case DType::i32:
        return all<std::int32_t>(r);
      default:
        return all<std::int64_t>(r);
    }
  }

 private:
  struct Operand {
    Spread spread[2];
    std::vector<std::byte> fixed;
  };

  template <class T>
  void all(const KernelRun& r) const {
    auto* const y = reinterpret_cast<T*>(r.out[0]);
    for (std::size_t k = 0; k < operands_.size(); ++k) {
      const Operand& o = operands_[k];
      const auto* const x = reinterpret_cast<const T*>(o.fixed.empty() ? r.in[k] : o.fixed.data());
      const Spread& s = o.spread[r.channels_last];
      const std::size_t inner = s.axes - 1;
      const std::int64_t whole = s.extent[inner];
      r.workers.each(count_ / whole, [&](std::int64_t first, std::int64_t last, int) {
        for (std::int64_t u = first; u < last; ++u) {
          std::int64_t row = u, from = 0;
          for (std::size_t d = inner; d-- > 0; row /= s.extent[d])
            from += row % s.extent[d] * s.b[d];
          join<T>({y + u * whole, x + from, s.b[inner], whole, k == 0}, how_);
        }
      });
    }
    if constexpr (std::is_same_v<T, float>)
      for (std::int64_t i = 0; share_ != 0 && i < count_; ++i) y[i] = y[i] * share_;
  }

  DType type_;
  std::int64_t count_;
  Join how_;
  float share_ = 0;  // of each operand in a mean
  std::vector<Operand> operands_;
};

bool fits(const KernelProblem& p) {
  const Value& y = p.view.output(0);
  constexpr DType types[] = {DType::f32, DType::i8, DType::u8, DType::i32, DType::i64};
  if (std::ranges::find(types, y.dtype) == std::end(types) || y.shape.size() > most_axes ||
      count_of(y.shape) == 0 || (p.view.node.op == "Mean" && y.dtype != DType::f32))
    return false;
  bool computed = false;
  for (std::size_t k = 0; k < p.view.input_count(); ++k) {
    if (!p.view.has_input(k) || p.view.input(k).dtype != y.dtype) return false;
    computed |= !p.constants[k];
  }
  return computed;
}

}  // namespace

extern constinit const Kernel kernel_many_rows = {
    .name = "many_rows",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "greatest, least, sum and mean of any number of operands that are spread",
    .order = Order::any,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<ManyRows>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
