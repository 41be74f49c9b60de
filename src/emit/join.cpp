// Tensors side by side, to C.
#include <algorithm>

#include "emit/finish.h"
#include "num/tflite_policies.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

Result<void> emit_concat(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value& y = v.output(0);
  const auto rank = static_cast<std::int64_t>(y.shape.size());
  std::int64_t axis = v.attrs().integer("axis", 1), outer = 1,
               row = static_cast<std::int64_t>(size_of(y.dtype)), offset = 0;
  if (axis < 0) axis += rank;
  for (std::int64_t d = 0; d < rank; ++d)
    (d < axis ? outer : row) *= y.shape[static_cast<std::size_t>(d)];
  w.uses("ls_move.c");
  const bool requantizes = v.attrs().integer("requantize", 1) != 0;
  for (std::size_t i = 0; i < v.input_count(); ++i) {
    const Value& x = v.input(i);
    const std::int64_t part = bytes_of(x) / std::max<std::int64_t>(outer, 1);
    std::string table = "NULL";
    if (requantizes && x.quant.quantized() && y.quant.quantized() && x.quant != y.quant) {
      const QuantizePolicy* policy = w.num().quantize;
      if (!is_narrow(x) || !policy || !policy->requantize)
        return w.unsupported("codes of another scale");
      const CodeRange range = code_range(x.dtype);
      std::vector<std::int64_t> codes(256);
      const AverageScales s{x.quant.scale_at(0),
                            y.quant.scale_at(0),
                            x.quant.zero_at(0),
                            y.quant.zero_at(0),
                            static_cast<std::int32_t>(range.low),
                            static_cast<std::int32_t>(range.high)};
      const bool joined = v.attrs().integer("requantize", 1) == 2;  // as op/concat.cpp
      for (std::int64_t c = range.low; c <= range.high; ++c) {
        const auto code = static_cast<std::int32_t>(c);
        const std::int32_t to = joined ? tflite_joined(code, s)
                                       : policy->requantize(code, s.x_scale, s.x_zero, s.y_scale,
                                                            s.y_zero, s.low, s.high);
        codes[static_cast<std::size_t>(c & 255)] = to & 255;
      }
      table =
          w.constants().add("uint8_t", std::span<const std::int64_t>(codes), w.label() + "_table");
    }
    if (part > 0)
      w.line("ls_concat(" + w.in(i) + ", " + w.out(0) + ", " + std::to_string(outer) + ", " +
             std::to_string(part) + ", " + std::to_string(row) + ", " + std::to_string(offset) +
             ", " + table + ");");
    offset += part;
  }
  return {};
}

// Operands of one shape along a new axis.
Result<void> emit_pack(NodeWriter& w) {
  const NodeView& v = w.view();
  const Shape& x = v.input(0).shape;
  std::int64_t axis = v.attrs().integer("axis", 0), outer = 1;
  if (axis < 0) axis += static_cast<std::int64_t>(x.size()) + 1;
  for (std::int64_t d = 0; d < axis; ++d) outer *= x[static_cast<std::size_t>(d)];
  const std::int64_t part = bytes_of(v.input(0)) / std::max<std::int64_t>(outer, 1);
  const auto count = static_cast<std::int64_t>(v.input_count());
  w.uses("ls_move.c");
  for (std::int64_t i = 0; i < count && part > 0; ++i)
    w.line("ls_concat(" + w.in(static_cast<std::size_t>(i)) + ", " + w.out(0) + ", " +
           std::to_string(outer) + ", " + std::to_string(part) + ", " +
           std::to_string(part * count) + ", " + std::to_string(i * part) + ", NULL);");
  return {};
}

constexpr NodeEmitter table[] = {
    {"Concat", nullptr, emit_concat},
    {"Pack", nullptr, emit_pack},
};

}  // namespace

std::span<const NodeEmitter> join_emitters() {
  return table;
}

}  // namespace lockstep
