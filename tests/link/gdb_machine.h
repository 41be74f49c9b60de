#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace lockstep::test {

// What a GDB server stands before: memory, 17 registers, and a program that calls `run` in a loop,
// which calls `node_done` after each node, or ends each node where the next of `epochs` begins.
// What a node does is the test's.
class GdbMachine {
 public:
  static constexpr std::uint32_t handler = 0x0800, idle = 0x0400, init = 0x0F00, run = 0x1000,
                                 node_done = 0x1100, back = 0x2000;

  GdbMachine(int nodes, std::function<void(int node)> compute, std::vector<std::uint32_t> epochs)
      : nodes_(nodes), compute_(std::move(compute)), epochs_(std::move(epochs)) {}

  int inits() const { return inits_; }
  // Memory: a byte that was never written is 0.
  std::uint8_t& at(std::uint32_t address) { return memory_[address]; }
  std::uint32_t word(std::uint32_t address) {
    return at(address) | at(address + 1) << 8 | at(address + 2) << 16 |
           static_cast<std::uint32_t>(at(address + 3)) << 24;
  }
  void set_word(std::uint32_t address, std::uint32_t value) {
    for (std::uint32_t i = 0; i < 4; ++i)
      at(address + i) = static_cast<std::uint8_t>(value >> (8 * i));
  }

  std::uint32_t& at_register(std::size_t i) { return registers_[i]; }
  bool stands_at_breakpoint() const { return breakpoints_.contains(registers_[15]); }
  void set_breakpoint(std::uint32_t address, bool stands) {
    if (stands)
      breakpoints_.insert(address);
    else
      breakpoints_.erase(address);
  }
  // A handler runs in place of the next step and returns to where it began.
  void interrupt() {
    returns_to_ = registers_[15];
    registers_[15] = handler;
  }

  std::string registers() const {
    std::string text;
    for (const std::uint32_t r : registers_)
      for (int b = 0; b < 4; ++b) text += fmt::format("{:02x}", r >> (8 * b) & 0xFF);
    return text;
  }
  static std::uint32_t from_hex(const std::string& text) {
    std::uint32_t value = 0;
    for (int b = 0; b < 4; ++b)
      value |= static_cast<std::uint32_t>(
                   std::stoul(text.substr(static_cast<std::size_t>(b) * 2, 2), nullptr, 16))
               << (8 * b);
    return value;
  }

  void step() {
    std::uint32_t& pc = registers_[15];
    if (pc == handler) {
      pc = returns_to_;
      return;
    }
    for (std::size_t e = 0; e < epochs_.size(); ++e) {
      if (pc != epochs_[e]) continue;
      compute_(static_cast<int>(e));
      pc = e + 1 < epochs_.size() ? epochs_[e + 1] : registers_[14] & ~1u;
      return;
    }
    if (pc == run && !epochs_.empty()) {
      pc = epochs_[0];
      return;
    }
    switch (pc) {
      case run:
        node_ = 0;
        finish_node();
        break;
      case node_done:
        if (++node_ < nodes_)
          finish_node();
        else
          pc = registers_[14] & ~1u;
        break;
      case init:
        ++inits_;
        pc = registers_[14] & ~1u;
        break;
      case idle:
        registers_[14] = back | 1;
        pc = run;
        break;
      default:
        pc = idle;
    }
  }

 private:
  void finish_node() {
    compute_(node_);
    registers_[0] = static_cast<std::uint32_t>(node_);
    registers_[15] = node_done;
  }

  int nodes_, node_ = 0;
  std::function<void(int)> compute_;
  std::vector<std::uint32_t> epochs_;
  std::atomic<int> inits_ = 0;
  std::uint32_t returns_to_ = 0;
  std::map<std::uint32_t, std::uint8_t> memory_;
  std::set<std::uint32_t> breakpoints_;
  std::uint32_t registers_[17] = {0, 0, 0, 0, 0,      0, 0,    0,         0,
                                  0, 0, 0, 0, 0x8000, 0, idle, 0x01000000};
};

}  // namespace lockstep::test
