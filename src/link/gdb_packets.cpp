// GDB remote serial protocol: packets are $text#cc, cc the sum of the bytes modulo 256 in
// hexadecimal, each acknowledged by
// '+' or asked for again by '-' until QStartNoAckMode. Documented in GDB's manual, appendix "Remote
// Serial Protocol".
#include <algorithm>

#include <fmt/format.h>

#include "link/gdb.h"
#include "link/gdb_text.h"

namespace lockstep {
namespace {

constexpr int most_tries = 5;
constexpr std::size_t most_packet = std::size_t{1} << 20;

std::uint8_t sum_of(std::string_view text) {
  unsigned sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  return static_cast<std::uint8_t>(sum);
}

// Escapes ('}' and the byte xor 0x20) and runs ("x*n": x again, n - 29 times) undone.
std::string expanded(std::string_view packet) {
  std::string text;
  for (std::size_t i = 0; i < packet.size(); ++i) {
    if (packet[i] == '}' && i + 1 < packet.size()) {
      text += static_cast<char>(packet[++i] ^ 0x20);
    } else if (packet[i] == '*' && i + 1 < packet.size() && !text.empty() && packet[i + 1] >= 29) {
      text.append(static_cast<std::size_t>(packet[++i] - 29), text.back());
    } else {
      text += packet[i];
    }
  }
  return text;
}

}  // namespace

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte b : bytes) text += fmt::format("{:02x}", static_cast<int>(b));
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2) return std::nullopt;
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    if (text[i] == 'x') {
      bytes.push_back(std::byte{0});
      continue;
    }
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return bytes;
}

Error Gdb::broken(std::string what, std::string want, std::string hint) const {
  return link_error(stream_->name(), std::move(what), std::move(want), std::move(hint));
}

Result<int> Gdb::next_byte(Milliseconds wait) {
  if (read_at_ == arrived_.size()) {
    const auto left = std::chrono::ceil<Milliseconds>(end_ - stream_->now());
    if (left.count() <= 0) return -1;
    arrived_.resize(1 << 16);
    const auto got = stream_->read(arrived_, std::min(wait, left));
    arrived_.resize(got.ok() ? *got : 0);
    read_at_ = 0;
    if (!got.ok()) return got.error();
    if (arrived_.empty()) return -1;
  }
  return static_cast<int>(arrived_[read_at_++]);
}

// A notification, %text#cc, is of no use here and is not acknowledged.
Result<void> Gdb::skip_notification() {
  int c = 0;
  while (c >= 0 && c != '#') {
    LOCKSTEP_TRY(c, next_byte(Milliseconds(2000)));
  }
  for (int i = 0; i < 2 && c >= 0; ++i) {
    LOCKSTEP_TRY(c, next_byte(Milliseconds(2000)));
  }
  return {};
}

Result<void> Gdb::send(std::string_view packet) {
  const std::string text = fmt::format("${}#{:02x}", packet, sum_of(packet));
  for (int attempt = 0; attempt < most_tries; ++attempt) {
    LOCKSTEP_CHECK(stream_->write(std::as_bytes(std::span(text)), Milliseconds(4000)));
    if (!acknowledges_) return {};
    for (;;) {
      LOCKSTEP_TRY(const int c, next_byte(Milliseconds(1500)));
      if (c == '+') return {};
      if (c == '-' || c < 0) break;  // again
      if (c == '%') LOCKSTEP_CHECK(skip_notification());
      if (c == '$') {  // an answer without its '+'
        --read_at_;
        return {};
      }
    }
  }
  return broken(fmt::format("the server does not acknowledge '{}'", packet.substr(0, 24)), "'+'",
                "is it a GDB server?");
}

Result<std::string> Gdb::receive(Milliseconds wait) {
  for (int attempt = 0; attempt < most_tries; ++attempt) {
    int c = 0;
    do {
      LOCKSTEP_TRY(c, next_byte(wait));
      if (c < 0)
        return broken("no answer from the GDB server",
                      fmt::format("one within {} ms", wait.count()));
      if (c == '%') LOCKSTEP_CHECK(skip_notification());
    } while (c != '$');
    std::string packet;
    bool whole = false;
    while (packet.size() < most_packet) {
      LOCKSTEP_TRY(c, next_byte(Milliseconds(2000)));
      if (c < 0)
        return broken(fmt::format("an answer breaks off after {} bytes", packet.size()),
                      "'#' and two digits");
      if (c == '$')
        packet.clear();  // a new beginning: the end of the last one was lost
      else if (c == '#') {
        whole = true;
        break;
      } else
        packet += static_cast<char>(c);
    }
    if (!whole)
      return broken("an answer without end", fmt::format("at most {} bytes", most_packet));
    LOCKSTEP_TRY(const int high, next_byte(Milliseconds(2000)));
    LOCKSTEP_TRY(const int low, next_byte(Milliseconds(2000)));
    const bool right = high >= 0 && low >= 0 &&
                       (hex_digit(static_cast<char>(high)) << 4 |
                        hex_digit(static_cast<char>(low))) == sum_of(packet);
    if (!acknowledges_) {
      if (!right)
        return broken("an answer with a wrong checksum", "", "bytes were damaged on the line");
      return expanded(packet);
    }
    LOCKSTEP_CHECK(
        stream_->write(std::as_bytes(std::span(right ? "+" : "-", 1)), Milliseconds(2000)));
    if (right) return expanded(packet);
  }
  return broken("every answer arrives with a wrong checksum", "", "bytes are damaged on the line");
}

}  // namespace lockstep
