#include "kernel/kernel_products.h"

#include <algorithm>

#include "kernel/kernel_dot_driver.h"
#include "kernel/kernel_transpose.h"
#include "op/op_matrix.h"

namespace lockstep {
namespace {

// With a - a_zero = x - x0 (bytes, unsigned) and b - b_zero = w - w0 (bytes, signed):
//   sum (x - x0) (w - w0) = sum x w - w0 sum x - x0 sum w + k x0 w0
// Tiles make sums of x w; `common` is -w0, `start` the rest.
class ProductsKernel : public PreparedKernel {
 public:
  ProductsKernel(const KernelProblem& p, const DotSet& set)
      : set_(set), plan_(*matrix_plan(p.view)), driver_(*computed_product(p), set) {
    each_matrix(plan_, [&](std::int64_t iy, std::int64_t ia, std::int64_t ib) {
      list_.push_back({iy, ia, ib});
    });
    const Value &a = p.view.input(0), &b = p.view.input(1);
    a_count_ = count_of(a.shape) / (plan_.m * plan_.k);
    b_count_ = count_of(b.shape) / (plan_.k * plan_.n);
    keep(p.constants[0], fixed_a_);
    keep(p.constants[1], fixed_b_);
    groups_.assign(m().groups.size(), 0);
    set_zero_points(b);
    place();
  }

  std::size_t scratch_bytes(int) const override { return scratch_; }

  void run(const KernelRun& r) const override {
    const std::byte* const a = stage(fixed_a_.empty() ? r.in[0] : fixed_a_.data(), r);
    const std::byte* const b = fixed_b_.empty() ? r.in[1] : fixed_b_.data();
    r.workers.each(b_count_ * m().panels, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) pack(b, u / m().panels, u % m().panels, r);
    });
    const auto count = static_cast<std::int64_t>(list_.size());
    const std::int64_t units = driver_.units(),
                       y_size = static_cast<std::int64_t>(size_of(m().d.y));
    r.workers.each(count * units, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u) {
        const Matrices& at = list_[static_cast<std::size_t>(u / units)];
        driver_.unit(u % units, {a + at.a * plan_.m * plan_.k * m().stage.size,
                                 packed(r) + at.b * weight_bytes(), start(r) + at.b * m().width,
                                 common_.empty() ? nullptr : common_.data(),
                                 r.out[0] + at.y * plan_.m * plan_.n * y_size});
      }
    });
  }

 private:
  struct Matrices {
    std::int64_t y, a, b;
  };
  const DotLayout& m() const { return driver_.layout(); }
  std::int64_t weight_bytes() const { return m().panels * m().panel_bytes; }
  std::byte* packed(const KernelRun& r) const { return r.scratch + packed_at_; }
  std::int32_t* start(const KernelRun& r) const {
    return reinterpret_cast<std::int32_t*>(r.scratch + start_at_);
  }

  static void keep(const Tensor* t, std::vector<std::byte>& to) {
    if (!t) return;
    to.assign(t->bytes().begin(), t->bytes().end());
    to.resize(to.size() + kernel_slack);
  }

  void set_zero_points(const Value& b) {
    source_ = {plan_.k,    plan_.n, plan_.trans_b, b.dtype == DType::i8, set_.words,
               set_.lanes, 0,       nullptr};
    source_.flip = b.dtype == DType::u8 ? 128 : 0;
    zero_.resize(static_cast<std::size_t>(m().width));
    for (std::int64_t j = 0; j < plan_.n; ++j)
      zero_[static_cast<std::size_t>(j)] = static_cast<std::int16_t>(
          b.quant.zero_at(plan_.trans_b ? 0 : static_cast<std::size_t>(j)) -
          (set_.words ? 0 : source_.flip));
    source_.zero = zero_.data();
    if (set_.words) return;
    x_zero_ = m().d.x_zero + (m().d.x == DType::i8 ? 128 : 0);
    if (std::ranges::any_of(zero_, [](std::int16_t z) { return z != 0; })) {
      common_.resize(zero_.size() + 64);
      for (std::size_t j = 0; j < zero_.size(); ++j) common_[j] = -zero_[j];
    }
  }

  // Scratch: what the stage makes of a, a transposed, b packed, what sums start from.
  void place() {
    const auto after = [&](std::int64_t bytes) {
      const std::size_t at = scratch_;
      scratch_ += static_cast<std::size_t>(bytes + 63) / 64 * 64;
      return at;
    };
    const std::int64_t count = a_count_ * plan_.m * plan_.k;
    after(m().stage.needed ? count * m().stage.size + 512 : 0);
    turned_at_ = after(plan_.trans_a ? count + 512 : 0);
    packed_at_ = after(b_count_ * weight_bytes());
    start_at_ = after((b_count_ * m().width + 64) * 4);
  }

  // a as tiles read it, one matrix behind the other.
  const std::byte* stage(const std::byte* a, const KernelRun& r) const {
    std::byte* const turned = r.scratch + turned_at_;
    const std::int64_t each = plan_.m * plan_.k;
    const Stage& s = m().stage;
    if (!plan_.trans_a && !s.needed) return a;
    r.workers.each(a_count_, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t i = first; i < last; ++i) {
        const std::byte* from = a + i * each;
        if (plan_.trans_a) {
          transpose(from, turned + i * each, plan_.k, plan_.m, 1);
          from = turned + i * each;
        }
        if (s.needed) s.copy(from, r.scratch + i * each * s.size, each, s.take, s.is_signed);
      }
    });
    return s.needed ? r.scratch : turned;
  }

  void pack(const std::byte* b, std::int64_t matrix, std::int64_t panel, const KernelRun& r) const {
    std::byte* const w = packed(r) + matrix * weight_bytes() + panel * m().panel_bytes;
    pack_panel(source_, b + matrix * plan_.k * plan_.n, panel, w);
    std::int32_t* const from = start(r) + matrix * m().width + panel * m().panel_width;
    std::fill_n(from, m().panel_width, 0);
    if (set_.words || x_zero_ == 0) return;
    alignas(64) std::byte ones[64];
    alignas(64) std::int32_t none[16] = {}, sums[16];
    std::ranges::fill(ones, std::byte{1});
    set_.fold[0].tile[1][1]({ones, groups_.data(), static_cast<std::int64_t>(groups_.size()), 0, 1,
                             w, m().panel_bytes, none, sums});
    for (std::int64_t j = 0; j < m().panel_width; ++j)
      from[j] = x_zero_ *
                (static_cast<std::int32_t>(plan_.k) *
                     std::int32_t{zero_[static_cast<std::size_t>(panel * m().panel_width + j)]} -
                 sums[j]);
  }

  const DotSet& set_;
  const MatrixPlan plan_;
  const DotDriver driver_;
  std::vector<Matrices> list_;
  std::int64_t a_count_ = 0, b_count_ = 0;
  std::vector<std::byte> fixed_a_, fixed_b_;
  std::vector<std::int64_t> groups_;  // a row of one group
  PanelSource source_;
  std::vector<std::int16_t> zero_;    // w0
  std::vector<std::int32_t> common_;  // empty where w0 is 0
  std::int32_t x_zero_ = 0;           // x0
  std::size_t scratch_ = 0, turned_at_ = 0, packed_at_ = 0, start_at_ = 0;
};

}  // namespace

std::unique_ptr<PreparedKernel> prepare_products(const KernelProblem& p, const DotSet& set) {
  return std::make_unique<ProductsKernel>(p, set);
}

}  // namespace lockstep
