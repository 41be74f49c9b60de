#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "base/text.h"
#include "import/import.h"
#include "import/tflite_reader.h"
#include "import/tflite_sparse.h"

namespace lockstep {
namespace {

std::optional<DType> dtype_of(tfl::TensorType t) {
  using T = tfl::TensorType;
  switch (t) {
    case T::FLOAT32:
      return DType::f32;
    case T::FLOAT64:
      return DType::f64;
    case T::FLOAT16:
      return DType::f16;
    case T::INT8:
    case T::INT4:
    case T::INT2:
      return DType::i8;  // narrow codes are widened
    case T::UINT8:
      return DType::u8;
    case T::INT16:
      return DType::i16;
    case T::UINT16:
      return DType::u16;
    case T::INT32:
      return DType::i32;
    case T::UINT32:
      return DType::u32;
    case T::INT64:
      return DType::i64;
    case T::UINT64:
      return DType::u64;
    case T::BOOL:
      return DType::boolean;
    default:
      return std::nullopt;
  }
}

// Converters give a constant of zeros the scale 0; every multiplier made of it is 0, as with the
// least scale.
constexpr double least_scale = 0x1p-126;
bool all_zero(const Tensor& t, std::int32_t zero) {
  for (std::int64_t i = 0; i < t.count(); ++i)
    if (t.code(i) != zero) return false;
  return true;
}

int narrow_bits(tfl::TensorType t) {
  return t == tfl::TensorType::INT4 ? 4 : t == tfl::TensorType::INT2 ? 2 : 0;
}

}  // namespace

std::string TfliteReader::tensor_where(std::size_t i) const {
  const auto* name = tensor(i).name();
  return path + ": tensor " + std::to_string(i) +
         (name && name->size() > 0 ? " '" + name->str() + "'" : "");
}

void TfliteReader::find_made() {
  made.assign(ids.size(), false);
  inner.assign(ids.size(), false);
  for (const tfl::Operator* op : *main.operators())
    if (op->intermediates())
      for (const std::int32_t t : *op->intermediates())
        if (t >= 0 && static_cast<std::size_t>(t) < inner.size())
          inner[static_cast<std::size_t>(t)] = true;
  met.assign(ids.size(), false);
  const auto mark = [](std::vector<bool>& what, const flatbuffers::Vector<std::int32_t>* list) {
    for (flatbuffers::uoffset_t k = 0; list && k < list->size(); ++k)
      if (const std::int32_t t = list->Get(k); t >= 0 && static_cast<std::size_t>(t) < what.size())
        what[static_cast<std::size_t>(t)] = true;
  };
  for (const tfl::Operator* op : *main.operators()) {
    mark(made, op->outputs());
    for (const auto* list : {op->inputs(), op->outputs()}) mark(met, list);
  }
  for (const auto* list : {main.inputs(), main.outputs()}) mark(met, list);
}

// The file's names; where several tensors share one, or have none, the index is appended.
std::vector<std::string> TfliteReader::tensor_names() const {
  std::map<std::string, int> uses;
  std::vector<std::string> names;
  for (const tfl::Tensor* t : *main.tensors()) {
    names.push_back(t->name() ? t->name()->str() : "");
    ++uses[names.back()];
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i].empty() || uses[names[i]] > 1) names[i] += "#" + std::to_string(i);
  for (std::string& name : names) name.insert(0, prefix);
  return names;
}

