// NumPy's .npy: 6 bytes "\x93NUMPY", version (2 bytes), header length (2 bytes in version 1, 4 in 2
// and 3, little-endian), a Python dictionary as text with 'descr', 'fortran_order' and 'shape', and
// the elements.
#include "base/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"

namespace lockstep {

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t most_axes = 32;
constexpr std::int64_t most_elements = std::int64_t{1} << 40;

struct Header {
  DType dtype = DType::f32;
  bool big_endian = false, fortran = false;
  std::vector<std::int64_t> shape;
};

// The text after "'key':" with leading blanks removed; empty when the key is absent.
std::string_view after_key(std::string_view text, std::string_view key) {
  for (const char quote : {'\'', '"'}) {
    const std::string quoted = quote + std::string(key) + quote;
    std::size_t at = text.find(quoted);
    if (at == text.npos) continue;
    at = text.find(':', at + quoted.size());
    if (at == text.npos) continue;
    at = text.find_first_not_of(' ', at + 1);
    if (at != text.npos) return text.substr(at);
  }
  return {};
}

Result<void> parse_descr(std::string_view text, const std::string& where, Header& header) {
  const std::size_t end = text.size() < 2 ? text.npos : text.find(text[0], 1);
  const bool quoted = end != text.npos && (text[0] == '\'' || text[0] == '"');
  const std::string descr(quoted ? text.substr(1, end - 1) : text.substr(0, 16));
  static constexpr std::pair<std::string_view, DType> types[] = {
      {"f4", DType::f32}, {"f8", DType::f64}, {"f2", DType::f16}, {"i1", DType::i8},
      {"u1", DType::u8},  {"i2", DType::i16}, {"u2", DType::u16}, {"i4", DType::i32},
      {"u4", DType::u32}, {"i8", DType::i64}, {"u8", DType::u64}, {"b1", DType::boolean}};
  if (quoted && descr.size() == 3 &&
      std::string_view("<>|=").find(descr[0]) != std::string_view::npos)
    for (const auto& [name, dtype] : types)
      if (descr.substr(1) == name) {
        header.dtype = dtype;
        header.big_endian = descr[0] == '>';
        return {};
      }
  return Error{where, "element type " + descr, "an integer, float or boolean type of NumPy",
               "numpy.save of an array of numbers; no objects, records or strings"};
}

Result<void> parse_shape(std::string_view text, const std::string& where, Header& header) {
  const Error bad{where, "a shape that cannot be read", "a tuple such as (10, 16)",
                  "the file is damaged"};
  const std::size_t end = text.find(')');
  if (text.empty() || text[0] != '(' || end == text.npos) return bad;
  std::int64_t count = 1;
  for (const std::string& part : split(text.substr(1, end - 1), ',')) {
    const std::size_t first = part.find_first_not_of(' ');
    if (first == part.npos) continue;
    std::int64_t extent = 0;
    const char* stop = part.data() + part.find_last_not_of(' ') + 1;
    if (stop[-1] == 'L') --stop;  // Python 2 wrote long integers so
    const auto [at, failure] = std::from_chars(part.data() + first, stop, extent);
    if (failure != std::errc{} || at != stop || extent < 0 || header.shape.size() >= most_axes)
      return bad;
    // no overflow behind a zero either
    const std::int64_t factor = std::max<std::int64_t>(extent, 1);
    if (count > most_elements / factor)
      return Error{where, "a shape of more than 2^40 elements", "a shape that fits the file",
                   "the file is damaged"};
    count *= factor;
    header.shape.push_back(extent);
  }
  return {};
}

Result<Header> parse_header(std::string_view text, const std::string& where) {
  Header header;
  LOCKSTEP_CHECK(parse_descr(after_key(text, "descr"), where, header));
  const std::string_view order = after_key(text, "fortran_order");
  header.fortran = order.starts_with("True");
  if (!header.fortran && !order.starts_with("False"))
    return Error{where, "no 'fortran_order' in the header", "True or False", "the file is damaged"};
  LOCKSTEP_CHECK(parse_shape(after_key(text, "shape"), where, header));
  return header;
}

void swap_elements(Bytes& bytes, std::size_t size) {
  for (std::size_t i = 0; i + size <= bytes.size(); i += size)
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                 bytes.begin() + static_cast<std::ptrdiff_t>(i + size));
}

