// What the reader settles about quantizers of ONNX before their operators are mapped: codes of four
// bits, the type of the codes, the axis of a bias's scales.
#include <optional>

#include "import/onnx_reader.h"
#include "op/op.h"

namespace lockstep {
namespace {

bool quantizes(const ForeignNode& f) {
  return f.op.ends_with("QuantizeLinear") && !f.op.starts_with("Dynamic");
}
bool has(const ForeignNode& f, std::size_t i) {
  return i < f.inputs.size() && f.inputs[i] != no_id;
}

// ONNX's number of the codes' type.
std::optional<int> number_of(DType type, bool four_bits) {
  switch (type) {
    case DType::u8:
      return four_bits ? 21 : 2;
    case DType::i8:
      return four_bits ? 22 : 3;
    case DType::u16:
      return 4;
    case DType::i16:
      return 5;
    default:
      return std::nullopt;
  }
}

}  // namespace

bool OnnxReader::is_narrow(const ForeignNode& foreign) const {
  const auto narrow = [&](std::size_t i) {
    return i < foreign.inputs.size() && four_bit_.contains(foreign.inputs[i]);
  };
  if (foreign.op.ends_with("DequantizeLinear")) return narrow(0);
  if (!quantizes(foreign)) return false;
  const std::int64_t type = foreign.attrs.integer("output_dtype", 0);  // 21, 22: uint4, int4
  return narrow(2) || type == 21 || type == 22;
}

Result<void> OnnxReader::check_code_type(const ForeignNode& foreign) const {
  const std::int64_t stated = foreign.attrs.integer("output_dtype", 0);
  if (!quantizes(foreign) || stated == 0) return {};
  const std::string what = "output_dtype " + std::to_string(stated);
  if ((stated < 2 || stated > 5) && stated != 21 && stated != 22)
    return Error{foreign.where, what, "2, 3, 4, 5, 21 or 22: codes of 8, 16 or 4 bits", ""};
  if (!has(foreign, 2)) return {};
  const auto zero = number_of(graph_.so_far().value(foreign.inputs[2]).dtype,
                              four_bit_.contains(foreign.inputs[2]));
  if (zero && *zero != stated)
    return Error{foreign.where, what + " beside a zero point of type " + std::to_string(*zero),
                 "one type for both", ""};
  return {};
}

bool OnnxReader::is_bias_row(const ForeignNode& f, const std::string& output) const {
  if (!f.op.ends_with("DequantizeLinear") || !has(f, 0) || !has(f, 1)) return false;
  const Value &x = graph_.so_far().value(f.inputs[0]), &scale = graph_.so_far().value(f.inputs[1]);
  const std::int64_t axis = f.attrs.integer("axis", 1);
  if (!x.constant || x.dtype != DType::i32 || x.shape.size() != 2 || x.shape[0] != 1 ||
      x.shape[1] < 2 || scale.shape != Shape{x.shape[1]} || (axis != 0 && axis != -2))
    return false;
  for (const auto& made : model_.graph().output())
    if (made.name() == output) return false;
  int readers = 0;
  for (const auto& node : model_.graph().node())
    for (int i = 0; i < node.input_size(); ++i) {
      if (node.input(i) != output) continue;
      if (node.op_type() != "Gemm" || i != 2) return false;
      ++readers;
    }
  return readers > 0;
}

}  // namespace lockstep
