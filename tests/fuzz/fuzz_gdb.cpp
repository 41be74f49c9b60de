// Any bytes as what a GDB server sends.
#include <algorithm>
#include <string>

#include "link/gdb.h"

namespace {

class Script : public lockstep::ByteStream {
 public:
  explicit Script(std::span<const std::byte> bytes) : bytes_(bytes) {}
  const std::string& name() const override { return name_; }
  lockstep::Result<std::size_t> read(std::span<std::byte> into, lockstep::Milliseconds) override {
    if (bytes_.empty()) return lockstep::link_error(name_, "gone");
    const std::size_t n = std::min(into.size(), bytes_.size());
    std::copy_n(bytes_.begin(), n, into.begin());
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
  auto gdb = Gdb::connect(std::make_unique<Script>(std::as_bytes(std::span(data, size))));
  if (!gdb.ok()) return 0;
  (void)gdb->registers();
  (void)gdb->read(0x1000, 600);
  (void)gdb->write(0x1000, Bytes(100));
  (void)gdb->set_breakpoint(0x1000);
  (void)gdb->run_until_stop(Milliseconds(1));
  return 0;
}
