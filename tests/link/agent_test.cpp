#include <gtest/gtest.h>

#include "link/agent_device.h"
#include "link/frame.h"

namespace lockstep {
namespace {

Bytes ramp(std::size_t n) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i * 11);
  return bytes;
}

Result<Device> connect(const std::string& uri) {
  auto stream = open_stream(uri);
  if (!stream.ok()) return stream.error();
  return Device::connect(std::move(*stream));
}

void expect_sums(const DeviceRun& run, const Bytes& x) {
  float sums[10] = {}, got[10];
  for (std::size_t i = 0; i < x.size(); ++i) sums[i % 10] += static_cast<float>(x[i]);
  ASSERT_EQ(run.outputs.size(), 1u);
  ASSERT_EQ(run.outputs[0].data.size(), sizeof got);
  std::memcpy(got, run.outputs[0].data.data(), sizeof got);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(got[i], sums[i]);
}

TEST(Agent, gives_every_node_and_guards_every_message) {
  for (const std::uint32_t payload : {0u, 510u, 4094u}) {
    test::AgentDevice agent(test::sums_network(), payload);
    auto device = connect(agent.uri());
    ASSERT_TRUE(device.ok()) << device.error().line();
    EXPECT_TRUE(device->info().can(Capability::crc));
    EXPECT_EQ(device->info().framing, std::to_string(payload ? payload + 2 : 34) + "-byte packets");
    const Bytes x = ramp(192);
    for (int i = 0; i < 3; ++i) {
      const auto run = device->run(device->info().networks[0], std::span(&x, 1),
                                   {.nodes = true, .tensors = true, .first = true});
      ASSERT_TRUE(run.ok()) << run.error().line();
      expect_sums(*run, x);
      ASSERT_EQ(run->steps.size(), 1u);
      EXPECT_EQ(run->steps[0].name, "h");
      ASSERT_EQ(run->steps[0].tensors.size(), 1u);
      for (std::size_t k = 0; k < x.size(); ++k)
        ASSERT_EQ(static_cast<int>(run->steps[0].tensors[0].data[k]),
                  (static_cast<int>(x[k]) + 1) & 0xFF);
    }
  }
}

TEST(Agent, serves_over_a_pty) {
  test::AgentDevice agent(test::sums_network(), 0, true);
  auto device = connect(agent.uri() + ":921600");
  ASSERT_TRUE(device.ok()) << device.error().line();
  const Bytes x = ramp(192);
  const auto run = device->run(device->info().networks[0], std::span(&x, 1), {});
  ASSERT_TRUE(run.ok()) << run.error().line();
  expect_sums(*run, x);
  EXPECT_TRUE(run->steps.empty());
}

TEST(Agent, reads_writes_and_sums_memory_within_its_bounds) {
  test::AgentDevice agent(test::sums_network());
  auto device = connect(agent.uri());
  ASSERT_TRUE(device.ok()) << device.error().line();
  const Bytes bytes = ramp(5000);
  const auto written = device->write_memory(test::AgentDevice::memory_base + 16, bytes);
  ASSERT_TRUE(written.ok()) << written.error().line();
  const auto read = device->read_memory(test::AgentDevice::memory_base + 16, 5000);
  ASSERT_TRUE(read.ok()) << read.error().line();
  EXPECT_EQ(*read, bytes);
  const auto sum = device->checksum(test::AgentDevice::memory_base + 16, 5000);
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(*sum, bsd_checksum(bytes));
  EXPECT_FALSE(device->read_memory(0x10, 4).ok());
  EXPECT_FALSE(device->read_memory(test::AgentDevice::memory_base + 65530, 100).ok());
  EXPECT_TRUE(device->read_memory(test::AgentDevice::memory_base, 4).ok());
}

