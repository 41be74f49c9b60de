// Convolutions and products of 16-bit codes to C.
#include <algorithm>

#include "emit/any.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

constexpr std::int64_t most_taps = 256;  // LS_MOST_TAPS_16

bool is_around_zero(const Value& v) {
  return std::ranges::all_of(v.quant.zero, [](std::int32_t z) { return z == 0; });
}

bool is_depthwise_16(const Window& g, std::int64_t group, std::int64_t outputs) {
  return group > 1 && group == g.channels && outputs == group && g.kernel_count() <= most_taps;
}

std::int64_t in_whole(std::int64_t count, std::int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

// [group][output / 4][depth / 8][4][8] of [output][depth].
std::vector<std::int64_t> packed_fours(std::span<const std::int64_t> codes, std::int64_t group,
                                       std::int64_t outputs, std::int64_t depth) {
  const std::int64_t filters = outputs / group;
  std::vector<std::int64_t> packed;
  for (std::int64_t g = 0; g < group; ++g)
    for (std::int64_t first = 0; first < filters; first += 4)
      for (std::int64_t k = 0; k < depth; k += 8)
        for (std::int64_t o = first; o < first + 4; ++o)
          for (std::int64_t i = k; i < k + 8; ++i)
            packed.push_back(o < filters && i < depth
                                 ? codes[static_cast<std::size_t>((g * filters + o) * depth + i)]
                                 : 0);
  return packed;
}

// [channel / 8][tap][8] of [channel][tap].
std::vector<std::int64_t> packed_eights(std::span<const std::int64_t> codes, std::int64_t channels,
                                        std::int64_t taps) {
  std::vector<std::int64_t> packed;
  for (std::int64_t first = 0; first < channels; first += 8)
    for (std::int64_t t = 0; t < taps; ++t)
      for (std::int64_t c = first; c < first + 8; ++c)
        packed.push_back(c < channels ? codes[static_cast<std::size_t>(c * taps + t)] : 0);
  return packed;
}

}  // namespace

bool is_plain_16(const NodeView& v, const Window& g) {
  const Value &x = v.input(0), &weights = v.input(1), &y = v.output(0);
  return x.dtype == DType::i16 && y.dtype == DType::i16 && is_code(x) && is_code(y) &&
         is_code(weights) && weights.dtype == DType::i8 && is_around_zero(x) &&
         is_around_zero(weights) && g.channels_last && is_flat(g);
}

std::int64_t scratch_16(const Window& g, std::int64_t group) {
  return 2 * in_whole(g.kernel_count() * g.channels / std::max<std::int64_t>(group, 1), 8);
}

Result<void> write_conv_16(NodeWriter& w, const Window& g, std::span<const std::int64_t> codes,
                           std::int64_t group, const SumRules& rules) {
  const NodeView& v = w.view();
  const std::int64_t outputs = rules.channels(), taps = g.kernel_count();
  if (!rules.rule().policy) return w.unsupported(v.node.op + " on codes");
  const bool depthwise = is_depthwise_16(g, group, outputs);
  w.field("window", window_text(g, outputs)), w.field("group", group);
  const auto packed = depthwise ? packed_eights(codes, outputs, taps)
                                : packed_fours(codes, group, outputs, taps * g.channels / group);
  w.field("weights", w.constants().add("int8_t", std::span<const std::int64_t>(packed),
                                       w.label() + "_weights"));
  write_wide_bias(w, v.constant(2), outputs);
  LOCKSTEP_CHECK(write_scaler(w, rules));
  w.uses("ls_conv_16.c");
  const std::string operands =
      w.params("ls_conv_16_p") + ", " + w.in(0, "int16_t") + ", " + w.out(0, "int16_t");
  w.line(depthwise ? "ls_depthwise_16(" + operands + ");"
                   : "ls_conv_16(" + operands + ", " + w.scratch("int16_t") + ");");
  return {};
}

}  // namespace lockstep
