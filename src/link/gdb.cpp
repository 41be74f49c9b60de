// What a GDB client asks of a server, with the ways round what some servers lack.
#include "link/gdb.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "link/gdb_text.h"

namespace lockstep {
namespace {

constexpr Milliseconds longest_exchange{9000};

// "E" and two digits, or "E." and a text.
bool is_error(std::string_view answer) {
  return answer.starts_with("E.") || (answer.size() == 3 && answer[0] == 'E' &&
                                      hex_digit(answer[1]) >= 0 && hex_digit(answer[2]) >= 0);
}
bool is_stop(std::string_view answer) {
  return !answer.empty() && (answer[0] == 'T' || answer[0] == 'S');
}

}  // namespace

std::uint32_t GdbRegisters::at(std::size_t i) const {
  std::uint32_t value = 0;
  for (std::size_t b = 0; b < 4 && i * 4 + b < all.size(); ++b)
    value |= static_cast<std::uint32_t>(all[i * 4 + b]) << (8 * b);
  return value;
}

void GdbRegisters::set(std::size_t i, std::uint32_t value) {
  for (std::size_t b = 0; b < 4 && i * 4 + b < all.size(); ++b)
    all[i * 4 + b] = static_cast<std::byte>(value >> (8 * b));
}

Result<std::string> Gdb::ask(std::string_view packet, Milliseconds wait) {
  if (lost_) return broken("the server was lost before", "an answer");
  auto answer = exchange(packet, wait);
  lost_ = !answer.ok();
  return answer;
}

Result<std::string> Gdb::exchange(std::string_view packet, Milliseconds wait) {
  bound(longest_exchange);
  LOCKSTEP_CHECK(send(packet));
  for (int consoles = 0; consoles < 10000; ++consoles) {
    auto answer = receive(wait);
    if (!answer.ok() && consoles > 100) break;
    if (answer.ok() && answer->size() > 1 && (*answer)[0] == 'O' && *answer != "OK")
      continue;  // the server's console
    return answer;
  }
  return broken("console output without end", "an answer");
}

Result<void> Gdb::ask_ok(std::string_view packet, std::string_view doing) {
  LOCKSTEP_TRY(const std::string answer, ask(packet));
  if (answer == "OK") return {};
  return broken(fmt::format("{}: the server answers '{}'", doing, answer.substr(0, 40)), "OK",
                answer.empty() ? "it does not know this request" : "");
}

Result<Gdb> Gdb::connect(std::unique_ptr<ByteStream> stream) {
  Gdb g(std::move(stream));
  LOCKSTEP_TRY(const std::string features, g.ask("qSupported:swbreak+;hwbreak+"));
  if (const auto at = features.find("PacketSize="); at != std::string::npos) {
    std::size_t size = 0;
    std::from_chars(features.data() + at + 11, features.data() + features.size(), size, 16);
    if (size > 0) g.packet_size_ = std::clamp<std::size_t>(size, 64, 65536);
  }
  if (features.find("QStartNoAckMode+") != std::string::npos) {
    LOCKSTEP_TRY(const std::string agreed, g.ask("QStartNoAckMode"));
    g.acknowledges_ = !agreed.starts_with("OK");
  }
  LOCKSTEP_TRY(std::string state, g.ask("?"));
  if (state.empty()) state = "?";  // it does not know the question
  if (state[0] == 'W' || state[0] == 'X')
    return g.broken("the server runs no program ('" + state.substr(0, 40) + "')",
                    "a core that it controls", "connect it to the target first");
  if (is_stop(state) && g.registers().ok())
    return g;  // some answer so while the core runs, and then know no registers
  LOCKSTEP_CHECK(g.stream_->write(std::as_bytes(std::span("\x03", 1)), Milliseconds(2000)));
  g.bound(Milliseconds(5000));
  LOCKSTEP_TRY(const std::string halted, g.receive(Milliseconds(4000)));
  if (!is_stop(halted))
    return g.broken("the core does not halt ('" + halted.substr(0, 40) + "')", "a stop reply");
  return g;
}

Result<GdbRegisters> Gdb::registers() {
  LOCKSTEP_TRY(const std::string answer, ask("g"));
  auto bytes = from_hex(answer);
  if (!bytes || bytes->size() < 64)
    return broken("registers: '" + answer.substr(0, 40) + "'", "16 words or more");
  if (answer.find('x') != std::string::npos)
    whole_writes_ = false;  // what is unknown must not be written back
  return GdbRegisters{std::move(*bytes)};
}

// All at once, or the sixteen of the core one by one where a server cannot.
Result<void> Gdb::set_registers(const GdbRegisters& r) {
  const std::string all = "G" + to_hex(r.all);
  if (whole_writes_ && all.size() + 4 <= packet_size_) {
    LOCKSTEP_TRY(const std::string answer, ask(all));
    if (answer == "OK") return {};
    if (!answer.empty() && !is_error(answer))
      return broken("writing registers: the server answers '" + answer.substr(0, 40) + "'", "OK");
    whole_writes_ = false;
  }
  for (std::size_t i = 0; i < 16; ++i)
    LOCKSTEP_CHECK(ask_ok(fmt::format("P{:x}={}", i, to_hex(std::span(r.all).subspan(4 * i, 4))),
                          fmt::format("writing register {}", i)));
  return {};
}

Result<Bytes> Gdb::read(std::uint32_t address, std::uint32_t size) {
  Bytes all;
  while (all.size() < size) {
    const std::size_t n = std::min<std::size_t>(size - all.size(), (packet_size_ - 8) / 2);
    const auto at = address + static_cast<std::uint32_t>(all.size());
    LOCKSTEP_TRY(const std::string answer, ask(fmt::format("m{:x},{:x}", at, n)));
    const auto bytes = is_error(answer) ? std::nullopt : from_hex(answer);
    if (!bytes || bytes->empty() || bytes->size() > n)
      return broken(
          fmt::format("{} bytes at {:#010x} cannot be read ('{}')", n, at, answer.substr(0, 24)),
          "memory of the device",
          "asleep, unclocked or forbidden? lockstep preflight asks the board");
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
        if (c == '$' || c == '#' || c == '}' || c == '*')
          packet += '}', packet += static_cast<char>(c ^ 0x20);
        else
          packet += c;
      }
      LOCKSTEP_TRY(const std::string answer, ask(packet));
      if (answer.empty() ||
          (is_error(answer) &&
           !binary_worked_)) {  // unknown, or said to be an error by servers that have only M
        binary_writes_ = false;
        continue;
      }
      binary_worked_ = true;
      if (answer != "OK")
        return broken(fmt::format("{} bytes at {:#010x} cannot be written ('{}')", n, where,
                                  answer.substr(0, 24)),
                      "writable memory");
    } else {
      LOCKSTEP_CHECK(ask_ok(fmt::format("M{:x},{:x}:{}", where, n, to_hex(piece)),
                            fmt::format("writing {} bytes at {:#010x}", n, where)));
    }
    at += n;
  }
  return {};
}

