#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/files.h"

namespace lockstep::test {

// What a bad server or a bad line does.
struct GdbFaults {
  bool no_ack_mode = true, hardware_breakpoints = true, binary_writes = true, run_lengths = false;
  int damage_every = 0;     // every n-th packet of the server arrives damaged
  int refuse_every = 0;     // every n-th packet of the client is asked for again ('-')
  int silent_after = 0;     // packets; then nothing is answered
  int close_after = 0;      // packets; then the connection is closed
  int babbles_after = 0;    // packets; then bytes that belong to no packet, without end
  int trickles_after = 0;   // packets; then an answer of one byte every 0.2 s
  int chats_after = 0;      // packets; then console packets without end
  bool runs_away = false;   // the core reaches no breakpoint; an interrupt halts it
  bool hangs = false;       // not even an interrupt
  std::vector<std::uint32_t> epochs = {};  // no fault: each node is a function at such an address, and none ends at node_done
  std::uint32_t forbidden = 0;  // an address that cannot be read
  bool forbids_all = false;     // no memory can be read
  // Dialects.
  const char* features = nullptr;   // the answer to qSupported; null: PacketSize=400 and the no-ack mode as above
  std::size_t longest = 0x400;      // bytes of a packet that the server takes; a longer one ends the connection
  bool refuses_no_ack = false;      // offers the no-ack mode and then does not agree
  bool only_vcont = false;          // knows vCont alone
  bool notifies = false;            // notification packets between everything
  bool talks = false;               // console packets before an answer
  bool no_whole_writes = false;     // some registers are unknown; G is not known, P is
  bool writes_are_errors = false;   // X is answered by an error, M works
  int hardware_left = 1000;         // comparators; then software breakpoints
  bool interrupts_steps = false;    // a step ends in a handler, which returns to where the step began
  bool runs_at_first = false;       // says that it stopped and lets read no registers before an interrupt
  bool text_errors = false;         // E.reason
};

// A GDB server with a machine behind it: memory, 17 registers, and a program that calls `run` in a loop,
// which calls `node_done` after each node. What a node does is the test's.
class GdbServer {
 public:
  static constexpr std::uint32_t handler = 0x0800, idle = 0x0400, init = 0x0F00, run = 0x1000, node_done = 0x1100, back = 0x2000;

