#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "link/agent_device.h"

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;

// A stream that carries so many bytes a second each way, as a line of that rate does; it runs on
// for up to 20 ms while nobody reads, into the system's buffer.
class Paced : public ByteStream {
 public:
  Paced(std::unique_ptr<ByteStream> stream, double rate)
      : stream_(std::move(stream)),
        rate_(rate),
        read_free_(Clock::now()),
        write_free_(Clock::now()) {}
  const std::string& name() const override { return stream_->name(); }

  Result<std::size_t> read(std::span<std::byte> into, Milliseconds wait) override {
    const std::size_t most = std::max<std::size_t>(1, static_cast<std::size_t>(rate_ / 500));
    auto got = stream_->read(into.first(std::min(into.size(), most)), wait);
    if (got.ok()) pace(read_free_, *got);
    return got;
  }
  Result<void> write(std::span<const std::byte> bytes, Milliseconds wait) override {
    pace(write_free_, bytes.size());
    return stream_->write(bytes, wait);
  }

 private:
  // Waits until the line has carried `bytes`.
  void pace(Clock::time_point& free, std::size_t bytes) {
    free = std::max(free, Clock::now() - std::chrono::milliseconds(20)) +
           std::chrono::duration_cast<Clock::duration>(
               std::chrono::duration<double>(static_cast<double>(bytes) / rate_));
    std::this_thread::sleep_until(free);
  }

  std::unique_ptr<ByteStream> stream_;
  double rate_;
  Clock::time_point read_free_, write_free_;
};

test::AgentDevice::Network network_of(std::size_t node_bytes) {
  auto n = test::sums_network();
  n.nodes.clear();
  for (int i = 0; i < 4; ++i)
    n.nodes.push_back(
        {"node" + std::to_string(i), DType::i8, {static_cast<std::uint32_t>(node_bytes / 4)}});
  n.compute = [](test::AgentDevice::Network& net, bool) {
    for (auto& node : net.nodes)
      for (std::size_t i = 0; i < node.bytes.size(); ++i) node.bytes[i] = static_cast<std::byte>(i);
    return true;
  };
  return n;
}

// Tensor bytes a second of one run with all tensors.
double measured(std::uint32_t payload, std::size_t bytes, double rate) {
  test::AgentDevice agent(network_of(bytes), payload);
  auto stream = open_stream(agent.uri());
  if (!stream.ok()) return 0;
  if (rate > 0) *stream = std::make_unique<Paced>(std::move(*stream), rate);
  auto device = Device::connect(std::move(*stream));
  if (!device.ok()) return 0;
  const Bytes x(192);
  const auto start = Clock::now();
  const auto run = device->run(device->info().networks[0], std::span(&x, 1),
                               {.nodes = true, .tensors = true, .first = true});
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::size_t arrived = 0;
  if (run.ok())
    for (const DeviceStep& step : run->steps)
      for (const DeviceTensor& t : step.tensors) arrived += t.data.size();
  EXPECT_EQ(arrived, bytes);
  return static_cast<double>(arrived) / seconds;
}

// Rates are printed, not judged: they are this machine's.
TEST(Throughput, of_all_tensors_is_printed_for_lines_of_several_rates) {
  struct Line {
    const char* name;
    std::uint32_t payload;
    std::size_t bytes;
    double rate;
  };
  for (const Line& line : {Line{"serial, 921600 baud, 34-byte packets", 0, 60000, 92160},
                           Line{"USB full speed, 4096-byte packets", 4094, 1000000, 1.0e6},
                           Line{"network, 100 Mbit/s, 4096-byte packets", 4094, 8000000, 12.5e6}}) {
    const double got = measured(line.payload, line.bytes, line.rate);
    std::printf("%-42s %10.0f of %10.0f bytes/s: %5.1f %%\n", line.name, got, line.rate,
                100 * got / line.rate);
  }
  std::printf("%-42s %10.0f bytes/s\n", "loopback TCP, not paced, 34-byte packets",
              measured(0, 8000000, 0));
  std::printf("%-42s %10.0f bytes/s\n", "loopback TCP, not paced, 4096-byte packets",
              measured(4094, 64000000, 0));
}

}  // namespace
}  // namespace lockstep
