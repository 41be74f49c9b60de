// Any text in the interchange form, over constants of arbitrary bytes; what reads as a program is
// audited without a model.
#include "npu/audit.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  auto p = parse_npu_json({reinterpret_cast<const char*>(data), size}, "fuzz.json");
  if (!p.ok()) return 0;
  for (NpuImage& image : p->images) {
    image.bytes.resize(1 << 14);
    for (std::size_t i = 0; i < image.bytes.size(); ++i)
      image.bytes[i] = static_cast<std::byte>(i * 37 >> 3);
  }
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(*p)));
  if (sim.ok()) (void)audit_npu(*sim, nullptr);
  return 0;
}
