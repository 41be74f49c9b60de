#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "npu/lower_values.h"
#include "num/product.h"

namespace lockstep {

// A convolution or a matrix product of constant weights, as it is dealt out to convolution units.

// One direction of a window.
struct NpuSide {
  std::int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, before = 0;
};

struct NpuProduct {
  const Node* node;
  std::string name;
  ValueId x, y;
  NpuSide rows, columns;
  std::int64_t kernels = 0, channels = 0, groups = 1;  // channels of a group
  std::vector<std::int32_t> weights;                   // [kernel][row][column][channel]
  ProductPlan plan;
  std::int64_t low = -128, high = 127;
};

// Kernels whose coefficients an arithmetic unit's own memory holds; those of more are streamed.
inline constexpr std::int64_t npu_coefficients = 512;

// How the kernels are dealt out: a frame is a run of output channels, with the groups they need.
struct NpuDeal {
  std::int64_t count = 1, kernels = 1, channels = 1, step = 0;
};

NpuDeal deal_of(const NpuProduct& layer);

// The part of one direction that a piece sees: rows of the input, and what is padded around them.
struct NpuSeen {
  std::int64_t first = 0, last = -1, before = 0, after = 0;
  bool any() const { return last >= first; }
};
NpuSeen seen_of(const NpuSide& side, std::int64_t at, std::int64_t taps);

// The kernels of a piece as the unit takes them: dilated ones with zeros between, those of several
// groups with zeros beside.
std::vector<std::int64_t> kernels_of(const NpuProduct& layer, const ProductPiece& piece,
                                     const NpuDeal& deal);

// The same kernels by blocks of eight, channel after channel, each frame in whole words of three
// bytes: what the units' deep mode takes.
std::vector<std::int64_t> deep_kernels_of(const NpuProduct& layer, const ProductPiece& piece,
                                          const NpuDeal& deal);

// The layer of a Conv or Gemm on codes with its constants; one without pieces falls to the CPU.
// Errors: computed weights, other forms, what the units cannot hold.
Result<NpuProduct> npu_product_of(const Node& node, NpuValues& values);

// An epoch of the CPU for a layer that falls to it: a call with the structure that describes it.
Result<void> lower_cpu_product(const NpuProduct& layer, NpuValues& values);

}  // namespace lockstep
