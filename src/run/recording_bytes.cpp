#include "run/recording_bytes.h"

#include <algorithm>

#include "base/copy_bytes.h"
#include "base/text.h"

namespace lockstep {
namespace {

// The codes that a float at the rim stands for.
std::vector<DType> types_of(const Graph& g, ValueId id) {
  const Value& v = g.value(id);
  std::vector<DType> types{v.dtype};
  if (!is_float(v.dtype)) return types;
  if (v.producer != no_id && g.node(v.producer).op == "DequantizeLinear")
    types.push_back(g.value(g.node(v.producer).inputs[0]).dtype);
  for (const NodeId n : g.consumers(id))
    if (g.node(n).op == "QuantizeLinear") types.push_back(g.value(g.node(n).outputs[0]).dtype);
  return types;
}

}  // namespace

bool is_bytes_ending(std::string_view ending) {
  return ending == ".bin" || ending == ".dat" || ending == ".raw";
}

RecordedArray recorded_bytes(const std::string& name, const Bytes& bytes) {
  Tensor t(DType::u8, {static_cast<std::int64_t>(bytes.size())});
  copy_bytes(bytes, t.bytes().data());
  return {name, std::move(t), {}, {}, -1, TypeFrom::nobody};
}

bool waits_for_type(const RecordedArray& array) {
  return array.type_from == TypeFrom::nobody;
}

Result<Tensor> typed_bytes(const RecordedArray& array, const Graph& model, ValueId value,
                           std::int64_t samples, const std::string& where) {
  const Value& v = model.value(value);
  const std::int64_t one = count_of(v.shape), bytes = array.tensor.count();
  for (const DType type : types_of(model, value)) {
    const std::int64_t each = one * static_cast<std::int64_t>(size_of(type));
    if (each <= 0 || bytes == 0 || bytes % each != 0 || (samples > 0 && bytes / each != samples))
      continue;
    Shape shape = v.shape;
    if (shape.empty()) shape = {1};
    shape[0] *= bytes / each;
    Tensor t(type, shape);
    copy_bytes(array.tensor.bytes(), t.bytes().data());
    return t;
  }
  return Error{where, "'" + array.name + "' is " + std::to_string(bytes) + " bytes",
               (samples > 0 ? std::to_string(samples) + " samples" : std::string("a multiple")) +
                   " of the " + std::to_string(one) + " elements of '" + v.name + "' " +
                   std::string(name_of(v.dtype)) + shape_text(v.shape),
               "another type, or padding, is said in a .json beside it (docs/captures.md)"};
}

}  // namespace lockstep