  GdbServer(int nodes, std::function<void(GdbServer&, int node)> compute, GdbFaults faults = {})
      : nodes_(nodes), compute_(std::move(compute)), faults_(faults) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(listener_, 4) == 0)
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~GdbServer() {
    stop_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int inits() const { return inits_; }
  int packets() const { return packets_; }
  int too_long() const { return too_long_; }
  const std::string& monitored() const { return monitored_; }  // commands in hexadecimal
  // Memory: a byte that was never written is 0.
  std::uint8_t& at(std::uint32_t address) { return memory_[address]; }
  std::uint32_t word(std::uint32_t address) {
    return at(address) | at(address + 1) << 8 | at(address + 2) << 16 | static_cast<std::uint32_t>(at(address + 3)) << 24;
  }
  void set_word(std::uint32_t address, std::uint32_t value) {
    for (std::uint32_t i = 0; i < 4; ++i) at(address + i) = static_cast<std::uint8_t>(value >> (8 * i));
  }

 private:
  void serve() {
    while (!stop_) {
      pollfd ready{listener_, POLLIN, 0};
      if (poll(&ready, 1, 50) <= 0) continue;
      host_ = accept(listener_, nullptr, nullptr);
      if (host_ < 0) continue;
      acknowledges_ = true;
      const int on = 1;
      setsockopt(host_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      while (!stop_ && host_ >= 0) packet();
      if (host_ >= 0) close(host_);
    }
  }

  int byte(int wait) {
    pollfd ready{host_, POLLIN, 0};
    if (poll(&ready, 1, wait) <= 0) return -1;
    unsigned char c;
    if (::read(host_, &c, 1) == 1) return c;
    close(host_);
    host_ = -1;
    return -1;
  }

  void put(const std::string& bytes) {
    if (host_ >= 0 && send(host_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
  }

  void packet() {
    int c = byte(50);
    if (c == 3) {
      faults_.runs_at_first = false;
      return answer("T02thread:01;");
    }
    if (c != '$') return;
    std::string text;
    while ((c = byte(2000)) >= 0 && c != '#') text += static_cast<char>(c);
    byte(1000), byte(1000);
    ++packets_;
    if (text.size() + 4 > faults_.longest) ++too_long_;
    if (faults_.close_after && packets_ > faults_.close_after) {
      close(host_);
      host_ = -1;
      return;
    }
    if (faults_.silent_after && packets_ > faults_.silent_after) return;
    if (faults_.babbles_after && packets_ > faults_.babbles_after) return without_end(std::string(1000, 'a'), 1);
    if (faults_.trickles_after && packets_ > faults_.trickles_after) return put("$"), without_end("0", 200);
    if (faults_.chats_after && packets_ > faults_.chats_after) return without_end("$O48#bb", 1);
    if (acknowledges_ && faults_.refuse_every && packets_ % faults_.refuse_every == 0) {
      --packets_;
      faults_.refuse_every = faults_.refuse_every * 2 + 1;  // not for ever
      return put("-");
    }
    if (acknowledges_) put("+");
    serve_packet(text);
  }

  void without_end(const std::string& bytes, int ms) {
    while (!stop_ && host_ >= 0) {
      if (send(host_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
      pollfd ready{host_, POLLIN | POLLRDHUP, 0};
      char ignored[64];
      if (poll(&ready, 1, ms) > 0 && ::read(host_, ignored, sizeof ignored) <= 0) return;
    }
  }

  void answer(const std::string& plain) {
    if (faults_.notifies) put("%Stop:T05thread:01;#00");
    if (faults_.talks && plain != "OK") send_packet("O48656c6c6f0a");
    send_packet(faults_.text_errors && plain.size() == 3 && plain[0] == 'E' ? "E.it cannot be" : plain);
  }

  void send_packet(const std::string& plain) {
    std::string text;
    for (std::size_t i = 0; i < plain.size(); ++i) {
      std::size_t n = 1;
      while (faults_.run_lengths && i + n < plain.size() && plain[i + n] == plain[i] && n < 60) ++n;
      const std::size_t more = n - 1;
      if (more >= 3 && more + 29 != '#' && more + 29 != '$' && more + 29 != '+' && more + 29 != '-') {
        text += plain[i], text += '*', text += static_cast<char>(more + 29);
        i += more;
      } else {
        text += plain[i];
      }
    }
    unsigned sum = 0;
    for (const char c : text) sum += static_cast<unsigned char>(c);
    ++answers_;
    const bool damaged = faults_.damage_every && answers_ % faults_.damage_every == 0;
    put(fmt::format("${}#{:02x}", text, (sum + (damaged ? 1 : 0)) & 0xFF));
    if (!acknowledges_) return;
    const int c = byte(2000);
    if (c == '-') {
      ++answers_;
      put(fmt::format("${}#{:02x}", text, sum & 0xFF));
      byte(2000);
    }
  }

  void serve_packet(const std::string& p) {
    if (p.starts_with("qSupported") && faults_.features) return answer(faults_.features);
    if (p.starts_with("qRcmd,")) {
      monitored_ += p.substr(6) + " ";
      send_packet("O72657365740a");
      return answer("OK");
    }
    if (p.starts_with("qSupported")) return answer(std::string("PacketSize=400") + (faults_.no_ack_mode ? ";QStartNoAckMode+" : ""));
    if (p == "QStartNoAckMode") {
      if (faults_.refuses_no_ack) return answer("E01");
      answer("OK");
      acknowledges_ = false;
      return;
    }
    if (p == "?") return answer("T05thread:01;");
    if (p == "g" && faults_.runs_at_first) return answer("E0e");
    if (p == "g") return answer(faults_.no_whole_writes ? registers() + "xxxxxxxx" : registers());
    if (p[0] == 'P') {
      const std::size_t equals = p.find('=');
      registers_[std::stoul(p.substr(1), nullptr, 16)] = from_hex(p.substr(equals + 1));
      return answer("OK");
    }
    if (p[0] == 'G' && faults_.no_whole_writes) return answer("");
    if (p[0] == 'G') {
      for (std::size_t i = 0; i < 17 && 1 + i * 8 + 8 <= p.size(); ++i) registers_[i] = from_hex(p.substr(1 + i * 8, 8));
      return answer("OK");
    }
    if (p[0] == 'm') return read_memory(p);
    if (p[0] == 'X' && !faults_.binary_writes) return answer("");
    if (p[0] == 'X' && faults_.writes_are_errors) return answer("E01");
    if (p[0] == 'X' || p[0] == 'M') return write_memory(p);
    if (p[0] == 'Z' || p[0] == 'z') {
      if (p[1] == '1' && !faults_.hardware_breakpoints) return answer("");
      const auto at = static_cast<std::uint32_t>(std::stoul(p.substr(3), nullptr, 16));
      if (p[0] == 'Z' && p[1] == '1' && faults_.hardware_left == 0) return answer("E0e");
      if (p[0] == 'z' && kinds_[at] != p[1]) return answer("E0e");  // there is none of that kind
      if (p[1] == '1') faults_.hardware_left += p[0] == 'Z' ? -1 : 1;
      kinds_[at] = p[1];
      if (p[0] == 'Z') breakpoints_.insert(at);
      else breakpoints_.erase(at);
      return answer("OK");
    }
    if ((p == "c" && !faults_.only_vcont) || p == "vCont;c") return go_on();
    if ((p == "s" && !faults_.only_vcont) || p == "vCont;s") {
      if (faults_.interrupts_steps && ++steps_ % 2 == 1) {
        returns_to_ = registers_[15];
        registers_[15] = handler;
      } else {
        step();
      }
      return answer("T05thread:01;");
    }
    if (p == "D") return answer("OK");
    answer("");
  }

  std::string registers() const {
    std::string text;
    for (const std::uint32_t r : registers_)
      for (int b = 0; b < 4; ++b) text += fmt::format("{:02x}", r >> (8 * b) & 0xFF);
    return text;
  }
  static std::uint32_t from_hex(const std::string& text) {
    std::uint32_t value = 0;
    for (int b = 0; b < 4; ++b) value |= static_cast<std::uint32_t>(std::stoul(text.substr(static_cast<std::size_t>(b) * 2, 2), nullptr, 16)) << (8 * b);
    return value;
  }

  void read_memory(const std::string& p) {
    std::size_t used = 0;
    const auto at = static_cast<std::uint32_t>(std::stoul(p.substr(1), &used, 16));
    const auto n = std::stoul(p.substr(used + 2), nullptr, 16);
    if (faults_.forbids_all) return answer("E01");
    if (faults_.forbidden && at <= faults_.forbidden && faults_.forbidden < at + n) return answer("E0e");
    std::string text;
    for (std::uint32_t i = 0; i < n; ++i) text += fmt::format("{:02x}", memory_[at + i]);
    answer(text);
  }

  void write_memory(const std::string& p) {
    const std::size_t comma = p.find(','), colon = p.find(':');
    const auto at = static_cast<std::uint32_t>(std::stoul(p.substr(1), nullptr, 16));
    const auto n = std::stoul(p.substr(comma + 1), nullptr, 16);
    std::size_t from = colon + 1;
    for (std::uint32_t i = 0; i < n && from < p.size(); ++i) {
      if (p[0] == 'M') {
        memory_[at + i] = static_cast<std::uint8_t>(std::stoul(p.substr(from, 2), nullptr, 16));
        from += 2;
      } else {
        const bool escaped = p[from] == '}';
        memory_[at + i] = static_cast<std::uint8_t>(escaped ? p[from + 1] ^ 0x20 : p[from]);
        from += escaped ? 2 : 1;
      }
    }
    answer("OK");
  }

  void go_on() {
    if (faults_.runs_away || faults_.hangs) {
      while (!stop_ && host_ >= 0) {
        const int c = byte(50);
        if (c == 3 && !faults_.hangs) return answer("T02thread:01;");
      }
      return;
    }
    if (breakpoints_.contains(registers_[15])) return answer("T05thread:01;hwbreak:;");  // as QEMU does
    for (int steps = 0; steps < 100000; ++steps) {
      step();
      if (breakpoints_.contains(registers_[15])) return answer("T05thread:01;hwbreak:;");
    }
    answer("T02thread:01;");
  }

  void step() {
    std::uint32_t& pc = registers_[15];
    if (pc == handler) {
      pc = returns_to_;
      return;
    }
    for (std::size_t e = 0; e < faults_.epochs.size(); ++e) {
      if (pc != faults_.epochs[e]) continue;
      compute_(*this, static_cast<int>(e));
      pc = e + 1 < faults_.epochs.size() ? faults_.epochs[e + 1] : registers_[14] & ~1u;
      return;
    }
    if (pc == run && !faults_.epochs.empty()) {
      pc = faults_.epochs[0];
      return;
    }
    switch (pc) {
      case run: node_ = 0; finish_node(); break;
      case node_done:
        if (++node_ < nodes_) finish_node();
        else pc = registers_[14] & ~1u;
        break;
      case init:
        ++inits_;
        pc = registers_[14] & ~1u;
        break;
      case idle:
        registers_[14] = back | 1;
        pc = run;
        break;
      default: pc = idle;
    }
  }

  void finish_node() {
    compute_(*this, node_);
    registers_[0] = static_cast<std::uint32_t>(node_);
    registers_[15] = node_done;
  }

  int nodes_, node_ = 0;
  std::function<void(GdbServer&, int)> compute_;
  GdbFaults faults_;
  int listener_ = -1, host_ = -1, port_ = 0, answers_ = 0;
  std::atomic<int> packets_ = 0, inits_ = 0, too_long_ = 0;
  int steps_ = 0;
  std::uint32_t returns_to_ = 0;
  std::map<std::uint32_t, char> kinds_;
  std::string monitored_;
  std::atomic<bool> stop_ = false;
  bool acknowledges_ = true;
  std::map<std::uint32_t, std::uint8_t> memory_;
  std::set<std::uint32_t> breakpoints_;
  std::uint32_t registers_[17] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x8000, 0, idle, 0x01000000};
  std::thread thread_;
};

// A 32-bit little-endian ELF file with these symbols and no code.
struct ElfEntry {
  std::string name;
  std::uint32_t address, size;
  bool function;
};
inline Bytes elf_with(const std::vector<ElfEntry>& symbols) {
  Bytes file(52 + 3 * 40);
  const auto word = [&](std::size_t at, std::uint32_t v, int bytes = 4) {
    for (int b = 0; b < bytes; ++b) file[at + static_cast<std::size_t>(b)] = static_cast<std::byte>(v >> (8 * b));
  };
  word(0, 0x464C457F);
  word(4, 0x00010101);
  word(32, 52);
  word(48, 3, 2);
  std::string names(1, '\0');
  const std::size_t table = file.size();
  file.resize(table + 16 * (symbols.size() + 1));
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const std::size_t at = table + 16 * (i + 1);
    word(at, static_cast<std::uint32_t>(names.size()));
    word(at + 4, symbols[i].address | (symbols[i].function ? 1u : 0u));
    word(at + 8, symbols[i].size);
    word(at + 12, 0x10u | (symbols[i].function ? 2u : 1u), 1);
    word(at + 14, 1, 2);
    names += symbols[i].name + '\0';
  }
  const std::size_t text = file.size();
  for (const char c : names) file.push_back(static_cast<std::byte>(c));
  word(52 + 40 + 4, 2);
  word(52 + 40 + 16, static_cast<std::uint32_t>(table));
  word(52 + 40 + 20, static_cast<std::uint32_t>(16 * (symbols.size() + 1)));
  word(52 + 40 + 24, 2);
  word(52 + 80 + 4, 3);
  word(52 + 80 + 16, static_cast<std::uint32_t>(text));
  word(52 + 80 + 20, static_cast<std::uint32_t>(names.size()));
  return file;
}

}  // namespace lockstep::test
