#include "import/onnx_proto.h"

#include <cstring>

#include "base/text.h"

namespace lockstep {
namespace {

using Proto = onnx::TensorProto;

std::string type_text(std::int32_t number) {
  static constexpr std::string_view newer[] = {"float8e4m3fn",   "float8e4m3fnuz", "float8e5m2",
                                               "float8e5m2fnuz", "uint4",          "int4",
                                               "float4e2m1"};
  if (Proto::DataType_IsValid(number))
    return lower(Proto::DataType_Name(static_cast<Proto::DataType>(number)));
  if (number >= 17 && number < 24) return std::string(newer[number - 17]);
  return "number " + std::to_string(number);
}

template <class T, class Field>
void copy_field(const Field& field, Tensor& tensor) {
  const auto out = tensor.as<T>();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(field[static_cast<int>(i)]);
}

// The typed field that holds elements of `dtype` when there are no raw bytes.
int field_size(const Proto& p, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return p.float_data_size();
    case DType::f64:
      return p.double_data_size();
    case DType::i64:
      return p.int64_data_size();
    case DType::u32:
    case DType::u64:
      return p.uint64_data_size();
    default:
      return p.int32_data_size();
  }
}

void fill_from_field(const Proto& p, Tensor& t) {
  switch (t.dtype()) {
    case DType::f32:
      return copy_field<float>(p.float_data(), t);
    case DType::f64:
      return copy_field<double>(p.double_data(), t);
    case DType::i64:
      return copy_field<std::int64_t>(p.int64_data(), t);
    case DType::u32:
      return copy_field<std::uint32_t>(p.uint64_data(), t);
    case DType::u64:
      return copy_field<std::uint64_t>(p.uint64_data(), t);
    case DType::i32:
      return copy_field<std::int32_t>(p.int32_data(), t);
    case DType::i16:
      return copy_field<std::int16_t>(p.int32_data(), t);
    case DType::u16:
    case DType::f16:
      return copy_field<std::uint16_t>(p.int32_data(), t);
    case DType::i8:
      return copy_field<std::int8_t>(p.int32_data(), t);
    case DType::u8:
    case DType::boolean:
      return copy_field<std::uint8_t>(p.int32_data(), t);
  }
}

// Files of the first format version leave the kind out: then the field that is set says it.
onnx::AttributeProto::AttributeType kind_of(const onnx::AttributeProto& a) {
  using Kind = onnx::AttributeProto;
  if (a.has_type()) return a.type();
  if (a.has_f()) return Kind::FLOAT;
  if (a.has_i()) return Kind::INT;
  if (a.has_s()) return Kind::STRING;
  if (a.has_t()) return Kind::TENSOR;
  if (a.has_g()) return Kind::GRAPH;
  if (a.floats_size()) return Kind::FLOATS;
  if (a.ints_size()) return Kind::INTS;
  return a.strings_size() ? Kind::STRINGS : Kind::UNDEFINED;
}

Result<AttrValue> attr_of(const onnx::AttributeProto& a, const std::string& where) {
  const std::string what = "attribute '" + a.name() + "'";
  switch (kind_of(a)) {
    case onnx::AttributeProto::INT:
      return AttrValue(static_cast<std::int64_t>(a.i()));
    case onnx::AttributeProto::FLOAT:
      return AttrValue(static_cast<double>(a.f()));
    case onnx::AttributeProto::STRING:
      return AttrValue(a.s());
    case onnx::AttributeProto::INTS:
      return AttrValue(std::vector<std::int64_t>(a.ints().begin(), a.ints().end()));
    case onnx::AttributeProto::FLOATS:
      return AttrValue(std::vector<double>(a.floats().begin(), a.floats().end()));
    case onnx::AttributeProto::STRINGS:
      return AttrValue(std::vector<std::string>(a.strings().begin(), a.strings().end()));
    case onnx::AttributeProto::TENSOR: {
      LOCKSTEP_TRY(Tensor t, tensor_of_onnx(a.t(), where + ", " + what));
      return AttrValue(std::make_shared<const Tensor>(std::move(t)));
    }
    default:
      return Error{where, what + " of kind " + onnx::AttributeProto::AttributeType_Name(a.type()),
                   "a number, text or tensor, or lists of them", ""};
  }
}

}  // namespace

