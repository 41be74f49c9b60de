#include "device/device.h"

namespace lockstep {

const DeviceDef* find_device(std::string_view name) {
  for (const DeviceDef* d : device_table())
    if (d->name == name) return d;
  return nullptr;
}

std::string_view name_of(DevicePlace place) {
  constexpr std::string_view names[] = {"HW", "DMA", "CPU int", "CPU float", "-"};
  return names[static_cast<int>(place)];
}

}  // namespace lockstep
