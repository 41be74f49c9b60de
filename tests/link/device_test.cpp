#include "link/device.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "link/emulator.h"

namespace lockstep {
namespace {

Bytes ramp(std::size_t n) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i * 7);
  return bytes;
}

// The emulator's built-in network: output i is the sum of every tenth input from i on.
std::vector<float> sums(const Bytes& input) {
  std::vector<float> out(10);
  for (std::size_t i = 0; i < input.size(); ++i) out[i % 10] += static_cast<float>(input[i]);
  return out;
}

std::vector<float> floats(const Bytes& bytes) {
  std::vector<float> out(bytes.size() / 4);
  std::memcpy(out.data(), bytes.data(), out.size() * 4);
  return out;
}

Result<Device> connect(const std::string& uri) {
  auto stream = open_stream(uri);
  if (!stream.ok()) return stream.error();
  return Device::connect(std::move(*stream));
}

struct Variant {
  const char* options;
  const char* framing;
  unsigned version;
  std::size_t nodes;  // with tensors
};

class EveryVersion : public testing::TestWithParam<Variant> {};

TEST_P(EveryVersion, is_detected_and_runs) {
  test::Emulator emulator(GetParam().options);
  auto device = connect(emulator.uri());
  ASSERT_TRUE(device.ok()) << device.error().line();
  EXPECT_EQ(device->info().framing, GetParam().framing);
  EXPECT_EQ(device->info().version, GetParam().version);
  ASSERT_EQ(device->info().networks.size(), 1u);
  const DeviceNetwork network = device->info().networks[0];
  ASSERT_EQ(network.inputs.size(), 1u);
  EXPECT_EQ(network.inputs[0].shape, (std::vector<std::int64_t>{1, 8, 8, 3}));
  EXPECT_EQ(network.inputs[0].dtype, DType::u8);
  const Bytes input = ramp(192);
  for (int i = 0; i < 2; ++i) {
    const auto run =
        device->run(network, std::span(&input, 1), {.nodes = true, .tensors = true, .first = true});
    ASSERT_TRUE(run.ok()) << run.error().line();
    ASSERT_EQ(run->outputs.size(), 1u);
    EXPECT_EQ(floats(run->outputs[0].data), sums(input));
    EXPECT_FLOAT_EQ(static_cast<float>(run->whole.milliseconds), 0.75f);
    std::size_t with_tensors = 0;
    for (const DeviceStep& step : run->steps)
      for (const DeviceTensor& t : step.tensors) with_tensors += !t.data.empty();
    EXPECT_EQ(with_tensors, GetParam().nodes);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Link, EveryVersion,
    testing::Values(Variant{"--version 2.1 --framing 1", "33-byte packets", 0x201, 2},
                    Variant{"--version 2.2 --framing 1", "33-byte packets", 0x202, 2},
                    Variant{"--version 3.1 --framing 1", "33-byte packets", 0x301, 2},
                    Variant{"--version 3.1 --framing 2", "34-byte packets", 0x301, 2},
                    Variant{"--version 3.2 --framing 2", "34-byte packets", 0x302, 2},
                    Variant{"--version 3.2 --framing 2 --usb 4094", "4096-byte packets", 0x302, 2},
                    Variant{"--version 3.2 --framing 2 --usb 510", "512-byte packets", 0x302, 2},
                    Variant{"--version 3.1 --framing 2 --stock", "34-byte packets", 0x301, 0}));

TEST(Device, runs_over_a_pty_as_over_a_serial_line) {
  const std::string path = testing::TempDir() + "lockstep_tty_" + std::to_string(getpid());
  test::Emulator emulator("--framing 1", path);
  auto device = connect("serial:" + path + ":921600");
  ASSERT_TRUE(device.ok()) << device.error().line();
  EXPECT_TRUE(device->is_serial());
  const Bytes input = ramp(192);
  const auto run = device->run(device->info().networks[0], std::span(&input, 1), {});
  ASSERT_TRUE(run.ok()) << run.error().line();
  EXPECT_EQ(floats(run->outputs[0].data), sums(input));
  unlink(path.c_str());
}

TEST(Device, reads_writes_and_sums_memory) {
  test::Emulator emulator("--framing 2 --version 3.2");
  auto device = connect(emulator.uri());
  ASSERT_TRUE(device.ok()) << device.error().line();
  const Bytes bytes = ramp(3000);
  const auto written = device->write_memory(0x34000100, bytes);
  ASSERT_TRUE(written.ok()) << written.error().line();
  const auto read = device->read_memory(0x34000100, 3000);
  ASSERT_TRUE(read.ok()) << read.error().line();
  EXPECT_EQ(*read, bytes);
  const auto sum = device->checksum(0x34000100, 3000);
  ASSERT_TRUE(sum.ok()) << sum.error().line();
  EXPECT_EQ(*sum, bsd_checksum(bytes));
  const auto none = device->read_memory(0x34000100, 0);
  ASSERT_TRUE(none.ok()) << none.error().line();
}

TEST(Device, says_that_stock_firmware_gives_no_memory) {
  test::Emulator emulator("--stock");
  auto device = connect(emulator.uri());
  ASSERT_TRUE(device.ok()) << device.error().line();
  const auto read = device->read_memory(0x34000000, 4);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().what.find("does not give access to memory"), std::string::npos);
}

// A host that died inside an upload, after `sent` bytes of the packet stream.
class StuckDevice : public testing::TestWithParam<std::pair<const char*, std::size_t>> {};

