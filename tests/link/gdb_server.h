#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "link/gdb_faults.h"
#include "link/gdb_machine.h"

namespace lockstep::test {

// A GDB server with a machine behind it.
class GdbServer : public GdbMachine {
 public:
  GdbServer(int nodes, std::function<void(GdbServer&, int node)> compute, GdbFaults faults = {})
      : GdbMachine(
            nodes, [this, compute = std::move(compute)](int node) { compute(*this, node); },
            faults.epochs),
        faults_(faults) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        listen(listener_, 4) == 0)
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
  int packets() const { return packets_; }
  int too_long() const { return too_long_; }
  const std::string& monitored() const { return monitored_; }  // commands in hexadecimal
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
    if (faults_.babbles_after && packets_ > faults_.babbles_after)
      return without_end(std::string(1000, 'a'), 1);
    if (faults_.trickles_after && packets_ > faults_.trickles_after)
      return put("$"), without_end("0", 200);
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
    send_packet(faults_.text_errors && plain.size() == 3 && plain[0] == 'E' ? "E.it cannot be"
                                                                            : plain);
  }

  void send_packet(const std::string& plain) {
    std::string text;
    for (std::size_t i = 0; i < plain.size(); ++i) {
      std::size_t n = 1;
      while (faults_.run_lengths && i + n < plain.size() && plain[i + n] == plain[i] && n < 60) ++n;
      const std::size_t more = n - 1;
      if (more >= 3 && more + 29 != '#' && more + 29 != '$' && more + 29 != '+' &&
          more + 29 != '-') {
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
    if (p.starts_with("qSupported"))
      return answer(std::string("PacketSize=400") +
                    (faults_.no_ack_mode ? ";QStartNoAckMode+" : ""));
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
      at_register(std::stoul(p.substr(1), nullptr, 16)) = from_hex(p.substr(equals + 1));
      return answer("OK");
    }
    if (p[0] == 'G' && faults_.no_whole_writes) return answer("");
    if (p[0] == 'G') {
      for (std::size_t i = 0; i < 17 && 1 + i * 8 + 8 <= p.size(); ++i)
        at_register(i) = from_hex(p.substr(1 + i * 8, 8));
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
      set_breakpoint(at, p[0] == 'Z');
      return answer("OK");
    }
    if ((p == "c" && !faults_.only_vcont) || p == "vCont;c") return go_on();
    if ((p == "s" && !faults_.only_vcont) || p == "vCont;s") {
      if (faults_.interrupts_steps && ++steps_ % 2 == 1)
        interrupt();
      else
        step();
      return answer("T05thread:01;");
    }
    if (p == "D") return answer("OK");
    answer("");
  }

  void read_memory(const std::string& p) {
    std::size_t used = 0;
    const auto at = static_cast<std::uint32_t>(std::stoul(p.substr(1), &used, 16));
    const auto n = std::stoul(p.substr(used + 2), nullptr, 16);
    if (faults_.forbids_all) return answer("E01");
    if (faults_.forbidden && at <= faults_.forbidden && faults_.forbidden < at + n)
      return answer("E0e");
    std::string text;
    for (std::uint32_t i = 0; i < n; ++i) text += fmt::format("{:02x}", this->at(at + i));
    answer(text);
  }

  void write_memory(const std::string& p) {
    const std::size_t comma = p.find(','), colon = p.find(':');
    const auto at = static_cast<std::uint32_t>(std::stoul(p.substr(1), nullptr, 16));
    const auto n = std::stoul(p.substr(comma + 1), nullptr, 16);
    std::size_t from = colon + 1;
    for (std::uint32_t i = 0; i < n && from < p.size(); ++i) {
      if (p[0] == 'M') {
        this->at(at + i) = static_cast<std::uint8_t>(std::stoul(p.substr(from, 2), nullptr, 16));
        from += 2;
      } else {
        const bool escaped = p[from] == '}';
        this->at(at + i) = static_cast<std::uint8_t>(escaped ? p[from + 1] ^ 0x20 : p[from]);
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
    if (stands_at_breakpoint()) return answer("T05thread:01;hwbreak:;");  // as QEMU does
    for (int steps = 0; steps < 100000; ++steps) {
      step();
      if (stands_at_breakpoint()) return answer("T05thread:01;hwbreak:;");
    }
    answer("T02thread:01;");
  }

  GdbFaults faults_;
  int listener_ = -1, host_ = -1, port_ = 0, answers_ = 0;
  std::atomic<int> packets_ = 0, too_long_ = 0;
  int steps_ = 0;
  std::map<std::uint32_t, char> kinds_;
  std::string monitored_;
  std::atomic<bool> stop_ = false;
  bool acknowledges_ = true;
  std::thread thread_;
};

}  // namespace lockstep::test
