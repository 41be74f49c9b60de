// What a device says in the validation protocol, without access to its memory (docs/protocol.md).
#include <algorithm>

#include <fmt/format.h>

#include "link/device.h"
#include "link/preflight.h"

namespace lockstep {
namespace {

using Kind = PreflightAnswer::Kind;

constexpr std::uint32_t stm32n6 = 0x486;
constexpr const char* said = "the device's answer to SYS_INFO";

std::string megahertz(std::uint32_t hz) {
  return fmt::format("{} MHz", hz / 1000000);
}

void compare(const char* what, std::span<const DeviceTensor> device,
             std::span<const DeviceTensor> described, std::vector<PreflightAnswer>& answers) {
  for (std::size_t i = 0; i < std::min(device.size(), described.size()); ++i) {
    if (device[i].address == 0 || described[i].address == 0) continue;
    const std::string subject = fmt::format("{} {} of the firmware", what, i + 1);
    const std::uint32_t alias =
        device[i].address ^
        described[i].address;  // secure and non-secure addresses differ in bit 28
    if (alias == 0 || alias == 0x10000000)
      answers.push_back({Kind::fine, subject,
                         fmt::format("stands at {:#010x}, as described", device[i].address), "", "",
                         "NETWORK_INFO, and the network's description"});
    else
      answers.push_back({Kind::error, subject,
                         fmt::format("stands at {:#010x}, described at {:#010x}", device[i].address,
                                     described[i].address),
                         "the board runs another build than the one described",
                         "flash the firmware that belongs to these files",
                         "NETWORK_INFO, and the network's description"});
  }
}

}  // namespace

std::vector<PreflightAnswer> ask_device(const DeviceInfo& info) {
  std::vector<PreflightAnswer> answers;
  answers.push_back({info.cpu_hz == 0 ? Kind::warning : Kind::note, "CPU and bus clock",
                     megahertz(info.cpu_hz) + ", " + megahertz(info.bus_hz),
                     info.cpu_hz == 0 ? "times of nodes are wrong" : "", "", said});
  if (info.device == stm32n6 && info.extra.size() >= 3) {
    const bool stands = info.npu() && (info.extra[1] == 0 || info.extra[2] == 0);
    answers.push_back({stands ? Kind::error : Kind::note, "NPU and NPU RAM clock",
                       megahertz(info.extra[1]) + ", " + megahertz(info.extra[2]),
                       stands ? "no epoch ever ends" : "",
                       stands ? "start the clock before LL_ATON_RT_RuntimeInit" : "", said});
  }
  const bool data = info.cache >> 11 & 1, instructions = info.cache >> 10 & 1,
             npu = info.device == stm32n6 && (info.cache & 1);
  answers.push_back(
      {Kind::note, "caches",
       fmt::format("data {}, instructions {}{}", data ? "on" : "off", instructions ? "on" : "off",
                   info.device == stm32n6 ? npu ? ", NPU on" : ", NPU off" : ""),
       data || npu ? "buffers that were not cleaned or invalidated are stale by lines of 32 bytes"
                   : "",
       "", said});
  if (const std::string more = info.configuration(); !more.empty())
    answers.push_back({Kind::note, "configuration", more, "", "", "the firmware's stat lines"});
  for (const DeviceNetwork& n : info.networks)
    answers.push_back(
        {Kind::note, "network '" + n.name + "'",
         fmt::format("compiled {}, runtime {}, signature {}", n.compiled.empty() ? "-" : n.compiled,
                     n.runtime.empty() ? "-" : n.runtime, n.signature.empty() ? "-" : n.signature),
         "", "", "the device's answer to NETWORK_INFO"});
  return answers;
}

std::vector<PreflightAnswer> ask_networks(const DeviceInfo& info,
                                          std::span<const DeviceTensor> inputs,
                                          std::span<const DeviceTensor> outputs,
                                          const std::string& hash) {
  std::vector<PreflightAnswer> answers;
  const DeviceNetwork* network = nullptr;
  for (const DeviceNetwork& n : info.networks)
    if (n.inputs.size() == inputs.size() && n.outputs.size() == outputs.size() && !network)
      network = &n;
  if (!network)
    return {{Kind::error, "network of the firmware",
             fmt::format("none with {} inputs and {} outputs", inputs.size(), outputs.size()),
             "the board runs another network than the one described",
             "flash the firmware that belongs to these files",
             "the device's answer to NETWORK_INFO"}};
  compare("input", network->inputs, inputs, answers);
  compare("output", network->outputs, outputs, answers);
  const std::string own = "lockstep:" + hash;
  if (!hash.empty() && network->signature.starts_with("lockstep:") && network->signature != own)
    answers.push_back({Kind::error, "network of the firmware",
                       "was made from another model (" + network->signature + ")",
                       own + " is described", "flash the firmware that belongs to these files",
                       "the device's answer to NETWORK_INFO"});
  return answers;
}

}  // namespace lockstep