Result<void> Gdb::set_breakpoint(std::uint32_t address) {
  std::string answer;
  for (const char kind : {'1', '0'}) {
    LOCKSTEP_TRY(answer, ask(fmt::format("Z{},{:x},2", kind, address)));
    if (answer != "OK") continue;
    kinds_[address] = kind;
    return {};
  }
  return broken(fmt::format("no breakpoint at {:#010x} ('{}')", address, answer.substr(0, 24)),
                "OK", "are all breakpoints of the core in use?");
}

Result<void> Gdb::clear_breakpoint(std::uint32_t address) {
  const auto it = kinds_.find(address);
  const char kind = it == kinds_.end() ? '1' : it->second;
  if (it != kinds_.end()) kinds_.erase(it);
  return ask_ok(fmt::format("z{},{:x},2", kind, address),
                fmt::format("clearing the breakpoint at {:#010x}", address));
}

// A command of the server's own, "reset halt". Its output comes as console packets, or as the
// answer.
Result<void> Gdb::monitor(std::string_view line) {
  LOCKSTEP_TRY(const std::string answer,
               ask("qRcmd," + to_hex(std::as_bytes(std::span(line))), Milliseconds(8000)));
  if (!answer.empty() && !is_error(answer)) return {};
  return broken(fmt::format("the server does not do '{}' ('{}')", line, answer.substr(0, 40)),
                "a command of its own", "OpenOCD: reset halt; J-Link and ST-LINK: reset");
}

Result<void> Gdb::step() {
  bound(longest_exchange);
  LOCKSTEP_CHECK(send(only_vcont_ ? "vCont;s" : "s"));
  return wait_for_stop("vCont;s", Milliseconds(4000));
}

Result<void> Gdb::run_until_stop(Milliseconds wait) {
  bound(longest_exchange);
  LOCKSTEP_CHECK(send(only_vcont_ ? "vCont;c" : "c"));
  return wait_for_stop("vCont;c", wait);
}

// `instead` is the newer form of what was sent, for servers that know only that.
Result<void> Gdb::wait_for_stop(std::string_view instead, Milliseconds wait) {
  const auto end = stream_->now() + wait;
  bound(wait + Milliseconds(500));  // an answer that has begun
  for (;;) {
    const auto left = std::chrono::ceil<Milliseconds>(end - stream_->now());
    auto answer =
        left.count() > 0
            ? receive(left)
            : Result<std::string>(broken(fmt::format("no stop within {} ms", wait.count())));
    if (!answer.ok() && answer.error().what.starts_with("no ")) {
      LOCKSTEP_CHECK(stream_->write(std::as_bytes(std::span("\x03", 1)), Milliseconds(1000)));
      bound(Milliseconds(1000));
      const auto halted = receive(Milliseconds(1000));
      if (!halted.ok())
        return broken("the core neither stops nor halts",
                      fmt::format("a stop within {} ms", wait.count()),
                      "did the debug probe lose it?");
      return broken(fmt::format("the core did not reach a breakpoint within {} ms", wait.count()),
                    "the end of the operation",
                    "does the firmware run the network? ,patience=SECONDS allows more");
    }
    if (!answer.ok()) return answer.error();
    if (is_stop(*answer)) return {};
    if (answer->empty() && !only_vcont_) {
      only_vcont_ = true;
      LOCKSTEP_CHECK(send(instead));
      continue;
    }
    if (!answer->empty() && ((*answer)[0] == 'W' || (*answer)[0] == 'X'))
      return broken("the program ended ('" + *answer + "')", "a stop at a breakpoint");
    if (!answer->empty() && (*answer)[0] == 'O') continue;
    return broken("the server answers '" + answer->substr(0, 40) + "' while running",
                  "a stop reply");
  }
}

void Gdb::detach() {
  if (lost_)
    (void)stream_->write(std::as_bytes(std::span("$D#44", 5)), Milliseconds(100));
  else
    (void)ask("D", Milliseconds(1000));
}

}  // namespace lockstep
