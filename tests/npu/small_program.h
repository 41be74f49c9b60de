#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "npu/program.h"

namespace lockstep::test {

inline NpuFields fields(std::initializer_list<std::pair<const char*, std::int64_t>> numbers,
                        std::initializer_list<std::pair<const char*, const char*>> names = {}) {
  NpuFields f;
  for (const auto& [key, value] : numbers) f.emplace(key, NpuField::of(value));
  for (const auto& [key, value] : names) f.emplace(key, NpuField::of_name(value));
  return f;
}

inline NpuLink link(NpuUnitId from, NpuUnitId to, int port = 0) {
  return {{to, port}, {{1, 0, {from, 0}}}};
}

inline constexpr std::uint64_t ram = 0x34350000, flash = 0x70180000;

// x uint8 [1,3,4,2] (channels last) -> 1x1 convolution of 3 kernels -> times A[k] >> 4 -> int8
// [1,3,4,3]. Weights w[k][c] = 10k + c - 12, A[k] = 16384 - 1000k, sums shifted by 2, products by
// 14, then (b*16384 + (5 << 14)) >> 14 gives the code: y = sat8(rnd(rnd(S/4) * A[k] / 2^14) + 5).
inline NpuProgram small_program() {
  NpuProgram p;
  p.file = "small.program.json";
  p.compiler = "atonn 1.1.1-14";
  NpuImage image{"small.weights.bin", flash, {}};
  for (int k = 0; k < 3; ++k)
    for (int c = 0; c < 2; ++c) image.bytes.push_back(static_cast<std::byte>(10 * k + c - 12));
  image.bytes.resize(16);
  for (int k = 0; k < 3; ++k) {
    const int a = 16384 - 1000 * k;
    image.bytes.push_back(static_cast<std::byte>(a & 255));
    image.bytes.push_back(static_cast<std::byte>(a >> 8));
  }
  p.images.push_back(std::move(image));

  NpuEpoch e;
  e.number = 1;
  e.nodes = {{"Conv_1", "Conv"}, {"Conv_1_mul", "Mul"}, {"Conv_1_bias", "Add"}};
  const NpuUnitId in{NpuKind::stream, 0}, weights{NpuKind::stream, 1}, out{NpuKind::stream, 2},
      conv{NpuKind::conv, 0}, mul{NpuKind::arith, 0}, bias{NpuKind::arith, 1};
  const auto ram_base = static_cast<std::int64_t>(ram),
             flash_base = static_cast<std::int64_t>(flash);
  e.units.push_back({in, "in", "x",
                     fields({{"dir", 0},
                             {"addr_base", ram_base},
                             {"fwidth", 4},
                             {"fheight", 3},
                             {"batch_depth", 2},
                             {"batch_offset", 2},
                             {"frame_tot_cnt", 1},
                             {"nbits_in", 8},
                             {"nbits_out", 8},
                             {"nbits_unsigned", 1},
                             {"offset_limit", 88}})});
  e.units.push_back({weights, "weights", "Conv_1_weights",
                     fields({{"dir", 0},
                             {"raw", 1},
                             {"continuous", 1},
                             {"addr_base", flash_base},
                             {"offset_end", 6},
                             {"frame_tot_cnt", 1},
                             {"nbits_in", 8},
                             {"nbits_out", 8}})});
  e.units.push_back({out, "out", "y",
                     fields({{"dir", 1},
                             {"addr_base", ram_base},
                             {"offset_start", 64},
                             {"fwidth", 4},
                             {"fheight", 3},
                             {"batch_depth", 3},
                             {"batch_offset", 3},
                             {"frame_tot_cnt", 1},
                             {"nbits_in", 8},
                             {"nbits_out", 8}})});
  e.units.push_back({conv, "conv", "",
                     fields({{"simd", 1},
                             {"f_unsigned", 1},
                             {"inbytes_f", 1},
                             {"rounding_o", 1},
                             {"saturation_o", 1},
                             {"round_mode_o", 1},
                             {"outbytes_o", 2},
                             {"shift_o", 2},
                             {"shift_a", 2},
                             {"fWidth", 4},
                             {"fHeight", 3},
                             {"kernelWidth", 1},
                             {"kernelHeight", 1},
                             {"nKernels", 3},
                             {"batchDepth", 2},
                             {"hstride", 1},
                             {"vstride", 1},
                             {"right_crop", 3},
                             {"bot_crop", 2}})});
  NpuFields affine = fields({{"inbytes_x", 2},
                             {"outbytes_x", 2},
                             {"rounding_o", 1},
                             {"saturation_o", 1},
                             {"round_mode_o", 1},
                             {"outbytes_o", 2},
                             {"shift_o", 14},
                             {"fWidth", 4},
                             {"fHeight", 3},
                             {"fChannels", 3},
                             {"batchDepth", 3},
                             {"A_scalar", 1},
                             {"A_vector", flash_base + 16}},
                            {{"operation", "ARITH_AFFINE"}, {"bcast", "ARITH_BCAST_CHAN"}});
  affine.emplace("vec_precision",
                 NpuField::of_list({NpuField::of(16), NpuField::of(16), NpuField::of(16)}));
  e.units.push_back({mul, "mul", "", std::move(affine)});
  e.units.push_back({bias, "bias", "",
                     fields({{"inbytes_x", 2},
                             {"outbytes_x", 2},
                             {"rounding_o", 1},
                             {"saturation_o", 1},
                             {"round_mode_o", 1},
                             {"outbytes_o", 1},
                             {"shift_o", 14},
                             {"scalar", 1},
                             {"A_scalar", 16384},
                             {"C_scalar", 5},
                             {"C_shift", 14}},
                            {{"operation", "ARITH_AFFINE"}, {"bcast", "ARITH_BCAST_SCALAR"}})});
  e.links = {link(in, conv, 0), link(weights, conv, 1), link(conv, mul), link(mul, bias),
             link(bias, out)};
  p.epochs.push_back(std::move(e));

  const auto buffer = [](std::string name, int epoch, std::int64_t start, std::int64_t channels,
                         std::string type, double scale, std::int64_t zero) {
    NpuBuffer b;
    b.name = std::move(name);
    b.base = ram;
    b.start = start;
    b.end = start + 12 * channels;
    b.limit = b.end + 64;
    b.epoch = epoch;
    b.batch = static_cast<int>(channels);
    b.shape = b.mem_shape = {1, 3, 4, channels};
    b.chpos = "CHPos_Last";
    b.type = std::move(type);
    b.scale = {scale};
    b.zero = {zero};
    return b;
  };
  p.buffers.push_back(buffer("x", 0, 0, 2, "DataType_UINT8", 0.5, 0));
  p.buffers.push_back(buffer("y", 1, 64, 3, "DataType_INT8", 0.25, 5));
  return p;
}

// The codes of y for x[h,w,c] (24 of them, channels last), by the formula above in plain integers.
inline std::vector<int> small_answer(const std::vector<int>& x) {
  const auto nearest = [](long v, long d) {
    return v >= 0 ? (v + d / 2) / d : -((-v + d / 2) / d);
  };
  std::vector<int> y;
  for (std::size_t p = 0; p < x.size(); p += 2)
    for (int k = 0; k < 3; ++k) {
      const long s = x[p] * (10 * k - 12) + x[p + 1] * (10 * k - 11);
      const long v = nearest(nearest(s, 4) * (16384 - 1000 * k), 16384) + 5;
      y.push_back(static_cast<int>(v < -128 ? -128 : v > 127 ? 127 : v));
    }
  return y;
}

}  // namespace lockstep::test
