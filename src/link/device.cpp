#include "link/device.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "link/device_state.h"

namespace lockstep {
namespace {

constexpr std::uint32_t most_networks = 64;

Result<std::vector<DeviceTensor>> tensors_of(
    const Dialogue& d, const google::protobuf::RepeatedPtrField<wire::TensorDesc>& from,
    std::uint32_t count, std::string_view what) {
  if (static_cast<std::uint32_t>(from.size()) != count)
    return d.broken(
        fmt::format("a network with {} {} and {} descriptions of them", count, what, from.size()),
        "as many");
  std::vector<DeviceTensor> tensors;
  for (const wire::TensorDesc& desc : from) {
    LOCKSTEP_TRY(DeviceTensor t, tensor_of(d, desc));
    tensors.push_back(std::move(t));
  }
  return tensors;
}

Result<DeviceNetwork> network_of(const Dialogue& d, const wire::NetworkInfo& from) {
  if (printable(from.name()) != from.name())
    return d.broken("a network whose name is no text", "printable ASCII",
                    "bytes were damaged on the line");
  DeviceNetwork n{from.name(),
                  printable(from.signature()),
                  printable(from.compiled()),
                  printable(from.runtime_text()),
                  from.macc(),
                  from.nodes(),
                  {},
                  {},
                  {},
                  {}};
  LOCKSTEP_TRY(n.inputs, tensors_of(d, from.inputs(), from.n_inputs(), "inputs"));
  LOCKSTEP_TRY(n.outputs, tensors_of(d, from.outputs(), from.n_outputs(), "outputs"));
  LOCKSTEP_TRY(n.activations,
               tensors_of(d, from.activations(), from.n_activations(), "activations"));
  LOCKSTEP_TRY(n.params, tensors_of(d, from.params(), from.n_params(), "parameters"));
  return n;
}

Result<void> read_system(Device::State& s) {
  s.dialogue.doing("SYS_INFO");
  LOCKSTEP_CHECK(s.dialogue.request(command::system, 0, "", 0));
  LOCKSTEP_TRY(const wire::Answer a,
               expect(s.dialogue, wire::Answer::kSystem, s.dialogue.patience().system));
  const wire::SystemInfo& from = a.system();
  s.info.device = from.device();
  s.info.cpu_hz = from.cpu_hz();
  s.info.bus_hz = from.bus_hz();
  s.info.cache = from.cache();
  PacketForm form = s.dialogue.form();
  if (form.framing == Framing::one_byte) {
    s.info.extra.assign(from.five().begin(), from.five().end());
    return {};
  }
  s.info.extra.assign(from.extra().begin(), from.extra().end());
  const std::uint32_t payload = from.five_size() > 0 ? from.five(0) : 0;
  if (payload == 0) return {};
  if (payload < 8 || payload > 0x7FFF)
    return s.dialogue.broken(fmt::format("packets of {} bytes", payload), "8 .. 32767");
  form.payload = payload;
  s.dialogue.set_form(form);
  return {};
}

Result<void> read_networks(Device::State& s) {
  for (std::uint32_t i = 0; i < most_networks; ++i) {
    s.dialogue.doing(fmt::format("NETWORK_INFO {}", i));
    LOCKSTEP_CHECK(s.dialogue.request(command::network, i, "", 0));
    LOCKSTEP_TRY(const wire::Answer a, s.dialogue.answer(s.dialogue.patience().info));
    for (std::string& line : s.dialogue.take_logs()) s.info.logs.push_back(std::move(line));
    if (a.payload_case() == wire::Answer::kAck && a.ack().error() == 10)
      return s.dialogue.broken("the device says that its network is not initialized (GENERIC (10))",
                               "", "did its initialization fail? its console says why");
    if (a.payload_case() == wire::Answer::kAck) return {};
    if (a.payload_case() == wire::Answer::kNetwork) {
      LOCKSTEP_TRY(DeviceNetwork n, network_of(s.dialogue, a.network()));
      s.info.networks.push_back(std::move(n));
    } else if (a.payload_case() == wire::Answer::kNetworkV2) {
      LOCKSTEP_TRY(DeviceNetwork n, network_of_v2(s.dialogue, a.network_v2()));
      s.info.networks.push_back(std::move(n));
    } else {
      return s.dialogue.broken(payload_text(a), "a network's description");
    }
  }
  return s.dialogue.broken(fmt::format("more than {} networks", most_networks),
                           "an end of the list");
}

// SYNC, then the packet size; with Lockstep's agent, everything after SYNC carries a CRC-32.
Result<void> greet(Device::State& s) {
  s.dialogue.protect(false);
  LOCKSTEP_TRY(const wire::Sync sync, establish(s.dialogue));
  s.info = {};
  s.info.version = sync.version();
  s.info.capability = sync.capability();
  s.info.runtime = sync.runtime();
  const std::uint32_t major = sync.version() >> 8;
  if (major != 2 && major != 3)
    return s.dialogue.broken(fmt::format("protocol version {}.{}", major, sync.version() & 0xFF),
                             "2.x or 3.x", "a newer firmware than this tool knows?");
  s.dialogue.protect(s.info.can(Capability::crc) && major == 3);
  LOCKSTEP_CHECK(read_system(s));
  const PacketForm form = s.dialogue.form();
  s.info.framing = fmt::format("{}-byte packets", form.size());
  return {};
}

std::string device_text(std::uint32_t id) {
  struct Row {
    std::uint32_t id;
    const char* name;
  };
  static constexpr Row known[] = {
      {0x486, "STM32N6"},   {0x47B, "STM32H7P"},  {0x450, "STM32H743/753"},
      {0x449, "STM32F746"}, {0x451, "STM32F769"}, {0x415, "STM32L476"},
      {0x470, "STM32L4R9"}, {0x482, "STM32U585"}, {0x434, "STM32F469"}};
  for (const Row& row : known)
    if (row.id == id) return row.name;
  return id == 0 ? "a device without an id" : fmt::format("device id {:#05x}", id);
}

std::string runtime_text(std::uint32_t runtime) {
  switch (runtime & 0xFF) {
    case 1:
      return "ST's CPU runtime";
    case 2:
      return "TFLite Micro";
    case 3:
      return "TVM";
    case 4:
      return "Neural-ART runtime";
    case 5:
      return "Glow";
    case 6:
      return "ST's CPU runtime, relocatable";
    default:
      return "an unknown runtime";
  }
}

}  // namespace

std::string error_text(std::uint32_t code) {
  static constexpr const char* names[] = {
      "NONE",          "INVALID_SIZE", "INVALID_FORMAT", "INVALID_STATE", "INVALID_PARAM",
      "INVALID_SHAPE", "INVALID_CMD",  "UNINITIALIZED",  "MEM_OVERFLOW",  "",
      "GENERIC"};
  if (code == 32) return "DAMAGED (32)";
  return code < std::size(names) && names[code][0] ? fmt::format("{} ({})", names[code], code)
                                                   : fmt::format("error {}", code);
}

std::string payload_text(const wire::Answer& a) {
  switch (a.payload_case()) {
    case wire::Answer::kSync:
      return "an answer to SYNC";
    case wire::Answer::kSystem:
      return "a system description";
    case wire::Answer::kAck:
      return "an acknowledgement, " + error_text(a.ack().error());
    case wire::Answer::kLog:
      return "a log message";
    case wire::Answer::kData:
      return "data";
    case wire::Answer::kOperation:
      return "an operation";
    case wire::Answer::kTensor:
      return "a tensor";
    case wire::Answer::kNetwork:
    case wire::Answer::kNetworkV2:
      return "a network's description";
    case wire::Answer::kNodeV2:
      return "a node";
    case wire::Answer::kReportV2:
      return "a report";
    case wire::Answer::PAYLOAD_NOT_SET:
      break;
  }
  return "an empty answer";
}

Result<wire::Answer> expect(Dialogue& d, wire::Answer::PayloadCase payload, Milliseconds wait) {
  LOCKSTEP_TRY(wire::Answer a, d.answer(wait));
  if (a.state() == state::error) {
    const std::uint32_t code = a.payload_case() == wire::Answer::kAck ? a.ack().error() : 10;
    d.set_refused();
    if (code == 32)
      return d.broken("a message reached the device damaged (its CRC-32 differs)", "",
                      "noise on the line: shorter cable, lower rate");
    return d.broken("the device answers " + error_text(code), "",
                    code == 6 || code == 4
                        ? "its firmware does not offer this, or does not know the name"
                        : "");
  }
  if (a.payload_case() != payload) {
    wire::Answer wanted;
    return d.broken(payload_text(a) + " out of turn", "", "messages were lost or damaged");
  }
  return a;
}

std::string DeviceInfo::text() const {
  std::string t =
      fmt::format("{}, {}, protocol {}.{}", device_text(device),
                  can(Capability::crc) ? std::string("Lockstep's agent") : runtime_text(runtime),
                  version >> 8, version & 0xFF);
  if (cpu_hz >= 1000000) t += fmt::format(", {} MHz", cpu_hz / 1000000);
  return t;
}

std::string DeviceInfo::configuration() const {
  constexpr std::string_view mark = "s:config:";
  std::vector<std::string> said;
  for (const std::string& line : logs) {
    const std::size_t colon = line.find(':', mark.size());
    if (!line.starts_with(mark) || colon == std::string::npos ||
        line.starts_with("s:config:version"))
      continue;
    std::string fact = line.substr(mark.size(), colon - mark.size()) + " " + line.substr(colon + 1);
    if (std::ranges::find(said, fact) == said.end()) said.push_back(std::move(fact));
  }
  return join(said, ", ");
}

Device::Device(std::unique_ptr<State> state) : state_(std::move(state)) {}
Device::Device(Device&&) noexcept = default;
Device& Device::operator=(Device&&) noexcept = default;

// Ends large packets where the firmware knows how; it does not answer.
Device::~Device() {
  if (!state_ || state_->dialogue.form().framing == Framing::one_byte ||
      state_->info.version < 0x0301)
    return;
  if (state_->dialogue.form().payload != 32)
    (void)state_->dialogue.request(command::disconnect, 0, "", 0);
}

const DeviceInfo& Device::info() const {
  return state_->info;
}
bool Device::is_serial() const {
  return state_->dialogue.is_serial();
}
const std::string& Device::name() const {
  return state_->dialogue.name();
}

Result<Device> Device::connect(std::unique_ptr<ByteStream> stream, DialogueLimits limits) {
  Patience patience;
  patience.result = limits.result;
  if (limits.result > Patience().result) patience.feeding = limits.result;
  auto s = std::make_unique<State>(Dialogue(std::move(stream), patience));
  LOCKSTEP_CHECK(greet(*s));
  LOCKSTEP_CHECK(read_networks(*s));
  if (s->info.networks.empty()) return s->dialogue.broken("the firmware holds no network", "one");
  return Device(std::move(s));
}

bool Device::refused() const {
  return state_->dialogue.refused();
}

Result<void> Device::recover() {
  const DeviceInfo before = state_->info;
  LOCKSTEP_CHECK(greet(*state_));
  if (state_->info.version != before.version || state_->info.device != before.device)
    return state_->dialogue.broken("another device answers after the fault", before.text());
  state_->info.networks = before.networks;
  state_->info.logs = before.logs;
  return {};
}

}  // namespace lockstep
