#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>

#include "link/agent_device.h"
#include "link/emulator.h"
#include "link/noisy_stream.h"
#include "link/st_device.h"

namespace lockstep {
namespace {

using test::Noise;

Bytes ramp(std::size_t n) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i * 13);
  return bytes;
}

bool right(const DeviceRun& run, const Bytes& x) {
  float sums[10] = {};
  for (std::size_t i = 0; i < x.size(); ++i) sums[i % 10] += static_cast<float>(x[i]);
  return run.outputs.size() == 1 && run.outputs[0].data.size() == sizeof sums &&
         std::memcmp(run.outputs[0].data.data(), sums, sizeof sums) == 0;
}

std::unique_ptr<ByteStream> open(const std::string& uri) {
  auto stream = open_stream(uri);
  return stream.ok() ? std::move(*stream) : nullptr;
}

// Seeds of a test: 1 and on, or from LOCKSTEP_SEEDS=FIRST:COUNT.
struct Seeds {
  std::uint64_t first = 1, count;
  explicit Seeds(std::uint64_t usual) : count(usual) {
    if (const char* asked = std::getenv("LOCKSTEP_SEEDS"))
      if (std::sscanf(asked, "%lu:%lu", &first, &count) != 2)
        ADD_FAILURE() << "LOCKSTEP_SEEDS=FIRST:COUNT";
  }
  std::uint64_t end() const { return first + count; }
};

constexpr std::uint32_t payloads[] = {0, 32, 510,
                                      4094};  // 0: packets of 32 bytes and no larger ones offered

// What came of conversations over bad lines, on simulated clocks.
struct Tally {
  std::mutex lock;
  int right = 0, wrong = 0, failed = 0, unnamed = 0;
  double slowest = 0;  // seconds until a call answered
  std::string last;    // error of connecting

  template <class F>
  auto timed(const std::function<ByteStream::Moment()>& now, F&& f) {
    const auto start = now();
    auto result = f();
    const double seconds = std::chrono::duration<double>(now() - start).count();
    const std::lock_guard guard(lock);
    slowest = std::max(slowest, seconds);
    if (!result.ok()) {
      ++failed;
      if (result.error().what.empty() || result.error().blame != Blame::target) ++unnamed;
    }
    return result;
  }
};

// Connects and runs up to three samples; each call is timed.
void converse(std::unique_ptr<ByteStream> stream, const std::function<ByteStream::Moment()>& now,
              Tally& tally) {
  auto device = tally.timed(now, [&] { return Device::connect(std::move(stream)); });
  if (!device.ok()) {
    const std::lock_guard guard(tally.lock);
    tally.last = device.error().line();
    return;
  }
  const Bytes x = ramp(192);
  for (int i = 0; i < 3; ++i) {
    if (device->info().networks[0].inputs.empty()) return;
    const auto run = tally.timed(now, [&] {
      return device->run(device->info().networks[0], std::span(&x, 1),
                         {.nodes = true, .tensors = true, .first = true});
    });
    if (!run.ok()) return;
    const std::lock_guard guard(tally.lock);
    (right(*run, x) ? tally.right : tally.wrong)++;
  }
}
void converse(const std::shared_ptr<test::SimulatedLine>& line, Noise noise, std::uint64_t seed,
              Tally& tally) {
  converse(
      std::make_unique<test::NoisyStream>(std::make_unique<test::SimulatedStream>(line),
                                          std::move(noise), seed),
      [&] { return line->now(); }, tally);
}

std::vector<std::pair<const char*, Noise>> bad_lines() {
  return {{"dropped", {.drop = 1e-3}},
          {"doubled", {.twice = 1e-3}},
          {"inserted", {.insert = 1e-3}},
          {"flipped", {.flip = 1e-3}},
          {"all four", {.drop = 1e-3, .twice = 1e-3, .insert = 1e-3, .flip = 1e-3}},
          {"mute", {.mute_after = 700}},
          {"a little of all", {.drop = 3e-5, .twice = 3e-5, .insert = 3e-5, .flip = 3e-5}}};
}

TEST(Noise, with_check_fields_no_result_is_wrong_and_every_failure_is_named_within_10_s) {
  Tally tally;
  const Seeds seeds(60);
  for (const auto& line : bad_lines())
    for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
      const auto cable = std::make_shared<test::SimulatedLine>();
      test::AgentDevice agent(test::sums_network(), payloads[seed % 4], false, cable);
      converse(cable, line.second, seed * 7919, tally);
    }
  EXPECT_EQ(tally.wrong, 0);
  EXPECT_EQ(tally.unnamed, 0);
  EXPECT_GT(tally.right, static_cast<int>(seeds.count * 5 / 4));
  EXPECT_GT(tally.failed, static_cast<int>(seeds.count * 5 / 4));
  EXPECT_LT(tally.slowest, 10);
  std::printf("agent: %d results right, %d wrong, %d failures named, slowest call %.1f s\n",
              tally.right, tally.wrong, tally.failed, tally.slowest);
}

