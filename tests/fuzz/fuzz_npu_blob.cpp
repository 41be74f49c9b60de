// Any bytes as a header of epoch-controller blobs, and as the words of one; what decodes is
// simulated.
#include <cstring>

#include "npu/ec_blob.h"
#include "npu/simulate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  (void)parse_ec_blobs({reinterpret_cast<const char*>(data), size}, "fuzz.h");
  EcBlob blob{"b", std::vector<std::uint32_t>(size / 4), {}};
  if (size >= 4) std::memcpy(blob.words.data(), data, size / 4 * 4);
  (void)ec_blob_from(blob.words, "b", "fuzz.h");
  auto epochs = decode_ec_blob(blob, "fuzz.h");
  if (!epochs.ok()) return 0;
  NpuProgram p;
  p.file = "fuzz.h";
  p.epochs = std::move(epochs->epochs);
  p.images = std::move(epochs->images);
  p.pools.push_back({"ram", 0x34000000, 1 << 16, false});
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(p)));
  if (sim.ok()) (void)sim->run({});
  return 0;
}
