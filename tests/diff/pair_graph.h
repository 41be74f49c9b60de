#pragma once

#include <gtest/gtest.h>

#include "diff/pair.h"
#include "support/chains.h"

namespace lockstep::test {

template <class T>
Tensor tensor(Shape shape, std::vector<T> elements) {
  return Tensor::of<T>(std::move(shape), std::span<const T>(elements));
}

// [1,2,1,3]; floats where the scale is 0, else int8 codes.
inline Value pair_value(const std::string& name, double scale, std::int32_t zero = -1) {
  Value v = real_value(name, {1, 2, 1, 3});
  v.origin.name = name;
  if (scale > 0) {
    v.dtype = DType::i8;
    v.quant = {{scale}, {zero}, -1};
  }
  return v;
}

// in (float) -> QuantizeLinear -> a -> Relu -> b -> Relu -> c -> DequantizeLinear -> out (float);
// a, b, c int8 [1,2,1,3]; b and c share scale 0.1, a has 0.5.
inline Graph small_graph() {
  return chain({pair_value("in", 0), pair_value("/a/out", 0.5),
                pair_value("/b/out_QuantizeLinear_Output", 0.1), pair_value("/c/out", 0.1),
                pair_value("out", 0)},
               {{"q", "QuantizeLinear"}, {"b"}, {"c"}, {"dq", "DequantizeLinear"}});
}

inline Capture capture_of(std::vector<std::pair<std::string, Tensor>> tensors,
                          std::vector<QuantParams> quants = {}) {
  Capture capture;
  capture.source = "device.npz";
  capture.samples.resize(1);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    auto& [name, t] = tensors[i];
    TensorInfo info{t.dtype(), t.shape(), i < quants.size() ? quants[i] : QuantParams{}, {}};
    capture.infos.emplace(name, info);
    capture.order.push_back(name);
    capture.samples[0].emplace(name, std::move(t));
  }
  return capture;
}

inline const Tensor codes = tensor<std::int8_t>({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6});

}  // namespace lockstep::test