// Its tensors carry no check: a flipped byte in one is a wrong result, which only a second run of
// the sample shows.
TEST(Noise, without_check_fields_every_failure_is_named_within_10_s) {
  Tally tally;
  const Seeds seeds(60);
  for (const auto& line : bad_lines())
    for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
      const auto cable = std::make_shared<test::SimulatedLine>();
      test::StDevice firmware(cable, {.version = seed % 3 ? 0x0302u : 0x0301u,
                                      .payload = seed % 3 == 2 ? 510u : 0u,
                                      .header = seed % 3 ? 2u : 1u,
                                      .npu = seed % 2 == 0});
      converse(cable, line.second, seed * 104729, tally);
    }
  EXPECT_EQ(tally.unnamed, 0);
  EXPECT_GT(tally.right, static_cast<int>(seeds.count * 5 / 4));
  EXPECT_GT(tally.failed, static_cast<int>(seeds.count * 5 / 4));
  EXPECT_LT(tally.slowest, 10);
  std::printf(
      "stock firmware: %d results right, %d wrong, %d failures named, slowest call %.1f s\n",
      tally.right, tally.wrong, tally.failed, tally.slowest);
}

// An emulator that shares no code with the host, on a pty and a real clock; LOCKSTEP_EMULATOR names
// another with the same options.
TEST(Noise, an_independent_device_on_a_bad_line_is_named_within_10_s) {
  Tally tally;
  const Seeds seeds(2);
  const char* const forms[] = {"--framing 1 --version 2.2", "--framing 1 --version 3.1",
                               "--framing 2 --version 3.1", "--framing 2 --version 3.2",
                               "--framing 2 --version 3.2 --usb 4094"};
  std::vector<std::thread> threads;
  int kind = 0;
  for (const auto& line : bad_lines()) {
    ++kind;
    threads.emplace_back([&, noise = line.second, kind] {
      for (std::uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
        const std::string path = testing::TempDir() + "lockstep_noise_" + std::to_string(getpid()) +
                                 "_" + std::to_string(kind) + "_" + std::to_string(seed);
        test::Emulator emulator(forms[(seed + static_cast<std::uint64_t>(kind)) % 5], path);
        if (auto stream = open(emulator.uri()))
          converse(
              std::make_unique<test::NoisyStream>(
                  std::move(stream), noise, seed * 15485863 + static_cast<std::uint64_t>(kind)),
              &std::chrono::steady_clock::now, tally);
        else
          ADD_FAILURE() << "no emulator at " << path;
        unlink(path.c_str());
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(tally.unnamed, 0);
  EXPECT_GT(tally.right, 0);
  EXPECT_GT(tally.failed, static_cast<int>(seeds.count));
  EXPECT_LT(tally.slowest, 10);
  std::printf("emulator: %d results right, %d wrong, %d failures named, slowest call %.1f s\n",
              tally.right, tally.wrong, tally.failed, tally.slowest);
}

// One conversation, cut off after each number of bytes; afterwards the agent serves as before.
TEST(Noise, a_link_cut_at_any_byte_is_named_and_the_agent_serves_the_next_host) {
  for (const std::uint32_t payload : payloads) {
    SCOPED_TRACE(payload);
    Tally tally;
    const auto cable = std::make_shared<test::SimulatedLine>();
    test::AgentDevice agent(test::sums_network(), payload, false, cable);
    for (std::uint64_t cut = 1; cut < (payload > 100 ? 12000 : 1600); cut += cut < 1600 ? 1 : 41)
      converse(cable, {.break_after = cut}, cut, tally);
    Tally clean;
    converse(cable, {}, 1, clean);
    EXPECT_EQ(clean.right, 3) << clean.last << " after " << tally.last;
    EXPECT_EQ(tally.wrong, 0);
    EXPECT_EQ(tally.unnamed, 0);
    EXPECT_LT(tally.slowest, 10);
    EXPECT_GT(tally.failed, 1000);
  }
}

TEST(Noise, a_board_that_resets_in_the_middle_is_named_and_recovered) {
  Tally tally;
  std::atomic<int> recovered = 0;
  std::vector<std::thread> threads;
  const Seeds seeds(1);
  const std::size_t form = seeds.first % 4;  // larger packets: longer conversations
  const std::uint64_t step = std::array{200u, 200u, 1500u, 9000u}[form],
                      begin = std::array{700u, 700u, 2200u, 9000u}[form] +
                              37 * (seeds.first - 1) % step;
  for (std::uint64_t at = begin; at < begin + 8 * step; at += step)
    threads.emplace_back([&, at] {
      test::AgentDevice before(test::sums_network(), payloads[form]),
          after(test::sums_network(), payloads[form]);
      Noise noise{.reset_after = at, .reset = [&after] { return open(after.uri()); }};
      auto stream = open(before.uri());
      auto device = Device::connect(
          std::make_unique<test::NoisyStream>(std::move(stream), std::move(noise), at),
          {.result = Milliseconds(1500)});
      if (!device.ok()) return;
      const Bytes x = ramp(192);
      for (int i = 0; i < 6; ++i) {
        const auto run = tally.timed(&std::chrono::steady_clock::now, [&] {
          return device->run(device->info().networks[0], std::span(&x, 1),
                             {.nodes = true, .tensors = true, .first = true});
        });
        if (run.ok()) continue;
        if (!device->recover().ok()) return;
        const auto again = device->run(device->info().networks[0], std::span(&x, 1), {});
        if (again.ok() && right(*again, x)) ++recovered;
        return;
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(tally.unnamed, 0);
  EXPECT_LT(tally.slowest, 10);
  EXPECT_GE(recovered, 6);
}

}  // namespace
}  // namespace lockstep
