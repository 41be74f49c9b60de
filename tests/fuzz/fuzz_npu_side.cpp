// Any text as each of the files beside a program.
#include "npu/images.h"
#include "npu/side_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  NpuSideFiles side;
  (void)read_c_info(text, "f", side);
  (void)read_q_json(text, "f", side);
  (void)read_mpool(text, "f", side);
  (void)read_generate_report(text, "f", side);
  (void)parse_intel_hex(text, "f");
  return 0;
}