TEST_P(StuckDevice, is_freed_without_a_reset) {
  test::Emulator emulator(GetParam().first);
  const bool one_byte = std::string(GetParam().first).find("--framing 1") != std::string::npos;
  {
    auto stream = open_stream(emulator.uri());
    ASSERT_TRUE(stream.ok());
    // RUN of "network", then the beginning of a 192-byte input.
    Bytes request;
    for (const int b : {0x11, 0x08, 0x05, 0x10, 0x0b, 0x18, 0x01, 0x22, 0x07, 0x6e, 0x65, 0x74,
                        0x77, 0x6f, 0x72, 0x6b, 0x28, 0x01})
      request.push_back(static_cast<std::byte>(b));
    const std::size_t n = request.size();
    request.insert(request.begin(), static_cast<std::byte>(n));
    if (!one_byte) request.insert(request.begin(), std::byte{0});
    request.resize(one_byte ? 33 : 34);
    ASSERT_TRUE((*stream)->write(request, Milliseconds(1000)).ok());
    Bytes input;
    for (const int b :
         {0x20, 0xca, 0x01, 0x08, 0x00, 0x10, 0xc0, 0x01, 0x18, 0x00, 0x22, 0xc0, 0x01})
      input.push_back(static_cast<std::byte>(b));
    if (!one_byte) input.insert(input.begin(), std::byte{0});
    input.resize(one_byte ? 33 : 34);
    input.resize(GetParam().second);
    std::byte answer[64];
    ASSERT_TRUE((*stream)->read(answer, Milliseconds(1000)).ok());
    ASSERT_TRUE((*stream)->write(input, Milliseconds(1000)).ok());
    ASSERT_TRUE((*stream)->read(answer, Milliseconds(100)).ok());
  }
  auto device = connect(emulator.uri());
  ASSERT_TRUE(device.ok()) << device.error().line();
  const Bytes input = ramp(192);
  const auto run = device->run(device->info().networks[0], std::span(&input, 1), {});
  ASSERT_TRUE(run.ok()) << run.error().line();
  EXPECT_EQ(floats(run->outputs[0].data), sums(input));
}

// In real time, once per header; at every place on a simulated clock: st_device_test.cpp.
INSTANTIATE_TEST_SUITE_P(Link, StuckDevice,
                         testing::Values(std::pair{"--framing 1", 7u},
                                         std::pair{"--framing 2", 33u}));

TEST(Device, left_with_large_packets_is_found_again) {
  for (const char* options : {"--framing 2 --version 3.2 --usb 4094"}) {
    test::Emulator emulator(options);
    {
      auto stream = open_stream(emulator.uri());
      ASSERT_TRUE(stream.ok());
      // SYS_INFO, after which packets are large; then the host is gone.
      Bytes request;
      for (const int b :
           {0x00, 0x0b, 0x0a, 0x08, 0x01, 0x10, 0x01, 0x18, 0x00, 0x22, 0x00, 0x28, 0x00})
        request.push_back(static_cast<std::byte>(b));
      request.resize(34);
      ASSERT_TRUE((*stream)->write(request, Milliseconds(1000)).ok());
      std::byte answer[64];
      ASSERT_TRUE((*stream)->read(answer, Milliseconds(1000)).ok());
    }
    auto device = connect(emulator.uri());
    ASSERT_TRUE(device.ok()) << options << ": " << device.error().line();
    const Bytes input = ramp(192);
    const auto run = device->run(device->info().networks[0], std::span(&input, 1), {});
    ASSERT_TRUE(run.ok()) << run.error().line();
    EXPECT_EQ(floats(run->outputs[0].data), sums(input));
  }
}

TEST(Device, a_port_where_nobody_listens_is_a_target_out_of_reach) {
  const auto device = connect("tcp:127.0.0.1:1");
  ASSERT_FALSE(device.ok());
  EXPECT_EQ(device.error().blame, Blame::target);
}

TEST(Stream, of_a_program_carries_bytes_both_ways_and_says_when_it_ended) {
  auto echo = open_stream("process:cat");
  ASSERT_TRUE(echo.ok()) << echo.error().line();
  const Bytes sent = ramp(1000);
  ASSERT_TRUE((*echo)->write(sent, Milliseconds(1000)).ok());
  Bytes back;
  while (back.size() < sent.size()) {
    std::byte chunk[256];
    const auto got = (*echo)->read(chunk, Milliseconds(2000));
    ASSERT_TRUE(got.ok() && *got > 0);
    back.insert(back.end(), chunk, chunk + *got);
  }
  EXPECT_EQ(back, sent);
  std::byte one[1];
  EXPECT_EQ(*(*echo)->read(one, Milliseconds(20)), 0u);

  auto ends = open_stream("process:true");
  ASSERT_TRUE(ends.ok());
  const auto gone = (*ends)->read(one, Milliseconds(5000));
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().blame, Blame::target);
}

TEST(Device, a_wrong_address_is_a_bad_request) {
  for (const char* uri : {"tcp:localhost", "tcp::5", "tcp:localhost:99999",
                          "serial:", "serial:/dev/ttyS0:12345", "usb:1"}) {
    const auto stream = open_stream(uri);
    ASSERT_FALSE(stream.ok()) << uri;
    EXPECT_EQ(stream.error().blame, Blame::request) << uri;
  }
}

}  // namespace
}  // namespace lockstep
