// y = scale * (x - mean) / sqrt(variance + epsilon) + bias over the innermost axes, row by row in
// the arithmetic's own order
#include "kernel/kernel.h"
#include "num/real_functions.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"LayerNormalization"};
constexpr std::int64_t worth_sharing = 4096;  // elements of a part

std::int64_t inner_of(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  std::int64_t axis = n.attrs().integer("axis", -1);
  if (axis < 0) axis += std::ssize(x);
  if (axis < 0 || axis >= std::ssize(x)) return 0;
  return count_of(Shape(x.begin() + axis, x.end()));
}

class LayerRows : public PreparedKernel {
 public:
  explicit LayerRows(const KernelProblem& p)
      : normalize_(p.num.real.functions->normalize_row),
        inner_(inner_of(p.view)),
        rows_(count_of(p.view.input(0).shape) / inner_),
        epsilon_(static_cast<float>(p.view.attrs().real("epsilon", 1e-5f))) {
    keep(*p.constants[1], scale_);
    if (p.view.has_input(2)) keep(*p.constants[2], bias_);
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override {
    return (scale_.size() + bias_.size()) * sizeof(float);
  }
  void run(const KernelRun& r) const override {
    const auto* const x = reinterpret_cast<const float*>(r.in[0]);
    auto* const y = reinterpret_cast<float*>(r.out[0]);
    const auto n = static_cast<std::size_t>(inner_);
    r.workers.each(
        rows_,
        [&](std::int64_t first, std::int64_t last, int) {
          for (std::int64_t i = first; i < last; ++i)
            normalize_({x + i * inner_, n}, {y + i * inner_, n}, scale_.data(),
                       bias_.empty() ? nullptr : bias_.data(), epsilon_);
        },
        (worth_sharing + inner_ - 1) / inner_);
  }

 private:
  static void keep(const Tensor& t, std::vector<float>& to) {
    to.assign(t.as<float>().begin(), t.as<float>().end());
  }

  decltype(RealFunctions::normalize_row) normalize_;
  std::int64_t inner_, rows_;
  float epsilon_;
  std::vector<float> scale_, bias_;
};

bool fits(const KernelProblem& p) {
  if (!p.num.real.functions || !p.num.real.functions->normalize_row) return false;
  if (p.constants[0] || p.view.node.outputs.size() != 1) return false;
  const std::int64_t inner = inner_of(p.view);
  for (std::size_t i = 0; i < p.view.input_count(); ++i) {
    if (!p.view.has_input(i)) continue;
    if (p.view.input(i).dtype != DType::f32) return false;
    if (i > 0 && (!p.constants[i] || p.constants[i]->count() != inner)) return false;
  }
  return inner > 0 && count_of(p.view.input(0).shape) > 0;
}

}  // namespace

extern constinit const Kernel kernel_layer_rows = {
    .name = "layer_rows",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "normalization of reals over the innermost axes",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<LayerRows>(p);
    },
};

}  // namespace lockstep
