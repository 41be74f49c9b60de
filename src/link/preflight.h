#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"

namespace lockstep {

struct DeviceInfo;
struct DeviceTensor;

// How a board's memory is read: through a debugger, or the validation protocol's memory access.
using ReadMemory = std::function<Result<Bytes>(std::uint32_t address, std::uint32_t size)>;

// The 16-bit checksum of the validation protocol over memory; null where there is none.
using SumMemory = std::function<Result<std::uint16_t>(std::uint32_t address, std::uint32_t size)>;

// One question to a board and its answer.
struct PreflightAnswer {
  enum class Kind : std::uint8_t { fine, note, warning, error, unknown } kind = Kind::fine;
  std::string subject;      // "AXISRAM3 (npuRAM3)"
  std::string found;        // "clocked, awake"
  std::string consequence;  // what a wrong answer does to a network
  std::string advice;
  std::string source;  // where the fact is documented
};

// A stretch of memory that the network uses.
struct UsedMemory {
  std::string name;
  std::uint32_t address = 0, size = 0;
  bool input = false;
};

// Registers of the STM32N6: banks asleep or unclocked, NPU clock and reset, both caches, what the
// NPU may access and what was blocked. A bank that no used memory touches is a note at most;
// without `used`, every bank counts. What cannot be read is `unknown`, with the reason.
std::vector<PreflightAnswer> ask_stm32n6(const ReadMemory& read, std::span<const UsedMemory> used);

// Alignment of buffers (16 bytes for the NPU; inputs to lines of 32 bytes where caches are written
// back) and whether each lies in some memory of the device.
std::vector<PreflightAnswer> ask_placement_stm32n6(std::span<const UsedMemory> used);

// Bytes of a file against those at an address: the first difference, or none. Pieces whose checksum
// is equal are not read.
PreflightAnswer ask_contents(const ReadMemory& read, const std::string& what, std::uint32_t address,
                             std::span<const std::byte> bytes, const SumMemory& sum = {});

// What a device of the validation protocol says of itself, with any firmware: clocks, caches,
// versions.
std::vector<PreflightAnswer> ask_device(const DeviceInfo& info);
// Its networks' inputs and outputs against where a description of the firmware puts them, and its
// signature against the hash that the description names ("" where it names none).
std::vector<PreflightAnswer> ask_networks(const DeviceInfo& info,
                                          std::span<const DeviceTensor> inputs,
                                          std::span<const DeviceTensor> outputs,
                                          const std::string& hash);

std::string_view name_of(PreflightAnswer::Kind kind);

}  // namespace lockstep