Result<DType> dtype_of_onnx(std::int32_t number, const std::string& where) {
  switch (number) {
    case Proto::FLOAT:
      return DType::f32;
    case Proto::DOUBLE:
      return DType::f64;
    case Proto::FLOAT16:
      return DType::f16;
    case Proto::INT8:
      return DType::i8;
    case Proto::UINT8:
      return DType::u8;
    case Proto::INT16:
      return DType::i16;
    case Proto::UINT16:
      return DType::u16;
    case Proto::INT32:
      return DType::i32;
    case Proto::UINT32:
      return DType::u32;
    case Proto::INT64:
      return DType::i64;
    case Proto::UINT64:
      return DType::u64;
    case Proto::BOOL:
      return DType::boolean;
    default:
      return Error{where, "element type " + type_text(number),
                   "float, integer of 8 to 64 bits, or bool", ""};
  }
}

bool is_four_bit(const Proto& p) {
  return p.data_type() == 21 || p.data_type() == 22;
}  // uint4, int4: newer than the schema at hand

namespace {

// Two codes in a byte, the first in the lower half.
Result<Tensor> four_bit_tensor(const Proto& p, const std::string& where) {
  const Shape shape(p.dims().begin(), p.dims().end());
  LOCKSTEP_TRY(const std::int64_t count, checked_count(shape, where));
  const std::size_t want = (static_cast<std::size_t>(count) + 1) / 2;
  const std::size_t have =
      p.has_raw_data() ? p.raw_data().size() : static_cast<std::size_t>(p.int32_data_size());
  if (p.data_location() == Proto::EXTERNAL || p.has_segment())
    return Error{where, "contents elsewhere", "contents inside the .onnx file", ""};
  if (have != want)
    return Error{
        where, std::to_string(have) + " bytes for " + type_text(p.data_type()) + shape_text(shape),
        std::to_string(want), "the file is damaged or cut"};
  const bool is_signed = p.data_type() == 22;
  Tensor t(is_signed ? DType::i8 : DType::u8, shape);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i / 2);
    const int both = p.has_raw_data() ? static_cast<unsigned char>(p.raw_data()[at])
                                      : p.int32_data(static_cast<int>(at)) & 0xff;
    const int code = (i % 2 == 0 ? both : both / 16) % 16;
    t.set_code(i, is_signed && code > 7 ? code - 16 : code);
  }
  return t;
}

}  // namespace

Result<Tensor> tensor_of_onnx(const Proto& p, const std::string& where) {
  if (is_four_bit(p)) return four_bit_tensor(p, where);
  LOCKSTEP_TRY(const DType dtype, dtype_of_onnx(p.data_type(), where));
  const Shape shape(p.dims().begin(), p.dims().end());
  LOCKSTEP_TRY(const std::int64_t count, checked_count(shape, where));
  if (p.data_location() == Proto::EXTERNAL)
    return Error{where, "contents in another file", "contents inside the .onnx file",
                 "save it with onnx.save_model(model, path, save_as_external_data=False)"};
  if (p.has_segment()) return Error{where, "a segmented tensor", "the whole tensor", ""};
  if (p.has_raw_data()) {
    const std::uint64_t size = static_cast<std::uint64_t>(count) * size_of(dtype);
    if (p.raw_data().size() != size)
      return Error{where,
                   std::to_string(p.raw_data().size()) + " bytes for " +
                       std::string(name_of(dtype)) + shape_text(shape),
                   std::to_string(size), "the file is damaged or cut"};
    Tensor t(dtype, shape);
    if (size) std::memcpy(t.bytes().data(), p.raw_data().data(), size);
    if (dtype == DType::boolean)
      for (auto& b : t.as<std::uint8_t>()) b = b ? 1 : 0;
    return t;
  }
  if (field_size(p, dtype) != count)
    return Error{where,
                 std::to_string(field_size(p, dtype)) + " elements for " +
                     std::string(name_of(dtype)) + shape_text(shape),
                 std::to_string(count), "the file is damaged or cut"};
  Tensor t(dtype, shape);
  fill_from_field(p, t);
  return t;
}

const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, std::string_view name) {
  for (const auto& a : node.attribute())
    if (a.name() == name) return &a;
  return nullptr;
}

Result<Attrs> attrs_of_onnx(const onnx::NodeProto& node, const std::string& where) {
  Attrs attrs;
  for (const auto& a : node.attribute()) {
    if (kind_of(a) == onnx::AttributeProto::GRAPH || kind_of(a) == onnx::AttributeProto::GRAPHS)
      return Error{
          where, "attribute '" + a.name() + "' holds a graph", "an operator without inner graphs",
          "Scan and Loop with a constant trip count and If with a constant condition are read"};
    LOCKSTEP_TRY(AttrValue value, attr_of(a, where));
    attrs.set(a.name(), std::move(value));
  }
  return attrs;
}

}  // namespace lockstep
