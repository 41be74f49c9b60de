#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/files.h"

// Messages of the protocol spelled field by field, as its specification numbers them: nothing here
// knows the product's own coder.
namespace lockstep::test {

inline Bytes bytes_from(std::initializer_list<int> numbers) {
  Bytes b;
  for (const int n : numbers) b.push_back(static_cast<std::byte>(n));
  return b;
}

inline void append(Bytes& to, const Bytes& more) {
  to.insert(to.end(), more.begin(), more.end());
}

inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) append(all, part);
  return all;
}

inline Bytes varint(std::uint64_t n) {
  Bytes b;
  for (; n > 127; n >>= 7) b.push_back(static_cast<std::byte>((n & 127) | 128));
  b.push_back(static_cast<std::byte>(n));
  return b;
}

inline Bytes number(int field, std::uint64_t value) {
  return joined({varint(static_cast<std::uint64_t>(field) << 3), varint(value)});
}

inline Bytes bytes(int field, const Bytes& value) {
  return joined({varint(static_cast<std::uint64_t>(field) << 3 | 2), varint(value.size()), value});
}

inline Bytes text(int field, std::string_view value) {
  Bytes b;
  for (const char c : value) b.push_back(static_cast<std::byte>(c));
  return bytes(field, b);
}

inline Bytes real(int field, float value) {
  Bytes b(4);
  std::memcpy(b.data(), &value, 4);
  return joined({varint(static_cast<std::uint64_t>(field) << 3 | 5), b});
}

// reqMsg, ackMsg, aiDataMsg.
inline Bytes request(std::uint32_t id, std::uint32_t command, std::uint32_t param = 0,
                     std::string_view name = "", std::uint32_t option = 0) {
  return joined(
      {number(1, id), number(2, command), number(3, param), text(4, name), number(5, option)});
}
inline Bytes host_ack() {
  return joined({number(1, 0), number(2, 0)});
}
inline Bytes data(const Bytes& contents, std::uint32_t address = 0) {
  return joined({number(1, 0), number(2, contents.size()), number(3, address), bytes(4, contents)});
}

// respMsg with one payload.
inline Bytes answer(std::uint32_t id, std::uint32_t state, int field, const Bytes& payload) {
  return joined({number(1, id), number(2, state), bytes(field, payload)});
}
inline Bytes device_ack(std::uint32_t id, std::uint32_t state, std::uint32_t param,
                        std::uint32_t error = 0) {
  return answer(id, state, 12, joined({number(1, param), number(2, error)}));
}

// Packets of one size, as the specification cuts them.
struct Packets {
  std::size_t header = 2, payload = 32;

  Bytes packet(const Bytes& stream, std::size_t at, std::size_t n, bool last) const {
    Bytes p;
    if (header == 2) p.push_back(static_cast<std::byte>((n >> 8) | (last ? 0x80u : 0u)));
    p.push_back(static_cast<std::byte>(header == 2 ? n & 0xFF : n | (last ? 0x80u : 0u)));
    p.insert(p.end(), stream.begin() + static_cast<std::ptrdiff_t>(at),
             stream.begin() + static_cast<std::ptrdiff_t>(at + n));
    p.resize(header + payload);
    return p;
  }
  // Device to host: a last packet always follows, empty where the message fills the one before.
  Bytes from_device(const Bytes& message) const {
    Bytes all;
    std::size_t at = 0;
    for (; message.size() - at >= payload; at += payload)
      append(all, packet(message, at, payload, false));
    append(all, packet(message, at, message.size() - at, true));
    return all;
  }
  // Host to device: behind its length; the packets one by one.
  std::vector<Bytes> from_host(const Bytes& message) const {
    const Bytes stream = joined({varint(message.size()), message});
    std::vector<Bytes> all;
    for (std::size_t at = 0; at < stream.size(); at += payload)
      all.push_back(packet(stream, at, std::min(payload, stream.size() - at), false));
    return all;
  }
};

}  // namespace lockstep::test
