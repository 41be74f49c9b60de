// The weights of convolutions and products as kernels read them.
#include <algorithm>

#include "emit/any.h"
#include "op/op_codes.h"

namespace lockstep {

Filters filters_of(const NodeView& v) {
  const Tensor& t = *v.constant(1);
  const Shape& w = t.shape();
  const std::string order = v.attrs().text("weights", "OIHW");
  Filters f;
  f.kernel = window_kernel(v);
  f.group = v.attrs().integer("group", 1);
  const bool last = order == "1HWO";
  f.outputs = last ? w.back() : w[0];
  f.channels = last ? w[0] : order == "OHWI" ? w.back() : w[1];
  const std::int64_t taps = count_of(f.kernel), flip = flip_of(v.input(1));
  const bool real = t.dtype() == DType::f32;
  if (real)
    f.reals.resize(static_cast<std::size_t>(t.count()));
  else
    f.codes.resize(static_cast<std::size_t>(t.count()));
  for (std::int64_t o = 0; o < f.outputs; ++o)
    for (std::int64_t k = 0; k < taps; ++k)
      for (std::int64_t c = 0; c < f.channels; ++c) {
        const std::int64_t from = last              ? k * f.outputs + o
                                  : order == "OHWI" ? (o * taps + k) * f.channels + c
                                                    : (o * f.channels + c) * taps + k;
        const auto to = static_cast<std::size_t>((o * taps + k) * f.channels + c);
        if (real)
          f.reals[to] = t.as<float>()[static_cast<std::size_t>(from)];
        else
          f.codes[to] = t.code(from) - flip;
      }
  return f;
}

std::int64_t centred(std::vector<std::int64_t>& codes, std::int64_t zero) {
  if (codes.empty()) return zero;
  const auto range = std::ranges::minmax(codes);
  const auto fits = [&](std::int64_t by) {
    return range.min - by >= -127 && range.max - by <= 127;
  };
  const std::int64_t by = fits(zero) ? zero : fits(0) || !fits(-1) ? 0 : -1;
  for (std::int64_t& c : codes) c -= by;
  return zero - by;
}

WeightZeros centred_weights(std::vector<std::int64_t>& codes, std::int64_t outputs,
                            const Value& weights) {
  const auto& zeros = weights.quant.zero;
  const std::int64_t flip = flip_of(weights);
  if (std::ranges::all_of(zeros, [&](std::int32_t z) { return z == zeros[0]; }))
    return {centred(codes, weights.quant.zero_at(0) - flip), {}};
  WeightZeros out;
  const std::size_t depth =
      codes.size() / static_cast<std::size_t>(std::max<std::int64_t>(outputs, 1));
  for (std::size_t o = 0; o < static_cast<std::size_t>(outputs); ++o) {
    const auto row = codes.begin() + static_cast<std::ptrdiff_t>(o * depth);
    std::vector<std::int64_t> one(row, row + static_cast<std::ptrdiff_t>(depth));
    out.each.push_back(centred(one, weights.quant.zero_at(o) - flip));
    std::ranges::copy(one, row);
  }
  if (std::ranges::all_of(out.each, [](std::int64_t z) { return z == 0; })) out.each.clear();
  return out;
}

void write_weight_zeros(NodeWriter& w, const WeightZeros& zeros) {
  w.field("w_zero", zeros.all);
  if (zeros.each.empty()) return;
  w.field("w_zeros", w.constants().add("int32_t", std::span<const std::int64_t>(zeros.each),
                                       w.label() + "_zeros"));
}

}  // namespace lockstep
