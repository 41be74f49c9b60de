#include "measure/reals.h"

#include <type_traits>

namespace lockstep {

ChannelIndex::ChannelIndex(const QuantParams& quant, const Shape& shape) {
  if (!quant.per_channel() || quant.axis < 0) return;
  const auto axis = static_cast<std::size_t>(quant.axis);
  if (axis >= shape.size() || shape[axis] != static_cast<std::int64_t>(quant.scale.size())) return;
  extent_ = shape[axis];
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner_ *= shape[i];
}

std::vector<double> reals_of(const Tensor& tensor, const QuantParams& quant) {
  std::vector<double> reals(static_cast<std::size_t>(tensor.count()));
  if (tensor.dtype() == DType::f16) {
    for (std::size_t i = 0; i < reals.size(); ++i)
      reals[i] = tensor.number(static_cast<std::int64_t>(i));
    return reals;
  }
  const bool coded = quant.quantized() && is_integer(tensor.dtype());
  const ChannelIndex channel(quant, tensor.shape());
  with_type(tensor.dtype(), [&](auto element) {
    const auto codes = tensor.as<decltype(element)>();
    for (std::size_t i = 0; i < reals.size(); ++i) {
      reals[i] = static_cast<double>(codes[i]);
      if (!coded) continue;
      const std::size_t c = channel(static_cast<std::int64_t>(i));
      reals[i] = quant.scale_at(c) * (reals[i] - quant.zero_at(c));
    }
  });
  return reals;
}

}  // namespace lockstep
