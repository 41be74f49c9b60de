#include "kernel/kernel_dnnl_units.h"

#include <algorithm>

#include "op/op_codes.h"

namespace lockstep {

std::int64_t DnnlUnits::groups() const {
  return std::min(most_groups, std::ssize(units_));
}

std::size_t DnnlUnits::scratch_of_group() const {
  std::size_t most = 0;
  for (const auto& call : calls_) most = std::max(most, call->scratch_bytes());
  return most;
}

std::size_t DnnlUnits::scratch_bytes(int) const {
  return static_cast<std::size_t>(groups()) * scratch_of_group() + kernel_slack;
}

std::size_t DnnlUnits::resident_bytes() const {
  std::size_t bytes = 0;
  for (const auto& call : calls_) bytes += call->resident_bytes();
  return bytes;
}

void DnnlUnits::run(const KernelRun& r) const {
  const auto* const x = reinterpret_cast<const float*>(r.in[0]);
  const auto* const w = reinterpret_cast<const float*>(r.in[1]);
  auto* const y = reinterpret_cast<float*>(r.out[0]);
  const std::size_t room = scratch_of_group();
  const std::int64_t all = std::ssize(units_), parts = groups();
  r.workers.each(parts, [&](std::int64_t first, std::int64_t last, int) {
    for (std::int64_t g = first; g < last; ++g)
      for (std::int64_t i = all * g / parts; i < all * (g + 1) / parts; ++i) {
        const Unit& u = units_[static_cast<std::size_t>(i)];
        calls_[u.call]->run(x + u.x, w ? w + u.w : nullptr, y + u.y,
                            r.scratch + static_cast<std::size_t>(g) * room);
        finish(u, y + u.y);
      }
  });
}

bool reals_alone(const NodeView& v) {
  bool real = v.output(0).dtype == DType::f32 && activation_of(v) != Activation::tanh;
  for (std::size_t i = 0; i < v.input_count(); ++i)
    real &= !v.has_input(i) || v.input(i).dtype == DType::f32;
  return real;
}

}  // namespace lockstep
