// GDB remote serial protocol: packets are $text#cc, cc the sum of the bytes modulo 256 in hexadecimal, each acknowledged by
// '+' or asked for again by '-' until QStartNoAckMode. Documented in GDB's manual, appendix "Remote Serial Protocol".
#include "link/gdb.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace lockstep {
namespace {

constexpr int most_tries = 5;
constexpr std::size_t most_packet = std::size_t{1} << 20;

std::uint8_t sum_of(std::string_view text) {
  unsigned sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  return static_cast<std::uint8_t>(sum);
}

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

// "xx" digits (registers that are unknown) read as zero; nothing when it is no hexadecimal.
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

bool is_error(std::string_view answer) { return answer.size() == 3 && answer[0] == 'E' && hex_digit(answer[1]) >= 0 && hex_digit(answer[2]) >= 0; }
bool is_stop(std::string_view answer) { return !answer.empty() && (answer[0] == 'T' || answer[0] == 'S'); }

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

std::uint32_t GdbRegisters::at(std::size_t i) const {
  std::uint32_t value = 0;
  for (std::size_t b = 0; b < 4 && i * 4 + b < all.size(); ++b) value |= static_cast<std::uint32_t>(all[i * 4 + b]) << (8 * b);
  return value;
}

void GdbRegisters::set(std::size_t i, std::uint32_t value) {
  for (std::size_t b = 0; b < 4 && i * 4 + b < all.size(); ++b) all[i * 4 + b] = static_cast<std::byte>(value >> (8 * b));
}

Error Gdb::broken(std::string what, std::string want, std::string hint) const {
  return link_error(stream_->name(), std::move(what), std::move(want), std::move(hint));
}

Result<int> Gdb::next_byte(Milliseconds wait) {
  if (read_at_ == arrived_.size()) {
    arrived_.resize(1 << 16);
    const auto got = stream_->read(arrived_, wait);
    arrived_.resize(got.ok() ? *got : 0);
    read_at_ = 0;
    if (!got.ok()) return got.error();
    if (arrived_.empty()) return -1;
  }
  return static_cast<int>(arrived_[read_at_++]);
}

Result<void> Gdb::send(std::string_view packet) {
  const std::string text = fmt::format("${}#{:02x}", packet, sum_of(packet));
  for (int attempt = 0; attempt < most_tries; ++attempt) {
    LOCKSTEP_CHECK(stream_->write(std::as_bytes(std::span(text)), Milliseconds(4000)));
    if (!acknowledges_) return {};
    for (;;) {
      LOCKSTEP_TRY(const int c, next_byte(Milliseconds(1500)));
      if (c == '+') return {};
      if (c == '-' || c < 0) break;                 // again
      if (c == '$') {                                // an answer without its '+'
        --read_at_;
        return {};
      }
    }
  }
  return broken(fmt::format("the server does not acknowledge '{}'", packet.substr(0, 24)), "'+'", "is it a GDB server?");
}

Result<std::string> Gdb::receive(Milliseconds wait) {
  for (int attempt = 0; attempt < most_tries; ++attempt) {
    int c = 0;
    do {
      LOCKSTEP_TRY(c, next_byte(wait));
      if (c < 0) return broken("no answer from the GDB server", fmt::format("one within {} ms", wait.count()));
    } while (c != '$');
    std::string packet;
    bool whole = false;
    while (packet.size() < most_packet) {
      LOCKSTEP_TRY(c, next_byte(Milliseconds(2000)));
      if (c < 0) return broken(fmt::format("an answer breaks off after {} bytes", packet.size()), "'#' and two digits");
      if (c == '$') packet.clear();  // a new beginning: the end of the last one was lost
      else if (c == '#') { whole = true; break; }
      else packet += static_cast<char>(c);
    }
    if (!whole) return broken("an answer without end", fmt::format("at most {} bytes", most_packet));
    LOCKSTEP_TRY(const int high, next_byte(Milliseconds(2000)));
    LOCKSTEP_TRY(const int low, next_byte(Milliseconds(2000)));
    const bool right = high >= 0 && low >= 0 && (hex_digit(static_cast<char>(high)) << 4 | hex_digit(static_cast<char>(low))) == sum_of(packet);
    if (!acknowledges_) {
      if (!right) return broken("an answer with a wrong checksum", "", "bytes were damaged on the line");
      return expanded(packet);
    }
    LOCKSTEP_CHECK(stream_->write(std::as_bytes(std::span(right ? "+" : "-", 1)), Milliseconds(2000)));
    if (right) return expanded(packet);
  }
  return broken("every answer arrives with a wrong checksum", "", "bytes are damaged on the line");
}

Result<std::string> Gdb::ask(std::string_view packet, Milliseconds wait) {
  LOCKSTEP_CHECK(send(packet));
  for (int consoles = 0; consoles < 10000; ++consoles) {
    LOCKSTEP_TRY(std::string answer, receive(wait));
    if (answer.size() > 1 && answer[0] == 'O' && answer != "OK") continue;  // the server's console
    return answer;
  }
  return broken("console output without end", "an answer");
}

Result<void> Gdb::ask_ok(std::string_view packet, std::string_view doing) {
  LOCKSTEP_TRY(const std::string answer, ask(packet));
  if (answer == "OK") return {};
  return broken(fmt::format("{}: the server answers '{}'", doing, answer.substr(0, 40)), "OK", answer.empty() ? "it does not know this request" : "");
}

Result<Gdb> Gdb::connect(std::unique_ptr<ByteStream> stream) {
  Gdb g(std::move(stream));
  LOCKSTEP_TRY(const std::string features, g.ask("qSupported:swbreak+;hwbreak+"));
  if (const auto at = features.find("PacketSize="); at != std::string::npos) {
    std::size_t size = 0;
    std::from_chars(features.data() + at + 11, features.data() + features.size(), size, 16);
    g.packet_size_ = std::clamp<std::size_t>(size, 256, 65536);
  }
  if (features.find("QStartNoAckMode+") != std::string::npos) {
    LOCKSTEP_CHECK(g.ask_ok("QStartNoAckMode", "QStartNoAckMode"));
    g.acknowledges_ = false;
  }
  LOCKSTEP_TRY(const std::string state, g.ask("?"));
  if (is_stop(state)) return g;
  LOCKSTEP_CHECK(g.stream_->write(std::as_bytes(std::span("\x03", 1)), Milliseconds(2000)));
  LOCKSTEP_TRY(const std::string halted, g.receive(Milliseconds(4000)));
  if (!is_stop(halted)) return g.broken("the core does not halt ('" + halted.substr(0, 40) + "')", "a stop reply");
  return g;
}

Result<GdbRegisters> Gdb::registers() {
  LOCKSTEP_TRY(const std::string answer, ask("g"));
  auto bytes = from_hex(answer);
  if (!bytes || bytes->size() < 64) return broken("registers: '" + answer.substr(0, 40) + "'", "16 words or more");
  return GdbRegisters{std::move(*bytes)};
}

Result<void> Gdb::set_registers(const GdbRegisters& r) { return ask_ok("G" + to_hex(r.all), "writing registers"); }

Result<Bytes> Gdb::read(std::uint32_t address, std::uint32_t size) {
  Bytes all;
  while (all.size() < size) {
    const std::size_t n = std::min<std::size_t>(size - all.size(), (packet_size_ - 16) / 2);
    const auto at = address + static_cast<std::uint32_t>(all.size());
    LOCKSTEP_TRY(const std::string answer, ask(fmt::format("m{:x},{:x}", at, n)));
    const auto bytes = is_error(answer) ? std::nullopt : from_hex(answer);
    if (!bytes || bytes->empty() || bytes->size() > n)
      return broken(fmt::format("{} bytes at {:#010x} cannot be read ('{}')", n, at, answer.substr(0, 24)), "memory of the device", "asleep, unclocked or forbidden? lockstep preflight asks the board");
    all.insert(all.end(), bytes->begin(), bytes->end());
  }
  return all;
}

Result<std::uint32_t> Gdb::read_word(std::uint32_t address) {
  LOCKSTEP_TRY(const Bytes b, read(address, 4));
  return GdbRegisters{b}.at(0);
}

Result<void> Gdb::write(std::uint32_t address, std::span<const std::byte> bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n = std::min(bytes.size() - at, (packet_size_ - 32) / 2);
    const auto piece = bytes.subspan(at, n);
    const auto where = address + static_cast<std::uint32_t>(at);
    if (binary_writes_) {
      std::string packet = fmt::format("X{:x},{:x}:", where, n);
      for (const std::byte b : piece) {
        const char c = static_cast<char>(b);
        if (c == '$' || c == '#' || c == '}' || c == '*') packet += '}', packet += static_cast<char>(c ^ 0x20);
        else packet += c;
      }
      LOCKSTEP_TRY(const std::string answer, ask(packet));
      if (answer.empty()) {
        binary_writes_ = false;
        continue;
      }
      if (answer != "OK") return broken(fmt::format("{} bytes at {:#010x} cannot be written ('{}')", n, where, answer.substr(0, 24)), "writable memory");
    } else {
      LOCKSTEP_CHECK(ask_ok(fmt::format("M{:x},{:x}:{}", where, n, to_hex(piece)), fmt::format("writing {} bytes at {:#010x}", n, where)));
    }
    at += n;
  }
  return {};
}

