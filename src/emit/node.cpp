#include "emit/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>

#include "base/text.h"
#include "emit/layout.h"
#include "emit/work.h"

namespace lockstep {

std::string c_integer(std::int64_t v) {
  if (v == INT32_MIN) return "INT32_MIN";
  if (v == INT64_MIN) return "INT64_MIN";
  if (v > INT32_MAX || v < INT32_MIN) return "INT64_C(" + std::to_string(v) + ")";
  return std::to_string(v);
}

std::string c_float(float v) {
  if (std::isinf(v)) return v > 0 ? "INFINITY" : "-INFINITY";
  std::string text = fmt::format("{:.9g}", v);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

std::string c_double(double v) {
  if (std::isinf(v)) return v > 0 ? "INFINITY" : "-INFINITY";
  std::string text = fmt::format("{:.17g}", v);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string c_identifier(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain)
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!out.empty() && out.back() != '_')
      out += '_';
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

std::string c_address(const std::string& pool, std::int64_t offset) {
  const std::string name = c_identifier(pool);
  return offset == 0 ? name : name + " + " + std::to_string(offset);
}

std::string ConstantPool::put(std::string_view type, std::size_t count, const std::string& body,
                              const std::string& bytes, const std::string& wish) {
  const std::string key = std::string(type) + ":" + body;
  if (const auto it = known_.find(key); it != known_.end()) return it->second;
  const std::string base = prefix_ + "_" + c_identifier(wish);
  std::string name = base;
  for (int i = 2; !names_.insert(name).second; ++i) name = base + "_" + std::to_string(i);
  if (as_blob_) {
    declarations_ += fmt::format("#define {} ((const {} *)(const void *)({}_BLOB + {}))\n", name,
                                 type, c_upper(prefix_), blob_header_bytes + blob_.size());
    blob_ += bytes;
    blob_.resize((blob_.size() + 15) / 16 * 16, '\0');
  } else {
    declarations_ += fmt::format("extern const {} {}[{}];\n", type, name, count);
    definitions_ += fmt::format("const {} {}[{}] = {{\n{}}};\n", type, name, count, body);
  }
  bytes_ += static_cast<std::int64_t>(bytes.size());
  known_.emplace(key, name);
  return name;
}

namespace {

template <class T, class F>
std::string wrapped(std::span<const T> elements, F&& text) {
  std::string out, row;
  for (const T& e : elements) {
    const std::string one = text(e) + ",";
    if (row.size() + one.size() > 98) out += " " + row + "\n", row.clear();
    row += one;
  }
  return row.empty() ? out : out + " " + row + "\n";
}

std::size_t c_size(std::string_view type) {
  if (type == "int8_t" || type == "uint8_t") return 1;
  if (type == "int16_t" || type == "uint16_t") return 2;
  return type == "double" || type == "int64_t" ? 8 : 4;
}

// The low `size` bytes of each, little end first.
std::string raw(std::span<const std::int64_t> elements, std::size_t size) {
  std::string out;
  for (const std::int64_t v : elements)
    for (std::size_t b = 0; b < size; ++b)
      out += static_cast<char>(static_cast<std::uint64_t>(v) >> (8 * b));
  return out;
}

std::string_view c_type(DType t) {
  switch (t) {
    case DType::i8:
      return "int8_t";
    case DType::u8:
    case DType::boolean:
      return "uint8_t";
    case DType::i16:
      return "int16_t";
    case DType::f16:
    case DType::u16:
      return "uint16_t";
    case DType::i32:
      return "int32_t";
    case DType::u32:
      return "uint32_t";
    case DType::i64:
      return "int64_t";
    case DType::u64:
      return "uint64_t";
    case DType::f32:
      return "float";
    case DType::f64:
      return "double";
  }
  return "uint8_t";
}

}  // namespace

std::string ConstantPool::add(std::string_view type, std::span<const std::int64_t> elements,
                              const std::string& wish) {
  return put(type, elements.size(), wrapped(elements, [](std::int64_t v) { return c_integer(v); }),
             raw(elements, c_size(type)), wish);
}

std::string ConstantPool::add(std::string_view type, std::span<const double> elements,
                              const std::string& wish) {
  const bool narrow = type == "float";
  std::vector<std::int64_t> bits;
  for (const double v : elements)
    bits.push_back(narrow ? std::int64_t{std::bit_cast<std::uint32_t>(static_cast<float>(v))}
                          : std::bit_cast<std::int64_t>(v));
  return put(
      type, elements.size(),
      wrapped(elements,
              [&](double v) { return narrow ? c_float(static_cast<float>(v)) : c_double(v); }),
      raw(bits, narrow ? 4 : 8), wish);
}

std::string ConstantPool::add_tensor(const Tensor& t, const std::string& wish) {
  if (is_float(t.dtype()) && t.dtype() != DType::f16) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < t.count(); ++i) values.push_back(t.number(i));
    return add(c_type(t.dtype()), std::span<const double>(values), wish);
  }
  std::vector<std::int64_t> codes;
  for (std::int64_t i = 0; i < t.count(); ++i) codes.push_back(t.code(i));
  return add(c_type(t.dtype()), std::span<const std::int64_t>(codes), wish);
}