// First axis fastest -> last axis fastest.
Bytes from_fortran(const Bytes& bytes, const std::vector<std::int64_t>& shape, std::size_t size) {
  Bytes out(bytes.size());
  std::vector<std::int64_t> index(shape.size(), 0), stride(shape.size(), 1);
  for (std::size_t i = 1; i < shape.size(); ++i) stride[i] = stride[i - 1] * shape[i - 1];
  for (std::size_t to = 0; to + size <= out.size(); to += size) {
    std::int64_t from = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) from += index[i] * stride[i];
    std::memcpy(out.data() + to, bytes.data() + static_cast<std::size_t>(from) * size, size);
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (++index[i] < shape[i]) break;
      index[i] = 0;
    }
  }
  return out;
}

std::string descr_of(DType t) {
  switch (t) {
    case DType::f32:
      return "<f4";
    case DType::f64:
      return "<f8";
    case DType::f16:
      return "<f2";
    case DType::i8:
      return "|i1";
    case DType::u8:
      return "|u1";
    case DType::i16:
      return "<i2";
    case DType::u16:
      return "<u2";
    case DType::i32:
      return "<i4";
    case DType::u32:
      return "<u4";
    case DType::i64:
      return "<i8";
    case DType::u64:
      return "<u8";
    case DType::boolean:
      return "|b1";
  }
  return "";
}

}  // namespace

Result<NpyArray> parse_npy(std::span<const std::byte> bytes, const std::string& where) {
  const auto octet = [&](std::size_t i) { return std::to_integer<std::size_t>(bytes[i]); };
  if (bytes.size() < 10 || std::memcmp(bytes.data(), magic.data(), magic.size()) != 0)
    return Error{where, "no NumPy signature in the first bytes", "a .npy array",
                 "write it with numpy.save"};
  const std::size_t version = octet(6), prefix = version == 1 ? 10 : 12;
  if (version < 1 || version > 3 || bytes.size() < prefix)
    return Error{where, "format version " + std::to_string(version), "version 1, 2 or 3", ""};
  std::size_t length = octet(8) | octet(9) << 8;
  if (version > 1) length |= octet(10) << 16 | octet(11) << 24;
  if (length > bytes.size() - prefix)
    return Error{where,
                 "a header of " + std::to_string(length) + " bytes in a file of " +
                     std::to_string(bytes.size()),
                 "a header inside the file", "the file is cut off or damaged"};
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + prefix, length);
  LOCKSTEP_TRY(const Header header, parse_header(text, where));

  std::uint64_t needed = size_of(header.dtype);
  for (const std::int64_t extent : header.shape) needed *= static_cast<std::uint64_t>(extent);
  const std::span<const std::byte> elements = bytes.subspan(prefix + length);
  if (elements.size() != needed)
    return Error{where, std::to_string(elements.size()) + " bytes of elements",
                 std::to_string(needed) + " for " + std::string(name_of(header.dtype)) +
                     shape_text(header.shape),
                 elements.size() < needed ? "the file is cut off" : "the file is damaged"};
  NpyArray array{header.dtype, header.shape, Bytes(elements.begin(), elements.end())};
  if (header.big_endian) swap_elements(array.bytes, size_of(header.dtype));
  if (header.fortran && header.shape.size() > 1)
    array.bytes = from_fortran(array.bytes, header.shape, size_of(header.dtype));
  return array;
}

Bytes format_npy(const NpyArray& array) {
  std::string shape = "(";
  for (std::size_t i = 0; i < array.shape.size(); ++i)
    shape += (i ? ", " : "") + std::to_string(array.shape[i]);
  shape += array.shape.size() == 1 ? ",)" : ")";
  std::string header = "{'descr': '" + descr_of(array.dtype) +
                       "', 'fortran_order': False, 'shape': " + shape + ", }";
  const std::size_t prefix = 10;
  while ((prefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  const std::size_t length = header.size();  // far below 65536: at most 32 axes
  const char start[4] = {1, 0, static_cast<char>(length & 255),
                         static_cast<char>(length >> 8 & 255)};
  Bytes out(prefix + length + array.bytes.size());
  std::memcpy(out.data(), magic.data(), magic.size());
  std::memcpy(out.data() + magic.size(), start, sizeof start);
  std::memcpy(out.data() + prefix, header.data(), length);
  std::copy(array.bytes.begin(), array.bytes.end(),
            out.begin() + static_cast<std::ptrdiff_t>(prefix + length));
  return out;
}

}  // namespace lockstep
