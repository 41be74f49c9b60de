#include "diagnose/computes_in_reals.h"

#include <algorithm>
#include <cmath>

#include "diff/diff.h"
#include "num/real.h"

namespace lockstep {

bool off_grid(const Tensor& t, const QuantParams& q) {
  if (!is_float(t.dtype()) || q.scale.size() != 1 || t.count() == 0) return false;
  std::int64_t off = 0;
  for (std::int64_t i = 0; i < t.count(); ++i) {
    const double steps = t.number(i) / q.scale[0];
    off +=
        std::isfinite(steps) && std::abs(steps - half_even(steps)) > 0.01 + 1e-6 * std::abs(steps);
  }
  return off * 2 > t.count();
}

bool computes_in_reals(const Graph& reference, std::span<const Sample> recorded) {
  std::int64_t on = 0, off = 0;
  for (const Sample& sample : recorded.first(std::min<std::size_t>(1, recorded.size())))
    for (const auto& [name, tensor] : sample) {
      const ValueId id = reference.find_value(name);
      if (id == no_id || reference.value(id).producer == no_id) continue;
      const QuantParams q = step_of(reference, id);
      if (q.quantized()) ++(off_grid(tensor, q) ? off : on);
    }
  return off > on;
}

}  // namespace lockstep