// The bytes of a constant; empty when the tensor is computed.
Result<std::span<const std::byte>> TfliteReader::contents(std::size_t i) const {
  const tfl::Tensor& t = tensor(i);
  const auto* buffers = model.buffers();
  if (t.external_buffer() != 0)
    return Error{tensor_where(i), "contents in another file", "contents in this file",
                 "external buffers are not read"};
  if (t.buffer() == 0) return std::span<const std::byte>{};
  if (!buffers || t.buffer() >= buffers->size())
    return Error{
        tensor_where(i), "buffer " + std::to_string(t.buffer()),
        "a buffer of the " + std::to_string(buffers ? buffers->size() : 0) + " in the file",
        "the file is damaged"};
  const tfl::Buffer& b = *buffers->Get(t.buffer());
  if (b.data() && b.data()->size() > 0)
    return std::span(reinterpret_cast<const std::byte*>(b.data()->data()), b.data()->size());
  if (b.offset() <= 1 || b.size() == 0) return std::span<const std::byte>{};
  if (b.offset() > bytes.size() || b.size() > bytes.size() - b.offset())
    return Error{tensor_where(i),
                 "contents at byte " + std::to_string(b.offset()) + ", " +
                     std::to_string(b.size()) + " long",
                 "contents inside the file of " + std::to_string(bytes.size()) + " bytes",
                 "the file is cut off"};
  return std::span(bytes.data() + b.offset(), static_cast<std::size_t>(b.size()));
}

Result<QuantParams> TfliteReader::quantization(std::size_t i, const Shape& shape) const {
  QuantParams out;
  const auto* q = tensor(i).quantization();
  if (!q || !q->scale() || q->scale()->size() == 0) return out;
  if (q->details_type() != tfl::QuantizationDetails::NONE)
    return Error{tensor_where(i),
                 std::string("quantization of the kind ") +
                     tfl::EnumNameQuantizationDetails(q->details_type()),
                 "scales with zero points", ""};
  for (const float s : *q->scale()) {
    if (!std::isfinite(s) || s < 0)
      return Error{tensor_where(i), "scale " + std::to_string(s), "a positive finite number",
                   "the file is damaged"};
    out.scale.push_back(static_cast<double>(s));
  }
  if (q->zero_point())
    for (flatbuffers::uoffset_t k = 0; k < q->zero_point()->size(); ++k) {
      std::int64_t z = 0;  // not all writers align
      std::memcpy(&z, q->zero_point()->Data() + 8 * k, 8);
      if (z < INT32_MIN || z > INT32_MAX)
        return Error{tensor_where(i), "zero point " + std::to_string(z), "a code of 32 bits",
                     "the file is damaged"};
      out.zero.push_back(static_cast<std::int32_t>(z));
    }
  out.zero.resize(out.zero.size() == 1 || out.zero.size() == out.scale.size() ? out.zero.size()
                                                                              : 0);
  if (out.zero.empty()) out.zero.assign(out.scale.size(), 0);
  if (out.zero.size() == 1) out.zero.resize(out.scale.size(), out.zero[0]);
  if (out.scale.size() == 1) return out;
  // Old converters gave vectors (biases) the axis of the weights; a vector has one axis only.
  out.axis = shape.size() == 1 ? 0 : q->quantized_dimension();
  if (out.axis < 0 || static_cast<std::size_t>(out.axis) >= shape.size() ||
      shape[static_cast<std::size_t>(out.axis)] != static_cast<std::int64_t>(out.scale.size()))
    return Error{tensor_where(i),
                 std::to_string(out.scale.size()) + " scales on axis " + std::to_string(out.axis) +
                     " of " + shape_text(shape),
                 "as many scales as that axis is long", ""};
  return out;
}

Result<std::shared_ptr<const Tensor>> TfliteReader::constant(std::size_t i, DType dtype,
                                                             const Shape& shape) const {
  LOCKSTEP_TRY(const auto raw, contents(i));
  const bool nothing =
      std::ranges::find(shape, 0) != shape.end();  // a constant without elements has no bytes
  if (nothing && tensor(i).buffer() != 0) return std::make_shared<const Tensor>(dtype, shape);
  if (raw.empty()) return std::shared_ptr<const Tensor>();
  LOCKSTEP_TRY(const std::int64_t count, checked_count(shape, tensor_where(i)));
  if (const auto* sparsity = tensor(i).sparsity())
    return densified(raw, *sparsity, dtype, shape, tensor_where(i));
  const int bits = narrow_bits(tensor(i).type());
  const auto wanted =
      bits ? (static_cast<std::uint64_t>(count) * static_cast<unsigned>(bits) + 7) / 8
           : static_cast<std::uint64_t>(count) * size_of(dtype);
  if (raw.size() != wanted)
    return Error{tensor_where(i),
                 std::to_string(raw.size()) + " bytes for " + shape_text(shape) + " of " +
                     std::string(name_of(dtype)),
                 std::to_string(wanted) + " bytes", "the file is damaged"};
  auto t = std::make_shared<Tensor>(dtype, shape);
  if (bits == 0) {
    std::memcpy(t->bytes().data(), raw.data(), raw.size());
    return std::shared_ptr<const Tensor>(t);
  }
  const auto codes = t->as<std::int8_t>();
  for (std::size_t k = 0; k < codes.size(); ++k) {  // the lowest bits hold the first code
    const std::size_t at = k * static_cast<std::size_t>(bits);
    const int code =
        std::to_integer<int>(raw[at / 8] >> static_cast<int>(at % 8)) & ((1 << bits) - 1);
    codes[k] = static_cast<std::int8_t>(code >= 1 << (bits - 1) ? code - (1 << bits) : code);
  }
  return std::shared_ptr<const Tensor>(t);
}

