#pragma once

#include "link/device.h"
#include "link/dialogue.h"

namespace lockstep {

struct Device::State {
  Dialogue dialogue;
  DeviceInfo info;

  explicit State(Dialogue d) : dialogue(std::move(d)) {}
};

namespace command {
inline constexpr std::uint32_t sync = 0, system = 1, disconnect = 2, network = 10, run = 11,
                               read = 20, write = 21, checksum = 22;
}
namespace state {
inline constexpr std::uint32_t idle = 0, waiting = 1, processing = 2, done = 3, error = 4;
}

// "INVALID_SIZE (1)".
std::string error_text(std::uint32_t code);
// What stands in an answer, for messages: "an operation", "an acknowledgement (INVALID_SIZE (1))".
std::string payload_text(const wire::Answer& answer);
// The next answer, which must carry that payload and be no error.
Result<wire::Answer> expect(Dialogue& dialogue, wire::Answer::PayloadCase payload,
                            Milliseconds wait);

Result<DeviceTensor> tensor_of(const Dialogue& dialogue, const wire::TensorDesc& desc);
Result<DeviceTensor> tensor_with_data(const Dialogue& dialogue, wire::TensorDesc& desc,
                                      std::string bytes);
Bytes bytes_of(const std::string& text);

// Protocol 2.x (device_v2.cpp).
wire::TensorDesc desc_of_v2(const wire::ShapeV2& shape, const std::string& name);
Result<DeviceNetwork> network_of_v2(const Dialogue& dialogue, const wire::NetworkInfoV2& from);
Result<DeviceRun> run_v2(Device::State& s, const DeviceNetwork& network,
                         std::span<const Bytes> inputs, const RunMode& mode);

}  // namespace lockstep