NodeWriter::NodeWriter(const Layout& layout, const Arithmetic& arithmetic, NodeId id,
                       ConstantPool& constants, const Lives& lives, const MemoryPlan& plan)
    : layout_(layout),
      arithmetic_(arithmetic),
      view_{layout.graph, layout.graph.node(id)},
      num_(*arithmetic.numerics),
      id_(id),
      label_(std::to_string(id) + "_" + c_identifier(view_.node.op)),
      constants_(constants),
      lives_(lives),
      plan_(plan) {}

std::string NodeWriter::pointer(ValueId v, std::string_view type, bool is_const) {
  const Value& value = view_.graph.value(v);
  std::string address;
  if (value.constant) {
    address = constants_.add_tensor(*value.constant, label_ + "_operand");
  } else {
    const auto buffer = static_cast<std::size_t>(lives_.of_value[static_cast<std::size_t>(v)]);
    const Place& place = plan_.places[buffer];
    address = c_address(plan_.pools[static_cast<std::size_t>(place.pool)].name, place.offset);
    if (type != "void") address = "(" + address + ")";
  }
  if (type == "void") return address;
  // Through void: the compiler is told that alignment was seen to.
  return fmt::format("({}{} *)({}void *){}", is_const ? "const " : "", type,
                     is_const ? "const " : "", address);
}

std::string NodeWriter::in(std::size_t i, std::string_view type) {
  return pointer(view_.node.inputs[i], type, true);
}
std::string NodeWriter::out(std::size_t o, std::string_view type) {
  return pointer(view_.node.outputs[o], type, false);
}

std::string NodeWriter::scratch(std::string_view type) {
  const int buffer = lives_.scratch[static_cast<std::size_t>(id_)];
  if (buffer < 0) return "NULL";
  const Place& place = plan_.places[static_cast<std::size_t>(buffer)];
  const std::string& pool = plan_.pools[static_cast<std::size_t>(place.pool)].name;
  const std::string address = "(" + c_address(pool, place.offset) + ")";
  return type == "void" ? address : fmt::format("({} *)(void *){}", type, address);
}

bool NodeWriter::same_bytes() const {
  return layout_.same_bytes[static_cast<std::size_t>(id_)];
}

bool NodeWriter::in_place(std::size_t o, std::size_t i) const {
  const int a = lives_.of_value[static_cast<std::size_t>(view_.node.outputs[o])],
            b = lives_.of_value[static_cast<std::size_t>(view_.node.inputs[i])];
  return a >= 0 && a == b;
}

void NodeWriter::field(const std::string& name, const std::string& value) {
  fields_ += "    ." + name + " = " + value + ",\n";
}

void NodeWriter::array(const std::string& name, std::span<const std::int64_t> values) {
  std::vector<std::string> parts;
  for (const std::int64_t v : values) parts.push_back(std::to_string(v));
  field(name, "{" + join(parts, ", ") + "}");
}

std::string NodeWriter::params(const std::string& type, const std::string& suffix) {
  std::string name = "node_" + std::to_string(id_);
  if (!suffix.empty())
    name += "_" + suffix;
  else if (structs_++ > 0)
    name += "_" + std::to_string(structs_ - 1);
  statics_ += "static const " + type + " " + name + " = {\n" + fields_ + "};\n";
  fields_.clear();
  return "&" + name;
}

void NodeWriter::line(const std::string& text) {
  constexpr std::size_t width = 110;
  const std::string lead(std::min(text.find_first_not_of(' '), text.size()), ' ');
  std::string row = "  " + lead;
  for (std::size_t at = lead.size(); at < text.size();) {
    std::size_t end = text.find(", ", at);
    end = end == std::string::npos ? text.size() : end + 1;
    const std::string part = text.substr(at, end - at);
    if (row.size() + part.size() > width && row.find_first_not_of(' ') != std::string::npos) {
      while (row.back() == ' ') row.pop_back();
      body_ += row + "\n";
      row = "      " + lead;
    }
    row += part;
    at = end;
    if (at < text.size()) row += ' ', ++at;
  }
  body_ += row + "\n";
}

std::string NodeWriter::constant_line(const std::string& type, const std::string& suffix,
                                      const std::string& initializer) {
  const std::string name = "node_" + std::to_string(id_) + "_" + suffix;
  statics_ += "static const " + type + " " + name + " = " + initializer + ";\n";
  return "&" + name;
}

Error NodeWriter::unsupported(const std::string& what) const {
  return Error{view_.where(), "no C for " + what + " in " + std::string(arithmetic_.name),
               "an operator, element types and rounding that rt/ has",
               "lockstep run computes it on the PC"};
}

const NodeEmitter* find_emitter(std::string_view op) {
  for (const auto table :
       {window_emitters(), pool_emitters(), join_emitters(), matrix_emitters(),
        elementwise_emitters(), binary_emitters(), move_emitters(), reduce_emitters(),
        convert_emitters(), real_emitters(), any_emitters(), row_emitters(), number_emitters(),
        resize_emitters(), state_emitters(), sequence_emitters(), order_emitters(),
        index_emitters(), detect_emitters()})
    for (const NodeEmitter& e : table)
      if (e.op == op) return &e;
  return nullptr;
}

}  // namespace lockstep
