#include "link/frame.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace lockstep {
namespace {

// The check field: number 1000, wire type 5 (four bytes follow), as a varint.
constexpr std::array<std::byte, 2> crc_tag = {std::byte{0xC5}, std::byte{0x3E}};
static_assert((1000 << 3 | 5) == (0x45 | 0x3E << 7));

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}();

// Reads a varint at `at`; nothing when it does not end within the bytes. `bad` when longer than
// ten.
std::optional<std::uint64_t> varint(std::span<const std::byte> bytes, std::size_t& at, bool& bad) {
  std::uint64_t number = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (at >= bytes.size()) return std::nullopt;
    const auto b = static_cast<std::uint64_t>(bytes[at++]);
    if (shift < 64) number |= (b & 0x7F) << shift;
    if (!(b & 0x80)) return number;
  }
  bad = true;
  return std::nullopt;
}

}  // namespace

Bytes packets_of(std::span<const std::byte> message, PacketForm form) {
  Bytes stream;
  for (std::size_t n = message.size();; n >>= 7) {
    stream.push_back(static_cast<std::byte>((n & 0x7F) | (n > 0x7F ? 0x80 : 0)));
    if (n <= 0x7F) break;
  }
  stream.insert(stream.end(), message.begin(), message.end());
  Bytes packets;
  packets.reserve((stream.size() / form.payload + 1) * form.size());
  for (std::size_t at = 0; at < stream.size(); at += form.payload) {
    const std::size_t n = std::min(form.payload, stream.size() - at);
    if (form.framing == Framing::two_byte) packets.push_back(static_cast<std::byte>(n >> 8));
    packets.push_back(static_cast<std::byte>(n & 0xFF));
    packets.insert(packets.end(), stream.begin() + static_cast<std::ptrdiff_t>(at),
                   stream.begin() + static_cast<std::ptrdiff_t>(at + n));
    packets.resize(packets.size() + form.payload - n);
  }
  return packets;
}

Result<bool> MessageReader::add(std::span<const std::byte> packet) {
  const auto first = static_cast<std::size_t>(packet[0]);
  const std::size_t n = form_.framing == Framing::one_byte
                            ? first & 0x7F
                            : (first & 0x7F) << 8 | static_cast<std::size_t>(packet[1]);
  const bool last = (first & 0x80) != 0;
  ++packets_;
  if (n > form_.payload)
    return Error{"", fmt::format("packet {} of the answer claims {} bytes", packets_, n),
                 fmt::format("at most {}", form_.payload), ""};
  if (n < form_.payload && !last)
    return Error{
        "", fmt::format("packet {} of the answer holds {} bytes and is not the last", packets_, n),
        fmt::format("{}", form_.payload), ""};
  const auto from = packet.begin() + static_cast<std::ptrdiff_t>(form_.header());
  message_.insert(message_.end(), from, from + static_cast<std::ptrdiff_t>(n));
  if (last) return true;
  if (message_.size() > limit_)
    return Error{"", fmt::format("an answer of more than {} bytes", limit_), "a message that ends",
                 ""};
  if (packets_ > 8 && (packets_ & (packets_ - 1)) != 0)
    return false;  // look at the 1st .. 8th, 16th, 32nd, ...
  const auto announced = announced_length(message_);
  if (!announced)
    return Error{"", "the answer is no message", "fields of protobuf's wire form", ""};
  if (*announced > limit_)
    return Error{"", fmt::format("the answer announces {} bytes", *announced),
                 fmt::format("at most {}", limit_), ""};
  return false;
}

std::optional<std::uint64_t> announced_length(std::span<const std::byte> bytes) {
  std::uint64_t end = 0;
  while (end < bytes.size()) {
    std::size_t at = static_cast<std::size_t>(end);
    bool bad = false;
    const auto tag = varint(bytes, at, bad);
    if (bad) return std::nullopt;
    if (!tag) return bytes.size();
    if (*tag >> 3 == 0) return std::nullopt;
    switch (*tag & 7) {
      case 0:
        if (!varint(bytes, at, bad)) {
          if (bad) return std::nullopt;
          return bytes.size();
        }
        end = at;
        break;
      case 1:
        end = at + 8;
        break;
      case 5:
        end = at + 4;
        break;
      case 2: {
        const auto length = varint(bytes, at, bad);
        if (bad) return std::nullopt;
        if (!length) return bytes.size();
        if (*length > std::uint64_t{1} << 40) return *length;
        end = at + *length;
        break;
      }
      default:
        return std::nullopt;
    }
  }
  return end;
}

std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t crc) {
  crc = ~crc;
  for (const std::byte b : bytes)
    crc = crc_table[(crc ^ static_cast<std::uint32_t>(b)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

void append_crc(Bytes& message) {
  const std::uint32_t crc = crc32_of(message);
  message.insert(message.end(), crc_tag.begin(), crc_tag.end());
  for (int i = 0; i < 4; ++i) message.push_back(static_cast<std::byte>(crc >> (8 * i)));
}

CrcState crc_state(std::span<const std::byte> message) {
  if (message.size() < 6 || !std::ranges::equal(message.subspan(message.size() - 6, 2), crc_tag))
    return CrcState::absent;
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < 4; ++i)
    crc |= static_cast<std::uint32_t>(message[message.size() - 4 + i]) << (8 * i);
  return crc == crc32_of(message.first(message.size() - 6)) ? CrcState::right : CrcState::wrong;
}

}  // namespace lockstep
