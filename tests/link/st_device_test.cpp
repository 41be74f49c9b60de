// The host against firmware that behaves as the specification of ST's does, on a simulated clock.
#include "link/st_device.h"

#include <gtest/gtest.h>

#include "link/device.h"
#include "link/noisy_stream.h"

namespace lockstep::test {
namespace {

Bytes ramp(std::size_t n) {
  Bytes b(n);
  for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<std::byte>(i * 7);
  return b;
}

void expect_sums(const DeviceRun& run, const Bytes& x) {
  float sums[10] = {}, got[10] = {};
  for (std::size_t i = 0; i < x.size(); ++i) sums[i % 10] += static_cast<float>(x[i]);
  ASSERT_EQ(run.outputs.size(), 1u);
  ASSERT_EQ(run.outputs[0].data.size(), sizeof got);
  std::memcpy(got, run.outputs[0].data.data(), sizeof got);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(got[i], sums[i]);
}

const StDevice::Habits every_habit[] = {
    {.version = 0x0301, .header = 1, .npu = false, .logs = 0},
    {.version = 0x0301, .header = 1},
    {.version = 0x0301, .header = 2},
    {.version = 0x0302, .header = 2, .inputs = 2},
    {.version = 0x0302, .header = 2, .npu = false},
    {.version = 0x0302, .payload = 4094, .header = 2, .inputs = 2},
    {.version = 0x0301, .payload = 510, .header = 2},
    {.version = 0x0302, .payload = 32767, .header = 2, .logs = 7},
    {.version = 0x0302, .payload = 20, .header = 2},
    {.version = 0x0301, .header = 1, .with_runtime = false}};

std::string text_of(const StDevice::Habits& h) {
  return fmt::format("version {:#x}, {} header bytes, packets of {}, {} inputs", h.version,
                     h.header, h.payload, h.inputs);
}

std::vector<Bytes> inputs_of(const StDevice::Habits& h) {
  return h.inputs == 2 ? std::vector<Bytes>{ramp(192), ramp(12)} : std::vector<Bytes>{ramp(192)};
}

TEST(StFirmware, of_every_version_is_found_and_run) {
  for (const StDevice::Habits& habits : every_habit) {
    SCOPED_TRACE(text_of(habits));
    const auto line = std::make_shared<SimulatedLine>();
    StDevice firmware(line, habits);
    for (int again = 0; again < 2; ++again) {
      auto device = Device::connect(std::make_unique<SimulatedStream>(line));
      ASSERT_TRUE(device.ok()) << device.error().line();
      EXPECT_EQ(device->info().version, habits.version);
      EXPECT_EQ(device->info().extra, (std::vector<std::uint32_t>{0, 1000000000, 900000000, 0}));
      const std::vector<Bytes> inputs = inputs_of(habits);
      for (const bool nodes : {true, false}) {
        const auto run = device->run(device->info().networks[0], inputs,
                                     {.nodes = nodes, .tensors = nodes, .first = true});
        ASSERT_TRUE(run.ok()) << run.error().line();
        expect_sums(*run, inputs[0]);
        ASSERT_EQ(run->steps.size(), nodes ? 3u : 0u);
        if (!nodes) continue;
        EXPECT_EQ(run->steps[0].tensors.size(), 1u);
        EXPECT_EQ(run->steps[0].tensors[0].data.size(), habits.npu ? 0u : 16u);
        EXPECT_TRUE(run->steps[1].tensors.empty());
        EXPECT_EQ(run->steps[2].id, 2u << 16 | 2u);
      }
    }
  }
}

// A host that dies after each byte of a whole conversation; the next one finds the device wherever
// it stands.
TEST(StFirmware, is_freed_without_a_reset_wherever_the_last_host_died) {
  std::size_t places = 0;
  double slowest = 0;
  for (const StDevice::Habits& habits : every_habit) {
    if (habits.payload == 32767) continue;  // below
    SCOPED_TRACE(text_of(habits));
    // LOCKSTEP_EVERY_BYTE=1: after each byte of the first packets at least; else after a sample of
    // them.
    const std::uint64_t near = std::getenv("LOCKSTEP_EVERY_BYTE") ? 1 : 17,
                        far = habits.payload < 100    ? near
                              : habits.payload < 1000 ? 97
                                                      : 3001;
    for (std::uint64_t cut = 1 + places % near;; cut += cut < 600 ? near : far) {
      ASSERT_LT(cut, 1000000u);
      const auto line = std::make_shared<SimulatedLine>();
      StDevice firmware(line, habits);
      bool whole = false;
      {
        auto first = Device::connect(std::make_unique<NoisyStream>(
            std::make_unique<SimulatedStream>(line), Noise{.break_after = cut}, 1));
        if (first.ok())
          whole = first
                      ->run(first->info().networks[0], inputs_of(habits),
                            {.nodes = true, .tensors = true, .first = true})
                      .ok();
      }
      if (whole) break;
      ++places;
      const auto before = line->now();
      auto device = Device::connect(std::make_unique<SimulatedStream>(line));
      ASSERT_TRUE(device.ok()) << "after byte " << cut << ": " << device.error().line();
      slowest = std::max(slowest, std::chrono::duration<double>(line->now() - before).count());
      const auto run = device->run(device->info().networks[0], inputs_of(habits), {});
      ASSERT_TRUE(run.ok()) << "after byte " << cut << ": " << run.error().line();
      expect_sums(*run, inputs_of(habits)[0]);
    }
  }
  EXPECT_LT(slowest, 10);
  std::printf("hosts that died: %zu places, device found again within %.1f s\n", places, slowest);
}

// Finding the packets of 4096 bytes takes nearly all of the time for a silent port; the device
// answers the second SYNC after it.
TEST(StFirmware, that_comes_into_step_late_is_probed_more_than_once) {
  const StDevice::Habits habits{.version = 0x0302, .payload = 4094, .header = 2, .inputs = 2};
  const auto line = std::make_shared<SimulatedLine>();
  StDevice firmware(line, habits);
  {
    auto first = Device::connect(std::make_unique<NoisyStream>(
        std::make_unique<SimulatedStream>(line), Noise{.break_after = 42614}, 1));
    ASSERT_TRUE(first.ok()) << first.error().line();
    EXPECT_FALSE(first
                     ->run(first->info().networks[0], inputs_of(habits),
                           {.nodes = true, .tensors = true, .first = true})
                     .ok());
  }
  const auto before = line->now();
  const auto device = Device::connect(std::make_unique<SimulatedStream>(line));
  EXPECT_TRUE(device.ok()) << device.error().line();
  EXPECT_LT(std::chrono::duration<double>(line->now() - before).count(), 10);
}

TEST(StFirmware, that_never_answers_is_named_within_10_s) {
  for (const bool serial : {false, true}) {
    const auto line = std::make_shared<SimulatedLine>();
    const auto device = Device::connect(std::make_unique<SimulatedStream>(line, serial));
    ASSERT_FALSE(device.ok());
    EXPECT_NE(device.error().what.find("no answer"), std::string::npos);
    EXPECT_LT(std::chrono::duration<double>(line->now().time_since_epoch()).count(), 10);
  }
}

}  // namespace
}  // namespace lockstep::test
