#pragma once

#include "link/byte_stream.h"

namespace lockstep {

// A stream over one non-blocking file descriptor, which it closes.
class DescriptorStream : public ByteStream {
 public:
  DescriptorStream(int descriptor, std::string name, bool serial = false);
  ~DescriptorStream() override;
  DescriptorStream(const DescriptorStream&) = delete;
  DescriptorStream& operator=(const DescriptorStream&) = delete;

  const std::string& name() const override { return name_; }
  Result<std::size_t> read(std::span<std::byte> into, Milliseconds wait) override;
  Result<void> write(std::span<const std::byte> bytes, Milliseconds wait) override;
  bool is_serial() const override { return serial_; }

 protected:
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  std::string name_;
  bool serial_, socket_;
};

}  // namespace lockstep
