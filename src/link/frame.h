#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/files.h"
#include "link/byte_stream.h"

namespace lockstep {

// How messages are cut into packets of one size (docs/protocol.md). A header is one byte (7 bits of
// length) or two, big-endian (15 bits); its first bit ends a message.
enum class Framing : std::uint8_t { one_byte, two_byte };

struct PacketForm {
  Framing framing = Framing::two_byte;
  std::size_t payload = 32;

  std::size_t header() const { return framing == Framing::one_byte ? 1 : 2; }
  std::size_t size() const { return header() + payload; }
  friend bool operator==(const PacketForm&, const PacketForm&) = default;
};

inline constexpr std::byte sync_byte{0xAA};

// Host to device: the message behind its length, cut into whole packets. No end bit.
Bytes packets_of(std::span<const std::byte> message, PacketForm form);

// Device to host: puts packets together. Feed it whole packets; a message is complete when `add`
// says so.
class MessageReader {
 public:
  explicit MessageReader(PacketForm form, std::size_t limit = std::size_t{1} << 28)
      : form_(form), limit_(limit) {}

  // True when the message is complete. Errors say what the packet claims: a length beyond its
  // payload, a short packet in the middle, more bytes than the message announces, a message beyond
  // the limit. `where` is left empty.
  Result<bool> add(std::span<const std::byte> packet);
  std::size_t packets() const { return packets_; }
  Bytes take() { return std::move(message_); }

 private:
  PacketForm form_;
  std::size_t limit_, packets_ = 0;
  Bytes message_;
};

// How long a serialized message will be as far as its beginning tells (the end of the fields whose
// length has arrived), or nothing when the bytes are no message.
std::optional<std::uint64_t> announced_length(std::span<const std::byte> beginning);

// CRC-32 (IEEE 802.3, reflected, as zlib's crc32).
std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t crc = 0);

// A field of protobuf's wire form: 5 bits number and type as a varint. Appends the check field
// (number 1000, fixed32) with the CRC-32 of all bytes so far.
void append_crc(Bytes& message);
enum class CrcState : std::uint8_t { absent, right, wrong };
CrcState crc_state(std::span<const std::byte> message);

}  // namespace lockstep
