#include "import/tflite_options.h"

namespace lockstep {
namespace {

namespace fb = flatbuffers;

// The enumerator's name; unknown numbers stay numbers.
AttrValue enumerator(const fb::TypeTable& type, std::int64_t number) {
  const auto count = static_cast<std::int64_t>(type.num_elems);
  for (std::int64_t i = 0; type.names && i < count; ++i)
    if ((type.values ? type.values[i] : i) == number) return std::string(type.names[i]);
  return number;
}

std::int64_t integer_at(const std::uint8_t* data, fb::ElementaryType kind) {
  switch (kind) {
    case fb::ET_UTYPE:
    case fb::ET_BOOL:
    case fb::ET_UCHAR:
      return fb::ReadScalar<std::uint8_t>(data);
    case fb::ET_CHAR:
      return fb::ReadScalar<std::int8_t>(data);
    case fb::ET_SHORT:
      return fb::ReadScalar<std::int16_t>(data);
    case fb::ET_USHORT:
      return fb::ReadScalar<std::uint16_t>(data);
    case fb::ET_INT:
      return fb::ReadScalar<std::int32_t>(data);
    case fb::ET_UINT:
      return fb::ReadScalar<std::uint32_t>(data);
    case fb::ET_LONG:
      return fb::ReadScalar<std::int64_t>(data);
    case fb::ET_ULONG:
      return static_cast<std::int64_t>(fb::ReadScalar<std::uint64_t>(data));
    default:
      return 0;
  }
}

const std::uint8_t* follow(const std::uint8_t* data) {
  return data + fb::ReadScalar<fb::uoffset_t>(data);
}

void set_vector(Attrs& attrs, std::string name, const std::uint8_t* data, fb::ElementaryType kind) {
  const auto* vector = reinterpret_cast<const fb::Vector<std::uint8_t>*>(follow(data));
  const std::uint8_t* const first = vector->Data();
  if (kind == fb::ET_FLOAT) {
    std::vector<double> out(vector->size());
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<double>(fb::ReadScalar<float>(first + 4 * i));
    attrs.set(std::move(name), std::move(out));
  } else if (kind == fb::ET_INT) {
    std::vector<std::int64_t> out(vector->size());
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = fb::ReadScalar<std::int32_t>(first + 4 * i);
    attrs.set(std::move(name), std::move(out));
  }
}

void set_field(Attrs& attrs, const fb::Table& table, const fb::TypeTable& type, std::size_t i) {
  const auto offset = static_cast<fb::voffset_t>(4 + 2 * i);
  const std::uint8_t* const data = table.GetAddressOf(offset);
  if (!data) return;
  const fb::TypeCode code = type.type_codes[i];
  const auto kind = static_cast<fb::ElementaryType>(code.base_type);
  std::string name = type.names[i];
  if (code.is_repeating) return set_vector(attrs, std::move(name), data, kind);
  if (kind == fb::ET_FLOAT)
    return attrs.set(std::move(name), static_cast<double>(fb::ReadScalar<float>(data)));
  if (kind == fb::ET_STRING)
    return attrs.set(std::move(name), reinterpret_cast<const fb::String*>(follow(data))->str());
  const std::int64_t number = integer_at(data, kind);
  attrs.set(std::move(name), code.sequence_ref >= 0
                                 ? enumerator(*type.type_refs[code.sequence_ref](), number)
                                 : AttrValue(number));
}

}  // namespace

Attrs tflite_options(const tfl::Operator& op) {
  Attrs attrs;
  const auto read = [&](std::size_t kind, const fb::TypeTable& all, const void* options) {
    if (kind == 0 || kind >= all.num_elems || !options) return;
    const fb::TypeTable& type = *all.type_refs[all.type_codes[kind].sequence_ref]();
    for (std::size_t i = 0; i < type.num_elems; ++i)
      set_field(attrs, *static_cast<const fb::Table*>(options), type, i);
  };
  read(static_cast<std::size_t>(op.options_type()), *tfl::BuiltinOptionsTypeTable(), op.options());
  read(static_cast<std::size_t>(op.options2_type()), *tfl::BuiltinOptions2TypeTable(),
       op.options2());
  return attrs;
}

std::string tflite_operator_name(int code) {
  const fb::TypeTable& type = *tfl::BuiltinOperatorTypeTable();
  return code >= 0 && code < static_cast<int>(type.num_elems) ? type.names[code] : "";
}

}  // namespace lockstep