Result<void> TfliteReader::read_tensor(std::size_t i, const std::string& name) {
  const tfl::Tensor& t = tensor(i);
  const auto dtype = dtype_of(t.type());
  if (!dtype || inner[i] || ids[i] != no_id) return {};  // refused where an operator uses it
  Value v;
  v.name = name;
  v.dtype = *dtype;
  if (t.shape())
    for (const std::int32_t extent : *t.shape()) v.shape.push_back(extent < 0 ? 1 : extent);
  LOCKSTEP_CHECK(checked_size(v.shape, size_of(v.dtype), tensor_where(i)));
  // Extents that the converter left open follow from the operators; inputs take the 1 that stands
  // there.
  const auto* open = t.shape_signature();
  if (open && open->size() == v.shape.size() && made[i])
    for (std::size_t a = 0; a < v.shape.size(); ++a)
      if (open->Get(static_cast<flatbuffers::uoffset_t>(a)) < 0) v.shape[a] = -1;
  if (!is_float(v.dtype)) {
    LOCKSTEP_TRY(v.quant, quantization(i, v.shape));
  }
  LOCKSTEP_TRY(v.constant, constant(i, v.dtype, v.shape));
  if (!v.constant && !met[i]) return {};  // left behind where a file was cut
  if (v.constant && v.quant.scale == std::vector<double>{0} &&
      all_zero(*v.constant, v.quant.zero_at(0)))
    v.quant.scale = {least_scale};
  v.origin.name = t.name() ? t.name()->str() : "";
  v.origin.layout = v.shape.size() == 4 && !v.constant ? "NHWC" : "";
  ids[i] = graph.add_value(std::move(v));
  return {};
}

// Contents of a tensor of another subgraph; null when it is computed.
Result<std::shared_ptr<const Tensor>> TfliteReader::constant_elsewhere(const tfl::SubGraph& sub,
                                                                       std::int32_t i) const {
  const std::size_t count = sub.tensors() ? sub.tensors()->size() : 0;
  if (i < 0 || static_cast<std::size_t>(i) >= count)
    return Error{path, "tensor " + std::to_string(i) + " of another subgraph",
                 "one of its " + std::to_string(count) + " tensors", "the file is damaged"};
  const TfliteReader other{path, bytes, model, sub, graph, variables, called};
  const auto at = static_cast<std::size_t>(i);
  const auto dtype = dtype_of(other.tensor(at).type());
  if (!dtype) return std::shared_ptr<const Tensor>();
  Shape shape;
  if (other.tensor(at).shape())
    for (const std::int32_t extent : *other.tensor(at).shape()) shape.push_back(extent);
  LOCKSTEP_CHECK(checked_size(shape, size_of(*dtype), other.tensor_where(at)));
  return other.constant(at, *dtype, shape);
}

Result<void> TfliteReader::read_tensors() {
  ids.resize(main.tensors()->size(), no_id);
  find_made();
  const auto names = tensor_names();
  for (std::size_t i = 0; i < names.size(); ++i) LOCKSTEP_CHECK(read_tensor(i, names[i]));
  return {};
}

}  // namespace lockstep