TEST(Agent, says_that_a_run_failed) {
  auto network = test::sums_network();
  network.compute = [](test::AgentDevice::Network&, bool) { return false; };
  test::AgentDevice agent(std::move(network));
  auto device = connect(agent.uri());
  ASSERT_TRUE(device.ok()) << device.error().line();
  const Bytes x = ramp(192);
  const auto run = device->run(device->info().networks[0], std::span(&x, 1), {});
  ASSERT_FALSE(run.ok());
  EXPECT_NE(run.error().what.find("GENERIC (10)"), std::string::npos) << run.error().line();
}

TEST(Agent, refuses_an_input_of_another_size_and_serves_on) {
  test::AgentDevice agent(test::sums_network());
  auto device = connect(agent.uri());
  ASSERT_TRUE(device.ok()) << device.error().line();
  DeviceNetwork network = device->info().networks[0];
  const Bytes small = ramp(100), x = ramp(192);
  EXPECT_FALSE(device->run(network, std::span(&small, 1), {}).ok());
  ASSERT_TRUE(device->recover().ok());
  const auto run = device->run(network, std::span(&x, 1), {});
  ASSERT_TRUE(run.ok()) << run.error().line();
  expect_sums(*run, x);
}

// The same bytes as in the protocol's own example (docs/protocol.md).
TEST(Frames, are_cut_as_the_protocol_shows) {
  const Bytes message = [] {
    Bytes m;
    for (const int b : {0x08, 0x01, 0x10, 0x00, 0x18, 0x00, 0x22, 0x00, 0x28, 0x00})
      m.push_back(static_cast<std::byte>(b));
    return m;
  }();
  const Bytes one = packets_of(message, {Framing::one_byte, 32}),
              two = packets_of(message, {Framing::two_byte, 32});
  ASSERT_EQ(one.size(), 33u);
  EXPECT_EQ(one[0], std::byte{0x0b});
  EXPECT_EQ(one[1], std::byte{0x0a});
  EXPECT_EQ(one[2], std::byte{0x08});
  ASSERT_EQ(two.size(), 34u);
  EXPECT_EQ(two[0], std::byte{0x00});
  EXPECT_EQ(two[1], std::byte{0x0b});
  EXPECT_EQ(two[2], std::byte{0x0a});
  EXPECT_EQ(packets_of(Bytes(192), {Framing::one_byte, 32}).size(),
            7u * 33);  // a length of two bytes, then 192
}

TEST(Frames, crc_is_that_of_zlib_and_stands_at_the_end) {
  const std::string text = "123456789";
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  EXPECT_EQ(crc32_of(bytes), 0xCBF43926u);
  EXPECT_EQ(crc_state(bytes), CrcState::absent);
  append_crc(bytes);
  EXPECT_EQ(bytes.size(), text.size() + 6);
  EXPECT_EQ(crc_state(bytes), CrcState::right);
  bytes[3] ^= std::byte{1};
  EXPECT_EQ(crc_state(bytes), CrcState::wrong);
}

TEST(Frames, name_what_is_wrong_with_a_packet) {
  const PacketForm form{Framing::two_byte, 32};
  const auto packet = [](int a, int b) {
    Bytes p(34);
    p[0] = static_cast<std::byte>(a);
    p[1] = static_cast<std::byte>(b);
    p[2] = std::byte{0x08};
    return p;
  };
  EXPECT_NE(MessageReader(form).add(packet(0x00, 33)).error().what.find("claims 33 bytes"),
            std::string::npos);
  EXPECT_NE(MessageReader(form).add(packet(0x7F, 0xFF)).error().what.find("claims 32767 bytes"),
            std::string::npos);
  EXPECT_NE(MessageReader(form).add(packet(0x00, 5)).error().what.find("is not the last"),
            std::string::npos);
  EXPECT_TRUE(*MessageReader(form).add(packet(0x80, 0)));
  EXPECT_TRUE(*MessageReader(form).add(packet(0x80, 32)));
  // Field 4, bytes, 2^35 of them.
  Bytes absurd = packet(0x00, 32);
  const int field[] = {0x22, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01};
  for (std::size_t i = 0; i < 7; ++i) absurd[2 + i] = static_cast<std::byte>(field[i]);
  EXPECT_NE(MessageReader(form).add(absurd).error().what.find("announces"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
