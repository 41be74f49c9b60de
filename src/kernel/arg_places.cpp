// y = the place of the greatest (or least) code along an axis, of equal ones the first or the last
#include <algorithm>

#include "kernel/kernel.h"
#include "op/op_arg.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"ArgMax", "ArgMin"};

class ArgPlaces : public PreparedKernel {
 public:
  explicit ArgPlaces(const KernelProblem& p) {
    const Value& x = p.view.input(0);
    const std::size_t axis = *normal_axis(p.view, integer_at(p.view, 1, "axis", 0), x.shape.size());
    extent_ = x.shape[axis];
    inner_ = strides_of(x.shape)[axis];
    count_ = count_of(p.view.output(0).shape);
    last_ = p.view.attrs().integer("select_last_index", 0) != 0;
    wide_ = p.view.output(0).dtype == DType::i64;
    // One order of keys for all: the greatest key is what is asked for.
    flip_ = static_cast<std::uint8_t>((x.dtype == DType::i8 ? 0x80 : 0) ^
                                      (p.view.node.op == "ArgMin" ? 0xff : 0));
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  void run(const KernelRun& r) const override {
    r.workers.each(count_, [&](std::int64_t first, std::int64_t last, int) {
      run_(*this, {r.in[0], r.out[0], first, last});
    });
  }

 private:
  struct Part {
    const std::byte* x;
    std::byte* y;
    std::int64_t first, last;
  };

  // The key above and the place below in one number: the greatest of them has both.
  template <class Number>
  [[gnu::always_inline]] inline std::int64_t place(const std::byte* x, std::int64_t step) const {
    constexpr int half = sizeof(Number) * 4;
    const std::int64_t most = extent_ - 1;
    Number best = 0;
    if (last_)
      for (std::int64_t k = 0; k <= most; ++k)
        best = std::max(best, key<Number>(x[k * step]) << half | static_cast<Number>(k));
    else
      for (std::int64_t k = 0; k <= most; ++k)
        best = std::max(best, key<Number>(x[k * step]) << half | static_cast<Number>(most - k));
    const auto where = static_cast<std::int64_t>(best & ((Number{1} << half) - 1));
    return last_ ? where : most - where;
  }
  template <class Number>
  Number key(std::byte x) const {
    return static_cast<Number>(static_cast<std::uint8_t>(x) ^ flip_);
  }

  [[gnu::always_inline]] inline void some(const Part& p) const {
    for (std::int64_t i = p.first; i < p.last; ++i) {
      std::int64_t at;
      if (extent_ >= 1 << 16)
        at = place<std::uint64_t>(p.x + i / inner_ * inner_ * extent_ + i % inner_, inner_);
      else if (inner_ == 1)
        at = place<std::uint32_t>(p.x + i * extent_, 1);
      else
        at = place<std::uint32_t>(p.x + i / inner_ * inner_ * extent_ + i % inner_, inner_);
      if (wide_)
        reinterpret_cast<std::int64_t*>(p.y)[i] = at;
      else
        reinterpret_cast<std::int32_t*>(p.y)[i] = static_cast<std::int32_t>(at);
    }
  }
  static void portable(const ArgPlaces& a, const Part& p) { a.some(p); }
#if defined(__x86_64__)
  [[gnu::target("avx2")]] static void by_avx2(const ArgPlaces& a, const Part& p) {
    a.some(p);
  }
#endif
  using Run = void (*)(const ArgPlaces&, const Part&);
  static Run pick() {
#if defined(__x86_64__)
    if (runs_here(Isa::avx2)) return by_avx2;
#endif
    return portable;
  }

  const Run run_ = pick();
  std::int64_t extent_ = 1, inner_ = 1, count_ = 0;
  std::uint8_t flip_ = 0;
  bool last_ = false, wide_ = false;
};

bool fits(const KernelProblem& p) {
  const Value &x = p.view.input(0), &y = p.view.output(0);
  if (p.constants[0] || (p.view.has_input(1) && !p.constants[1])) return false;
  if (x.dtype != DType::i8 && x.dtype != DType::u8) return false;
  if (y.dtype != DType::i64 && y.dtype != DType::i32) return false;
  return count_of(x.shape) > 0 && count_of(x.shape) < (std::int64_t{1} << 32) &&
         arg_infer(p.view).ok();
}

}  // namespace

extern constinit const Kernel kernel_arg_places = {
    .name = "arg_places",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "the place of the greatest or least code along an axis",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<ArgPlaces>(p);
    },
};

}  // namespace lockstep

#pragma GCC pop_options