Result<void> Gdb::set_breakpoint(std::uint32_t address) {
  LOCKSTEP_TRY(const std::string answer, ask(fmt::format("Z{},{:x},2", breakpoint_kind_, address)));
  if (answer == "OK") return {};
  if (breakpoint_kind_ == '1') {
    breakpoint_kind_ = '0';
    return set_breakpoint(address);
  }
  return broken(fmt::format("no breakpoint at {:#010x} ('{}')", address, answer.substr(0, 24)), "OK", "are all breakpoints of the core in use?");
}

Result<void> Gdb::clear_breakpoint(std::uint32_t address) {
  return ask_ok(fmt::format("z{},{:x},2", breakpoint_kind_, address), fmt::format("clearing the breakpoint at {:#010x}", address));
}

Result<void> Gdb::step() {
  LOCKSTEP_CHECK(send("s"));
  return wait_for_stop(Milliseconds(4000));
}

Result<void> Gdb::run_until_stop(Milliseconds wait) {
  LOCKSTEP_CHECK(send("c"));
  return wait_for_stop(wait);
}

Result<void> Gdb::wait_for_stop(Milliseconds wait) {
  const auto end = stream_->now() + wait;
  for (;;) {
    const auto left = std::chrono::ceil<Milliseconds>(end - stream_->now());
    auto answer = left.count() > 0 ? receive(left) : Result<std::string>(broken(fmt::format("no stop within {} ms", wait.count())));
    if (!answer.ok() && answer.error().what.starts_with("no ")) {
      LOCKSTEP_CHECK(stream_->write(std::as_bytes(std::span("\x03", 1)), Milliseconds(1000)));
      const auto halted = receive(Milliseconds(1000));
      if (!halted.ok()) return broken("the core neither stops nor halts", fmt::format("a stop within {} ms", wait.count()), "did the debug probe lose it?");
      return broken(fmt::format("the core did not reach a breakpoint within {} ms", wait.count()), "the end of the operation", "does the firmware run the network? ,patience=SECONDS allows more");
    }
    if (!answer.ok()) return answer.error();
    if (is_stop(*answer)) return {};
    if (!answer->empty() && (*answer)[0] == 'W') return broken("the program ended ('" + *answer + "')", "a stop at a breakpoint");
    if (!answer->empty() && (*answer)[0] == 'O') continue;
    return broken("the server answers '" + answer->substr(0, 40) + "' while running", "a stop reply");
  }
}

void Gdb::detach() { (void)ask("D", Milliseconds(1000)); }

}  // namespace lockstep
