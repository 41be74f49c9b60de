#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/files.h"
#include "link/byte_stream.h"

namespace lockstep {

// One tensor as a device describes it.
struct DeviceTensor {
  std::string name;  // may be empty
  std::uint32_t format = 0;
  std::optional<DType> dtype;       // nothing for packed bits and fixed point
  std::vector<std::int64_t> shape;  // batch first, as it lies in memory
  std::int64_t elements = 0;
  double scale = 0;  // 0: not quantized
  std::int32_t zero = 0;
  std::uint32_t address = 0, flags = 0;
  Bytes data;  // empty where the device sends none

  bool quantized() const { return scale != 0; }
  std::size_t bytes() const {
    return dtype ? static_cast<std::size_t>(elements) * size_of(*dtype) : 0;
  }
};

// One network of the firmware.
struct DeviceNetwork {
  std::string name, signature, compiled, runtime;
  std::uint64_t macc = 0;
  std::uint32_t nodes = 0;
  std::vector<DeviceTensor> inputs, outputs, activations, params;
};

// One executed node or epoch, or the whole model.
struct DeviceStep {
  std::string name;
  std::uint32_t type = 0, id = 0;
  double milliseconds = 0;
  std::vector<std::uint32_t> counters;
  std::vector<DeviceTensor> tensors;  // those of a node; empty where the firmware sends none
};

// Capability bits. `crc` is Lockstep's own; other clients ignore it.
struct Capability {
  static constexpr std::uint32_t observer = 1, read_write = 8, usb = 64, crc = 1u << 16;
};

// What a device says of itself.
struct DeviceInfo {
  std::uint32_t version = 0;  // major << 8 | minor
  std::string framing;        // "one-byte header", "two-byte header", with the packet size
  std::uint32_t capability = 0, runtime = 0;
  std::uint32_t device = 0, cpu_hz = 0, bus_hz = 0, cache = 0;
  std::vector<std::uint32_t> extra;
  std::vector<std::string> logs;  // lines that came with the networks
  std::vector<DeviceNetwork> networks;

  bool can(std::uint32_t bit) const { return (capability & bit) != 0; }
  bool npu() const { return (runtime & 0xFF) == 4; }
  // What its stat lines (s:config:NAME:VALUE) say of clocks and caches: "npu_freq 1000000000,
  // npu_cache 1"; "" where none came.
  std::string configuration() const;
  std::string text() const;  // "STM32N6, Neural-ART runtime, protocol 3.1, 800 MHz"
};

struct DeviceRun {
  DeviceStep whole;
  std::vector<DeviceStep> steps;
  std::vector<DeviceTensor> outputs;
  std::vector<std::string> logs;
};

struct RunMode {
  bool nodes = false;    // times of every node
  bool tensors = false;  // their tensors too
  bool first = true;     // of a sequence: resets states
};

struct DialogueLimits {
  Milliseconds result{9000};  // silence while an inference runs
};

// A device that runs ST's validation firmware of any version, or Lockstep's agent.
class Device {
 public:
  // Finds the framing, frees a stuck device, reads what it is and which networks it holds.
  static Result<Device> connect(std::unique_ptr<ByteStream> stream, DialogueLimits limits = {});
  Device(Device&&) noexcept;
  Device& operator=(Device&&) noexcept;
  ~Device();

  const DeviceInfo& info() const;
  bool is_serial() const;
  const std::string& name() const;

  // One inference. `inputs` in the network's order, each with exactly its bytes.
  Result<DeviceRun> run(const DeviceNetwork& network, std::span<const Bytes> inputs,
                        const RunMode& mode);

  // Memory of the device; an error where the firmware does not offer it.
  Result<Bytes> read_memory(std::uint32_t address, std::uint32_t size);
  Result<void> write_memory(std::uint32_t address, std::span<const std::byte> bytes);
  Result<std::uint16_t> checksum(std::uint32_t address, std::uint32_t size);

  // After an error: whether the device itself answered with one, and takes requests.
  bool refused() const;
  // After any other error: brings the device back to where it takes requests.
  Result<void> recover();

  struct State;

 private:
  explicit Device(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The 16-bit checksum of the protocol: rotate right by one, add the byte.
std::uint16_t bsd_checksum(std::span<const std::byte> bytes);

// The element type of a format word, or nothing.
std::optional<DType> dtype_of_format(std::uint32_t format);
std::uint32_t format_of_dtype(DType dtype);

}  // namespace lockstep
