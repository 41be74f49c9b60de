#pragma once

#include <string>
#include <vector>

#include "device/device.h"

namespace lockstep {

// How one operation of a model maps onto a device.
struct DeviceNode {
  std::string node, op, output;
  Shape shape;
  DevicePlacement placement;
  DeviceCost cost;
  std::int64_t macs = 0, parameters = 0, parameter_bytes = 0;
  std::int64_t channels = 0;  // of the output
  bool aligned = true;        // channels are a multiple of the device's group
};

// An edit of the model and what it is worth.
struct DeviceEdit {
  std::string node, why, advice;
  double microseconds = 0;  // saved at most, by the latency model
};

// Scales that the device's multipliers cannot carry.
struct DeviceScales {
  std::string node;
  std::int64_t channels = 0, lost = 0;  // whose multiplier keeps fewer than 7 bits
  double ratio = 0;                     // largest scale over smallest
};

struct DeviceMemoryUse {
  const DeviceMemory* memory = nullptr;
  std::uint64_t used = 0;
};

// What has no room in the device's memories.
struct DeviceHomeless {
  std::string name;  // of the tensor; "weights"
  std::int64_t bytes = 0;
};

struct DeviceReport {
  const DeviceDef* device = nullptr;
  std::string model;
  std::vector<DeviceNode> nodes;
  std::vector<DeviceMemoryUse> memories;
  std::vector<DeviceHomeless> homeless;
  std::vector<DeviceEdit> edits;  // in order of gain
  std::vector<DeviceScales> scales;
  std::int64_t macs = 0, parameters = 0, weight_bytes = 0, activation_bytes = 0;
  double microseconds = 0;
  int epochs = 0;
};

// Lowers the model as the device's arithmetic does and places every operation. Errors: a model that
// cannot be lowered, shapes that are not static.
Result<DeviceReport> analyze_for(const Graph& model, const DeviceDef& device);

}  // namespace lockstep
