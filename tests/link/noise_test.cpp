#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>

#include "link/agent_device.h"
#include "link/emulator.h"
#include "link/noisy_stream.h"

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;
using test::Noise;

Bytes ramp(std::size_t n) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i * 13);
  return bytes;
}

bool right(const DeviceRun& run, const Bytes& x) {
  float sums[10] = {};
  for (std::size_t i = 0; i < x.size(); ++i) sums[i % 10] += static_cast<float>(x[i]);
  return run.outputs.size() == 1 && run.outputs[0].data.size() == sizeof sums && std::memcmp(run.outputs[0].data.data(), sums, sizeof sums) == 0;
}

std::unique_ptr<ByteStream> open(const std::string& uri) {
  auto stream = open_stream(uri);
  return stream.ok() ? std::move(*stream) : nullptr;
}

// What came of conversations over bad lines.
struct Tally {
  std::mutex lock;
  int right = 0, wrong = 0, failed = 0, unnamed = 0;
  double slowest = 0;  // seconds until a call answered

  template <class F>
  auto timed(F&& f) {
    const auto start = Clock::now();
    auto result = f();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
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
void converse(const std::string& uri, Noise noise, std::uint64_t seed, Tally& tally) {
  auto stream = open(uri);
  ASSERT_NE(stream, nullptr);
  auto device = tally.timed([&] { return Device::connect(std::make_unique<test::NoisyStream>(std::move(stream), std::move(noise), seed)); });
  if (!device.ok()) return;
  const Bytes x = ramp(192);
  for (int i = 0; i < 3; ++i) {
    if (device->info().networks[0].inputs.empty()) return;
    const auto run = tally.timed([&] { return device->run(device->info().networks[0], std::span(&x, 1), {.nodes = true, .tensors = true, .first = true}); });
    if (!run.ok()) return;
    const std::lock_guard guard(tally.lock);
    (right(*run, x) ? tally.right : tally.wrong)++;
  }
}

std::vector<std::pair<const char*, Noise>> bad_lines() {
  return {{"dropped", {.drop = 1e-3}}, {"doubled", {.twice = 1e-3}}, {"inserted", {.insert = 1e-3}}, {"flipped", {.flip = 1e-3}},
          {"all four", {.drop = 1e-3, .twice = 1e-3, .insert = 1e-3, .flip = 1e-3}}, {"mute", {.mute_after = 700}},
          {"a little of all", {.drop = 3e-5, .twice = 3e-5, .insert = 3e-5, .flip = 3e-5}}};
}

TEST(Noise, with_check_fields_no_result_is_wrong_and_every_failure_is_named_within_10_s) {
  Tally tally;
  std::vector<std::thread> threads;
  for (const auto& line : bad_lines())
    for (std::uint64_t seed = 1; seed <= 8; ++seed)
      threads.emplace_back([&tally, noise = line.second, seed] {
        test::AgentDevice agent(test::sums_network(), seed % 2 ? 0 : 510);
        converse(agent.uri(), noise, seed * 7919, tally);
      });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(tally.wrong, 0);
  EXPECT_EQ(tally.unnamed, 0);
  EXPECT_GT(tally.right, 10);
  EXPECT_GT(tally.failed, 10);
  EXPECT_LT(tally.slowest, 10);
  std::printf("agent: %d results right, %d wrong, %d failures named, slowest call %.1f s\n", tally.right, tally.wrong, tally.failed, tally.slowest);
}

TEST(Noise, without_check_fields_every_failure_is_named_within_10_s) {
  Tally tally;
  std::vector<std::thread> threads;
  for (const auto& line : bad_lines())
    for (std::uint64_t seed = 1; seed <= 3; ++seed)
      threads.emplace_back([&tally, noise = line.second, seed] {
        test::Emulator emulator(seed == 1 ? "--framing 1" : seed == 2 ? "--framing 2 --version 3.2" : "--framing 1 --version 2.2");
        converse(emulator.uri(), noise, seed * 104729, tally);
      });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(tally.unnamed, 0);
  EXPECT_GT(tally.right, 5);
  EXPECT_GT(tally.failed, 5);
  EXPECT_LT(tally.slowest, 10);
  std::printf("stock firmware: %d results right, %d wrong, %d failures named, slowest call %.1f s\n", tally.right, tally.wrong, tally.failed, tally.slowest);
}

// One run, cut off after each number of bytes; afterwards the agent serves as before.
TEST(Noise, a_link_cut_at_any_byte_is_named_and_the_agent_serves_the_next_host) {
  Tally tally;
  std::atomic<int> served = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t part = 0; part < 16; ++part)
    threads.emplace_back([&, part] {
      test::AgentDevice agent(test::sums_network(), 0);
      for (std::uint64_t cut = 1 + part; cut < 1600; cut += 16 * 5) converse(agent.uri(), {.break_after = cut}, cut, tally);
      Tally clean;
      converse(agent.uri(), {}, 1, clean);
      if (clean.right == 3) ++served;
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(served, 16);
  EXPECT_EQ(tally.wrong, 0);
  EXPECT_EQ(tally.unnamed, 0);
  EXPECT_LT(tally.slowest, 10);
  EXPECT_GT(tally.failed, 200);
}

TEST(Noise, a_board_that_resets_in_the_middle_is_named_and_recovered) {
  Tally tally;
  std::atomic<int> recovered = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t at = 700; at < 2300; at += 200)
    threads.emplace_back([&, at] {
      test::AgentDevice before(test::sums_network(), 0), after(test::sums_network(), 0);
      Noise noise{.reset_after = at, .reset = [&after] { return open(after.uri()); }};
      auto stream = open(before.uri());
      auto device = Device::connect(std::make_unique<test::NoisyStream>(std::move(stream), std::move(noise), at));
      if (!device.ok()) return;
      const Bytes x = ramp(192);
      for (int i = 0; i < 6; ++i) {
        const auto run = tally.timed([&] { return device->run(device->info().networks[0], std::span(&x, 1), {.nodes = true, .tensors = true, .first = true}); });
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
