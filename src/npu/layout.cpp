#include "npu/layout.h"

#include <numeric>

#include <fmt/core.h>

namespace lockstep {

namespace {

// Channels in a block of a Mixed buffer: what `batch` says; the last extent of mem_shape is that of
// the layout the copy was made for.
std::int64_t block_of(const NpuBuffer& b, std::int64_t channels) {
  const std::int64_t width = b.mem_shape[4];
  return b.batch > 0 && channels % b.batch == 0 ? b.batch : width;
}

}  // namespace

std::vector<std::int64_t> memory_order(const NpuBuffer& b) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(b.count()));
  std::iota(order.begin(), order.end(), 0);
  if (b.chpos == "CHPos_Last" && b.mem_shape.size() == 4) {
    const std::int64_t n = b.mem_shape[0], h = b.mem_shape[1], w = b.mem_shape[2],
                       c = b.mem_shape[3];
    std::size_t i = 0;
    for (std::int64_t q = 0; q < n; ++q)
      for (std::int64_t k = 0; k < c; ++k)
        for (std::int64_t p = 0; p < h * w; ++p) order[i++] = (q * h * w + p) * c + k;
  } else if (b.chpos == "CHPos_Mixed" && b.mem_shape.size() == 5) {
    const std::int64_t n = b.mem_shape[0], channels = b.mem_shape[1] * b.mem_shape[4],
                       area = b.mem_shape[2] * b.mem_shape[3], width = block_of(b, channels),
                       blocks = channels / width;
    std::size_t i = 0;
    for (std::int64_t q = 0; q < n; ++q)
      for (std::int64_t k = 0; k < blocks * width; ++k)
        for (std::int64_t p = 0; p < area; ++p)
          order[i++] = ((q * blocks + k / width) * area + p) * width + k % width;
  }
  return order;
}

Shape plain_shape(const NpuBuffer& b) {
  if (b.chpos == "CHPos_Last" && b.mem_shape.size() == 4)
    return {b.mem_shape[0], b.mem_shape[3], b.mem_shape[1], b.mem_shape[2]};
  if (b.chpos == "CHPos_Mixed" && b.mem_shape.size() == 5)
    return {b.mem_shape[0], b.mem_shape[1] * b.mem_shape[4], b.mem_shape[2], b.mem_shape[3]};
  return b.mem_shape;
}

DType dtype_of(const NpuBuffer& b) {
  if (b.type == "DataType_FLOAT") return DType::f32;
  const bool is_unsigned = b.type == "DataType_UINT8" || b.type == "DataType_UINT16" ||
                           (b.type == "DataType_FXP" && b.q_unsigned);
  switch (b.nbits) {
    case 8:
      return is_unsigned ? DType::u8 : DType::i8;
    case 16:
      return is_unsigned ? DType::u16 : DType::i16;
    default:
      return DType::i32;
  }
}

QuantParams quant_of(const NpuBuffer& b) {
  QuantParams q;
  q.scale = b.scale;
  for (const std::int64_t z : b.zero) q.zero.push_back(static_cast<std::int32_t>(z));
  return q;
}

bool is_whole(const NpuBuffer& b) {
  return b.bytes() == b.count() * static_cast<std::int64_t>(size_of(dtype_of(b))) && b.count() > 0;
}

Result<Tensor> read_buffer(const NpuBuffer& b, const NpuMemory& memory, const std::string& who) {
  if (!is_whole(b))
    return Error{
        who, fmt::format("{} bytes for {} elements", b.bytes(), b.count()), "the whole tensor", {}};
  LOCKSTEP_TRY(const auto bytes, memory.read(b.address(), static_cast<std::uint64_t>(b.bytes()),
                                             who + ": buffer " + b.name));
  Tensor t(dtype_of(b), plain_shape(b));
  const std::size_t by = size_of(t.dtype());
  const auto order = memory_order(b);
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t k = 0; k < by; ++k)
      t.bytes()[i * by + k] =
          static_cast<std::byte>(bytes[static_cast<std::size_t>(order[i]) * by + k]);
  return t;
}

Result<void> write_buffer(const NpuBuffer& b, const Tensor& t, NpuMemory& memory,
                          const std::string& who) {
  if (t.count() != b.count() || !is_whole(b))
    return Error{who + ": buffer " + b.name,
                 fmt::format("{} elements", t.count()),
                 fmt::format("{}", b.count()),
                 {}};
  const std::size_t by = size_of(dtype_of(b));
  if (size_of(t.dtype()) != by)
    return Error{who + ": buffer " + b.name,
                 std::string(name_of(t.dtype())),
                 std::string(name_of(dtype_of(b))),
                 {}};
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(b.bytes()));
  const auto order = memory_order(b);
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t k = 0; k < by; ++k)
      bytes[static_cast<std::size_t>(order[i]) * by + k] =
          static_cast<std::uint8_t>(t.bytes()[i * by + k]);
  return memory.write(b.address(), bytes, who + ": buffer " + b.name);
}

}  // namespace lockstep
