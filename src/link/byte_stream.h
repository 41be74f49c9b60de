#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace lockstep {

using Milliseconds = std::chrono::milliseconds;

// A two-way stream of bytes to a device. Every call ends within the time it is given.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual const std::string& name() const = 0;  // as the user wrote it, for messages
  // One byte or more as soon as they are there; 0 when none came within `wait`. An error when the
  // link is gone (Blame::target).
  virtual Result<std::size_t> read(std::span<std::byte> into, Milliseconds wait) = 0;
  // All bytes, or an error: gone, or not taken within `wait`.
  virtual Result<void> write(std::span<const std::byte> bytes, Milliseconds wait) = 0;
  virtual bool is_serial() const { return false; }
  // The clock that waits are measured on.
  using Moment = std::chrono::steady_clock::time_point;
  virtual Moment now() const { return std::chrono::steady_clock::now(); }
};

// A serial line (also a pty): 8 data bits, no parity, no flow control. Opened exclusively; neither
// opening nor closing it touches the modem lines more than the system does by itself.
Result<std::unique_ptr<ByteStream>> open_serial(const std::string& path, int baud);
// A client connection; `wait` bounds name resolution's result and the connecting.
Result<std::unique_ptr<ByteStream>> open_tcp(const std::string& host, const std::string& port,
                                             Milliseconds wait = Milliseconds(5000));
// A program whose standard input and output are the device. Ended with the stream.
Result<std::unique_ptr<ByteStream>> open_process(const std::vector<std::string>& command);
// Takes over an open file descriptor (a pty's master, a socket).
std::unique_ptr<ByteStream> adopt_descriptor(int descriptor, std::string name);

// "serial:/dev/ttyACM0:921600", "serial:/dev/ttyACM0" (115200), "tcp:HOST:PORT",
// "process:PROGRAM ARGUMENT...".
Result<std::unique_ptr<ByteStream>> open_stream(const std::string& uri);

// A link that broke or a device that does not answer: exit code 3.
Error link_error(std::string where, std::string what, std::string want = "", std::string hint = "");

}  // namespace lockstep
