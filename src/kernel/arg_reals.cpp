// y = the place of the greatest (or least) real along an axis, of equal ones the first or the last
#include <algorithm>

#include "kernel/kernel.h"
#include "op/op_arg.h"

#pragma GCC push_options
#pragma GCC optimize("O3", "no-trapping-math")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"ArgMax", "ArgMin"};
constexpr std::int64_t at_once = 64;

// `count` places side by side: element k of each stands `step` behind the one before, the places
// `apart`.
struct Places {
  const float* x;
  std::int64_t extent, step, apart, count;
  std::int32_t* at;
};

// A number that is none is never above or below.
template <class Better>
[[gnu::always_inline]] inline void best_of(const Places& p, Better better) {
  float best[at_once];
  for (std::int64_t j = 0; j < p.count; ++j) best[j] = p.x[j * p.apart], p.at[j] = 0;
  for (std::int64_t k = 1; k < p.extent; ++k) {
    const float* const row = p.x + k * p.step;
    for (std::int64_t j = 0; j < p.count; ++j) {
      const float v = row[j * p.apart];
      const bool takes = better(v, best[j]);
      best[j] = takes ? v : best[j];
      p.at[j] = takes ? static_cast<std::int32_t>(k) : p.at[j];
    }
  }
}
[[gnu::always_inline]] inline void best_by(const Places& p, bool greatest, bool last) {
  if (greatest && last) return best_of(p, [](float a, float b) { return a >= b; });
  if (greatest) return best_of(p, [](float a, float b) { return a > b; });
  if (last) return best_of(p, [](float a, float b) { return a <= b; });
  best_of(p, [](float a, float b) { return a < b; });
}
[[gnu::always_inline]] inline void best_here(const Places& p, bool greatest, bool last) {
  if (p.apart == 1 && p.count == at_once)
    best_by({p.x, p.extent, p.step, 1, at_once, p.at}, greatest, last);
  else if (p.apart == 1)
    best_by({p.x, p.extent, p.step, 1, p.count, p.at}, greatest, last);
  else
    best_by(p, greatest, last);
}
void portable(const Places& p, bool greatest, bool last) {
  best_here(p, greatest, last);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void by_avx2(const Places& p, bool greatest, bool last) {
  best_here(p, greatest, last);
}
#endif

class ArgReals : public PreparedKernel {
 public:
  explicit ArgReals(const KernelProblem& p) {
    const Value& x = p.view.input(0);
    const std::size_t axis = *normal_axis(p.view, integer_at(p.view, 1, "axis", 0), x.shape.size());
    extent_ = x.shape[axis];
    inner_ = strides_of(x.shape)[axis];
    outer_ = count_of(x.shape) / (extent_ * inner_);
    last_ = p.view.attrs().integer("select_last_index", 0) != 0;
    greatest_ = p.view.node.op == "ArgMax";
    wide_ = p.view.output(0).dtype == DType::i64;
#if defined(__x86_64__)
    if (runs_here(Isa::avx2)) best_ = by_avx2;
#endif
  }

  std::size_t scratch_bytes(int) const override {
    return 0;
  }
  void run(const KernelRun& r) const override {
    // Rows side by side where the axis is the last one.
    const std::int64_t lines = inner_ == 1 ? 1 : outer_, length = inner_ == 1 ? outer_ : inner_,
                       blocks = (length + at_once - 1) / at_once;
    const auto* const x = reinterpret_cast<const float*>(r.in[0]);
    r.workers.each(lines * blocks, [&](std::int64_t first, std::int64_t last, int) {
      std::int32_t at[at_once];
      for (std::int64_t u = first; u < last; ++u) {
        const std::int64_t line = u / blocks, from = u % blocks * at_once,
                           apart = inner_ == 1 ? extent_ : 1,
                           count = std::min(at_once, length - from);
        best_({x + line * inner_ * extent_ + from * apart, extent_, inner_, apart, count, at},
              greatest_, last_);
        leave(at, r.out[0], line * inner_ + from, count);
      }
    });
  }

 private:
  void leave(const std::int32_t* at, std::byte* y, std::int64_t first, std::int64_t count) const {
    if (wide_)
      std::copy_n(at, count, reinterpret_cast<std::int64_t*>(y) + first);
    else
      std::copy_n(at, count, reinterpret_cast<std::int32_t*>(y) + first);
  }

  void (*best_)(const Places&, bool, bool) = portable;
  std::int64_t extent_ = 1, inner_ = 1, outer_ = 1;
  bool greatest_ = true, last_ = false, wide_ = false;
};

bool fits(const KernelProblem& p) {
  const Value &x = p.view.input(0), &y = p.view.output(0);
  if (p.constants[0] || (p.view.has_input(1) && !p.constants[1])) return false;
  if (x.dtype != DType::f32 || (y.dtype != DType::i64 && y.dtype != DType::i32)) return false;
  return count_of(x.shape) > 0 && count_of(x.shape) < (std::int64_t{1} << 31) &&
         arg_infer(p.view).ok();
}

}  // namespace

extern constinit const Kernel kernel_arg_reals = {
    .name = "arg_reals",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "the place of the greatest or least real along an axis",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<ArgReals>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
