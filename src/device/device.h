#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arith/arith.h"
#include "ir/graph.h"

namespace lockstep {

// One memory that a compiler may place tensors in, fastest first in a device's list.
struct DeviceMemory {
  std::string_view name = {}, meaning = {};
  std::uint64_t base = 0, size = 0;
  double bytes_per_us = 0;  // sustained, as the latency model takes it
  bool read_only = false, external = false;
};

// Where an operation runs, and the rule that decides it.
enum class DevicePlace : std::uint8_t { accelerator, transfers, cpu_integer, cpu_float, nowhere };
std::string_view name_of(DevicePlace place);  // "HW", "DMA", "CPU int", "CPU float", "-"
struct DevicePlacement {
  DevicePlace place = DevicePlace::cpu_float;
  std::string_view rule = {};
};

// A limit or a preference of the device: a sentence, what is done about it, and how much of the
// operation's time it costs (1: all of it).
struct DeviceLimit {
  std::string_view text = {}, advice = {};
  bool (*applies)(const NodeView& node) = nullptr;
  double share = 0;
};

// What an operation takes, under the device's latency model.
struct DeviceCost {
  double microseconds = 0;
  int epochs = 0;
};

// A figure that the maker published, to state the model's error with.
struct DeviceFigure {
  std::string_view network = {};
  double milliseconds = 0;
  std::string_view conditions = {};
};

// Everything about one device.
struct DeviceDef {
  std::string_view name = {};  // "stm32n6"
  std::string_view meaning = {};
  std::string_view arithmetic = {};  // the arithmetic that computes as it does
  std::span<const DeviceMemory> memories = {};
  std::span<const DeviceLimit> limits = {};
  std::span<const DeviceFigure> figures = {};
  std::string_view error = {};      // of the latency model against those figures, in words
  int channel_group = 1;            // channels are vectorized in groups of so many
  double largest_weight_ratio = 0;  // scales of one layer that its multipliers can still tell apart
  DevicePlacement (*place)(const NodeView& node) = nullptr;
  DeviceCost (*cost)(const NodeView& node,
                     DevicePlace place) = nullptr;  // weights stream from read-only memory
};

std::span<const DeviceDef* const> device_table();  // generated, sorted by name
const DeviceDef* find_device(std::string_view name);

}  // namespace lockstep
