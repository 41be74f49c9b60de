// Products of float matrices of the arithmetic `float` by oneDNN, in bands of rows
#include <algorithm>

#include "kernel/kernel_dnnl_units.h"
#include "kernel/kernel_products_reals.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Gemm", "MatMul"};
constexpr std::int64_t products_of_band = 2000000, most_bands = 16;

// One matrix b for all of a's: their rows are one matrix.
RealProducts joined(RealProducts r) {
  if (r.trans_a || !std::ranges::all_of(r.list, [](const auto& m) { return m.b == 0; }) ||
      r.list.size() < 2 || r.biased)
    return r;
  for (std::size_t i = 0; i < r.list.size(); ++i)
    if (r.list[i].a != static_cast<std::int64_t>(i) || r.list[i].y != static_cast<std::int64_t>(i))
      return r;
  r.m *= std::ssize(r.list);
  r.list.resize(1);
  return r;
}

std::optional<RealProducts> layer_of(const KernelProblem& p) {
  if (!sums_in_any_order(p.num)) return {};
  const auto r = real_products_of(p);
  if (!r || r->m < 1 || std::ssize(r->list) * r->m * r->n * r->k < dnnl_least_products) return {};
  return joined(*r);
}

// Rows of a in one call: a transposed one is not cut.
std::vector<std::int64_t> rows_of(const RealProducts& r) {
  const std::int64_t bands = r.trans_a
                                 ? 1
                                 : std::clamp<std::int64_t>(r.m * r.n * r.k / products_of_band, 1,
                                                            std::min(most_bands, (r.m + 7) / 8));
  std::vector<std::int64_t> starts;
  for (std::int64_t i = 0; i <= bands; ++i) starts.push_back(r.m * i / bands);
  return starts;
}

class DnnlProducts : public DnnlUnits {
 public:
  explicit DnnlProducts(const KernelProblem& p) : r_(*layer_of(p)) {
    if (p.view.node.op == "Gemm") activation_ = activation_of(p.view);
    if (r_.biased) {
      const auto c = p.constants[2]->as<float>();
      bias_.assign(c.begin(), c.end());
    }
    const auto starts = rows_of(r_);
    const std::int64_t size = r_.k * r_.n;
    std::vector<std::pair<std::int64_t, std::int64_t>> forms;  // rows, matrix of a constant b
    for (const RealProducts::Matrices& at : r_.list)
      for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
        const std::int64_t rows = starts[i + 1] - starts[i];
        const std::pair form{rows, p.constants[1] ? at.b : 0};
        const auto known = std::ranges::find(forms, form);
        const auto call = static_cast<std::size_t>(known - forms.begin());
        if (known == forms.end()) {
          const auto like =
              std::ranges::find(forms, form.second, &decltype(forms)::value_type::second);
          const auto first = static_cast<std::size_t>(like - forms.begin());
          forms.push_back(form);
          calls_.push_back(DnnlCall::of(matrices(p, rows)));
          calls_.back()->make_ready(
              p.constants[1] ? p.constants[1]->as<float>().data() + at.b * size : nullptr, nullptr,
              p.constants[1] && first < call ? calls_[first].get() : nullptr);
        }
        units_.push_back({call, at.a * r_.m * r_.k + starts[i] * r_.k, at.b * size,
                          at.y * r_.m * r_.n + starts[i] * r_.n, rows * r_.n});
      }
  }

  static DnnlMatrices matrices(const KernelProblem& p, std::int64_t rows) {
    const RealProducts r = *layer_of(p);
    return {rows, r.n, r.k, r.trans_a, r.trans_b, p.constants[1] != nullptr};
  }

  std::size_t resident_bytes() const override {
    return DnnlUnits::resident_bytes() + bias_.size() * sizeof(float);
  }

 private:
  void finish(const Unit& u, float* y) const override {
    if (r_.alpha != 1)
      for (std::int64_t i = 0; i < u.count; ++i) y[i] *= r_.alpha;
    if (r_.biased) add_bias(u, y);
    activate_all(activation_, y, u.count);
  }

  void add_bias(const Unit& u, float* y) const {
    for (std::int64_t i = 0; i < u.count / r_.n; ++i) {
      const float* const row = bias_.data() + (u.y / r_.n + i) % r_.m * r_.bias_row;
      for (std::int64_t j = 0; j < r_.n; ++j) y[i * r_.n + j] += r_.beta * row[j * r_.bias_column];
    }
  }

  RealProducts r_;
  Activation activation_ = Activation::none;
  std::vector<float> bias_;
};

bool fits(const KernelProblem& p) {
  if (!reals_alone(p.view)) return false;
  const auto r = layer_of(p);
  if (!r) return false;
  const auto starts = rows_of(*r);
  for (std::size_t i = 0; i + 1 < starts.size(); ++i)
    if (!DnnlCall::of(DnnlProducts::matrices(p, starts[i + 1] - starts[i]))) return false;
  return true;
}

}  // namespace

extern constinit const Kernel kernel_dnnl_products = {
    .name = "dnnl_products",
    .ops = ops,
    .isa = Isa::any,
    .speed = 20,
    .meaning =
        "products of float matrices by oneDNN, in `float` alone: sums in another order, within N6",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<DnnlProducts>(p);
    },
    .library = dnnl_library,
    .loads = dnnl_loads,
};

}  // namespace lockstep
