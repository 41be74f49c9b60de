// Any bytes as what a device sends: a whole conversation (detection, description, a run, memory)
// ends with an answer or an error, and never takes more memory than the bytes justify.
#include <algorithm>

#include "link/device.h"
#include "link/frame.h"

namespace {

// A device that says these bytes, whatever it is asked, and is gone after them.
class Script : public lockstep::ByteStream {
 public:
  explicit Script(std::span<const std::byte> bytes) : bytes_(bytes) {}
  const std::string& name() const override { return name_; }
  lockstep::Result<std::size_t> read(std::span<std::byte> into, lockstep::Milliseconds) override {
    if (bytes_.empty()) return lockstep::link_error(name_, "gone");
    // a byte that stands for silence
    if (const bool pause = bytes_.front() == std::byte{0xFD}; pause) {
      bytes_ = bytes_.subspan(1);
      return std::size_t{0};
    }
    std::size_t n = 0;
    while (n < into.size() && n < bytes_.size() && bytes_[n] != std::byte{0xFD})
      into[n] = bytes_[n], ++n;
    bytes_ = bytes_.subspan(n);
    return n;
  }
  lockstep::Result<void> write(std::span<const std::byte>, lockstep::Milliseconds) override {
    return {};
  }

 private:
  std::span<const std::byte> bytes_;
  std::string name_ = "script";
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  const auto bytes = std::as_bytes(std::span(data, size));
  for (const PacketForm form :
       {PacketForm{Framing::one_byte, 32}, PacketForm{Framing::two_byte, 32},
        PacketForm{Framing::two_byte, 510}}) {
    MessageReader reader(form, 1 << 20);
    for (auto rest = bytes; rest.size() >= form.size(); rest = rest.subspan(form.size())) {
      const auto whole = reader.add(rest.first(form.size()));
      if (!whole.ok() || *whole) break;
    }
  }
  (void)announced_length(bytes);
  (void)crc_state(bytes);
  auto device = Device::connect(std::make_unique<Script>(bytes));
  if (!device.ok()) return 0;
  const DeviceNetwork network = device->info().networks[0];
  std::vector<Bytes> inputs;
  for (const DeviceTensor& t : network.inputs)
    inputs.emplace_back(std::min<std::size_t>(t.bytes(), 4096));
  (void)device->run(network, inputs, {.nodes = true, .tensors = true, .first = true});
  (void)device->read_memory(0x34000000, 64);
  return 0;
}
