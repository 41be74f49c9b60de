#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/files.h"
#include "link/byte_stream.h"

namespace lockstep {

// Registers 0..15 of an Arm core as the server orders them, with whatever follows.
struct GdbRegisters {
  static constexpr std::size_t stack = 13, link = 14, program = 15;
  Bytes all;  // the whole answer of `g`

  std::uint32_t at(std::size_t i) const;
  void set(std::size_t i, std::uint32_t value);
};

// A client of the GDB remote serial protocol. Servers: QEMU, OpenOCD, ST-LINK, J-Link.
class Gdb {
 public:
  // Connects and halts the core.
  static Result<Gdb> connect(std::unique_ptr<ByteStream> stream);
  Gdb(Gdb&&) = default;
  Gdb& operator=(Gdb&&) = default;

  const std::string& name() const { return stream_->name(); }
  // The server is gone or no longer to be understood.
  bool lost() const { return lost_; }
  Result<GdbRegisters> registers();
  Result<void> set_registers(const GdbRegisters& registers);
  Result<Bytes> read(std::uint32_t address, std::uint32_t size);
  Result<std::uint32_t> read_word(std::uint32_t address);
  Result<void> write(std::uint32_t address, std::span<const std::byte> bytes);
  // Hardware breakpoints, software ones where the server has none.
  Result<void> set_breakpoint(std::uint32_t address);
  Result<void> clear_breakpoint(std::uint32_t address);
  // One instruction.
  Result<void> step();
  // Runs until the core stops. Servers may stop at once where a breakpoint stands at the program
  // counter: step over it first. After `wait` it is halted and the error says so.
  Result<void> run_until_stop(Milliseconds wait);
  // A command of the server's own.
  Result<void> monitor(std::string_view line);
  // Runs on and lets go.
  void detach();

 private:
  explicit Gdb(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {}

  Result<void> send(std::string_view packet);
  Result<std::string> receive(Milliseconds wait);
  Result<std::string> ask(std::string_view packet, Milliseconds wait = Milliseconds(4000));
  Result<std::string> exchange(std::string_view packet, Milliseconds wait);
  Result<void> ask_ok(std::string_view packet, std::string_view doing);
  Result<void> wait_for_stop(std::string_view instead, Milliseconds wait);
  Result<void> skip_notification();
  Result<int> next_byte(Milliseconds wait);  // -1: silence, or an exchange that takes too long
  // From now on what the server says counts for so long, however busily it talks.
  void bound(Milliseconds time) { end_ = stream_->now() + time; }
  Error broken(std::string what, std::string want = "", std::string hint = "") const;

  std::unique_ptr<ByteStream> stream_;
  bool acknowledges_ = true;
  bool lost_ =
      false;  // an exchange failed: nothing more is asked, so that one fault costs its time once
  bool binary_writes_ = true, binary_worked_ = false, whole_writes_ = true, only_vcont_ = false;
  std::map<std::uint32_t, char>
      kinds_;                      // of the breakpoints that stand: '1' hardware, '0' software
  std::size_t packet_size_ = 400;  // GDB's own where the server names none
  Bytes arrived_;
  std::size_t read_at_ = 0;
  ByteStream::Moment end_{};
};

}  // namespace lockstep
