#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arith/arith.h"
#include "ir/graph.h"
#include "link/device.h"

namespace lockstep {

// How one input of the model becomes the bytes that a device wants: decided once, from both
// descriptions.
struct InputPlan {
  std::string name;  // the model's
  DeviceTensor to;   // the device's
  QuantParams from;  // the model's
  enum class Codes : std::uint8_t { same, quantize, dequantize, shift } codes = Codes::same;
  std::int32_t shift = 0;         // added to each code
  std::vector<std::size_t> axes;  // of the model's tensor, in the device's order; empty: as it is
  std::string note;               // what is done, "" when nothing
};

// Errors (a bad request): another number of elements or shape, a type that cannot be reached
// without a guess. They name both.
Result<InputPlan> plan_input(const Value& model, const DeviceTensor& device,
                             const std::string& where);
Result<Bytes> apply(const InputPlan& plan, const Tensor& x, const Arithmetic& arithmetic);

// A bit of a DeviceTensor's flags, of Lockstep's own firmware: its axes lie channels last, the
// model has them first.
inline constexpr std::uint32_t channels_last_flag = 0x10000;

// A device's tensor as a Tensor, in the model's order of axes where the device says that it lies in
// another; nothing for packed bits and fixed point.
std::optional<Tensor> tensor_of_device(const DeviceTensor& t);
QuantParams quant_of_device(const DeviceTensor& t);

// The network of the firmware that has the model's inputs and outputs: the one of that name, or the
// only one that fits. The error says what each lacks.
Result<std::size_t> network_for(const Graph& model, const std::vector<DeviceNetwork>& networks,
                                const std::string& name, const std::string& where);

}  // namespace lockstep
