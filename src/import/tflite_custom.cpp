// Custom operators that a runtime brings along: MediaPipe's transposed convolution and SSD's
// post-processing. The header alone: its numbers in text, which we do not read, would need the
// library.
#define FLATBUFFERS_LOCALE_INDEPENDENT 0
#include <flatbuffers/flexbuffers.h>

#include "import/tflite_reader.h"

namespace lockstep {
namespace {

// A flexbuffer map of numbers as attributes.
Result<void> read_map(std::span<const std::uint8_t> bytes, ForeignNode& node) {
  if (!flexbuffers::VerifyBuffer(bytes.data(), bytes.size()) ||
      !flexbuffers::GetRoot(bytes.data(), bytes.size()).IsMap())
    return Error{node.where, "options that are no map", "a flexbuffer map", "the file is damaged"};
  const auto map = flexbuffers::GetRoot(bytes.data(), bytes.size()).AsMap();
  for (std::size_t i = 0; i < map.size(); ++i) {
    const std::string name = map.Keys()[i].AsKey();
    const auto value = map.Values()[i];
    if (name.starts_with("_")) continue;  // the converter's own remarks
    if (value.IsFloat())
      node.attrs.set(name, value.AsDouble());
    else if (value.IsIntOrUint() || value.IsBool())
      node.attrs.set(name, value.IsBool() ? std::int64_t{value.AsBool()} : value.AsInt64());
    else
      return Error{node.where, "option '" + name + "' that is no number", "numbers", ""};
  }
  return {};
}

// Input, weights, bias; the options are three integers: padding (1: SAME, 2: VALID), stride along
// the width, along the height. y's shape is the file's.
void as_transpose_conv(std::span<const std::uint8_t> options, ForeignNode& node) {
  const auto number = [&](std::size_t at) {
    return std::int64_t{flatbuffers::ReadScalar<std::int32_t>(options.data() + at)};
  };
  node.op = "TRANSPOSE_CONV";
  node.inputs.insert(node.inputs.begin(), {node.inputs[0], node.inputs[1]});
  node.inputs[2] = node.inputs[0];
  node.inputs.erase(node.inputs.begin() + 3);
  node.attrs.set("padding", std::string(number(0) == 2 ? "VALID" : "SAME"));
  node.attrs.set("stride_w", number(4));
  node.attrs.set("stride_h", number(8));
}

}  // namespace

Result<void> TfliteReader::read_custom(const tfl::Operator& op, const std::string& code,
                                       ForeignNode& node) const {
  const auto* options = op.custom_options();
  const auto given =
      options ? std::span(options->data(), options->size()) : std::span<const std::uint8_t>();
  if (code == "Convolution2DTransposeBias" && node.inputs.size() >= 2 && given.size() >= 12)
    return as_transpose_conv(given, node), Result<void>();
  if (code == "TFLite_Detection_PostProcess" && !given.empty()) {
    node.op = code;
    return read_map(given, node);
  }
  return Error{node.where, "custom operator '" + code + "'", "operators of TFLite's own set",
               "a custom operator has no meaning outside its own runtime"};
}

}  // namespace lockstep
