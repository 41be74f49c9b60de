#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "link/device_state.h"

namespace lockstep {
namespace {

constexpr std::int64_t most_elements = std::int64_t{1} << 30;

struct FormatRow {
  std::uint32_t format;
  DType dtype;
};
// sign << 23 | type << 17 | bits << 7 | fractional bits + 64
constexpr FormatRow formats[] = {
    {0x00821040, DType::f32}, {0x00820840, DType::f16},     {0x00840440, DType::i8},
    {0x00040440, DType::u8},  {0x00840840, DType::i16},     {0x00040840, DType::u16},
    {0x00841040, DType::i32}, {0x00041040, DType::u32},     {0x00842040, DType::i64},
    {0x00042040, DType::u64}, {0x00060440, DType::boolean}, {0x00840447, DType::i8},
    {0x0084084f, DType::i16}};  // Q7, Q15: the codes

// What a shape's form makes of the extents on the wire: batch first, channels where the memory has
// them.
std::vector<std::int64_t> shape_of(const wire::TensorDesc& d) {
  std::vector<std::int64_t> dims(d.dims().begin(), d.dims().end());
  const std::uint32_t form = d.rank() >> 24, kind = form & 0xF;
  if (kind == 4 && !((form & 0x40) && !dims.empty() && dims[0] == 1)) dims.insert(dims.begin(), 1);
  if (kind == 2 && dims.size() == 2) return {dims[0], 1, 1, dims[1]};
  if (kind == 2 && dims.size() == 3) return {dims[0], dims[1], 1, dims[2]};
  if (kind == 3 && dims.size() >= 3)
    std::rotate(dims.begin() + 1, dims.end() - 1,
                dims.end());  // channels are named last and lie second
  if (kind == 1 && dims.size() == 4) return {dims[0], dims[3], dims[2], dims[1]};
  return dims;
}

}  // namespace

std::optional<DType> dtype_of_format(std::uint32_t format) {
  for (const FormatRow& row : formats)
    if (row.format == (format & 0x01FFFFFF)) return row.dtype;
  return std::nullopt;
}

std::uint32_t format_of_dtype(DType dtype) {
  for (const FormatRow& row : formats)
    if (row.dtype == dtype) return row.format;
  return 0x40;
}

Bytes bytes_of(const std::string& text) {
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

Result<DeviceTensor> tensor_of(const Dialogue& dialogue, const wire::TensorDesc& desc) {
  DeviceTensor t;
  t.name = printable(desc.name());
  t.format = desc.format();
  t.dtype = dtype_of_format(desc.format());
  t.scale = desc.scale();
  t.zero = desc.zero();
  t.address = desc.address();
  t.flags = desc.flags();
  const std::string who = t.name.empty() ? "a tensor" : "tensor '" + t.name + "'";
  if (desc.dims_size() > 8 ||
      static_cast<std::uint32_t>(desc.dims_size()) != (desc.rank() & 0xFFFFFF))
    return dialogue.broken(fmt::format("{} has {} extents and says rank {}", who, desc.dims_size(),
                                       desc.rank() & 0xFFFFFF),
                           "as many, at most 8");
  t.shape = shape_of(desc);
  std::int64_t count = 1;
  for (const std::int64_t extent : t.shape) {
    if (extent < 0 || (extent > 0 && count > most_elements / extent))
      return dialogue.broken(who + " has shape " + shape_text(t.shape), "fewer elements");
    count *= extent;
  }
  t.elements = count;
  const std::int64_t gap = static_cast<std::int64_t>(desc.size()) - count;
  if (t.dtype && (gap > 3 || gap < -3))
    return dialogue.broken(
        fmt::format("{} has {} elements and shape {}", who, desc.size(), shape_text(t.shape)),
        "a shape of as many elements");
  return t;
}

Result<DeviceTensor> tensor_with_data(const Dialogue& dialogue, wire::TensorDesc& desc,
                                      std::string bytes) {
  LOCKSTEP_TRY(DeviceTensor t, tensor_of(dialogue, desc));
  if (bytes.empty()) return t;
  if (t.dtype && bytes.size() != t.bytes())
    return dialogue.broken(fmt::format("tensor '{}' {} arrives with {} bytes", t.name,
                                       shape_text(t.shape), bytes.size()),
                           fmt::format("{}", t.bytes()), "another shape on the device?");
  t.data = bytes_of(bytes);
  return t;
}

std::uint16_t bsd_checksum(std::span<const std::byte> bytes) {
  std::uint32_t sum = 0;
  for (const std::byte b : bytes)
    sum = ((sum >> 1 | (sum & 1) << 15) + static_cast<std::uint32_t>(b)) & 0xFFFF;
  return static_cast<std::uint16_t>(sum);
}

}  // namespace lockstep
