#include "lockstep_epochs.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace {

std::uint32_t clock_now = 0;
std::uint32_t cycles() {
  return clock_now;
}
std::vector<const void*> made_readable;
void make_readable(const void* data, std::size_t) {
  made_readable.push_back(data);
}

struct Seen {
  std::vector<std::uint32_t> ids, core;
  std::vector<std::vector<std::int8_t>> contents;
};
int observe(void* context, const lockstep_agent_node* node) {
  auto& seen = *static_cast<Seen*>(context);
  seen.ids.push_back(node->id);
  seen.core.push_back(node->counters[1]);
  const auto* bytes =
      node->tensor_count ? static_cast<const std::int8_t*>(node->tensors[0].data) : nullptr;
  seen.contents.emplace_back(bytes, bytes + (node->tensor_count ? node->tensors[0].bytes : 0));
  return 0;
}

// A mock of a vendor's runtime: three epochs; the third reuses the first one's memory.
class MockRuntime {
 public:
  MockRuntime() {
    static const std::uint32_t dims[] = {1, 4};
    for (int i = 0; i < 2; ++i)
      tensors_[i] = {"", LOCKSTEP_FORMAT_S8, 2, dims, 0.5f, 0, memory_[i], 4, 0};
    epochs_[0] = {"", 1u << 16 | 1u, 0, &tensors_[0], 1};
    epochs_[1] = {"", 2u << 16 | 2u, 2, nullptr, 0};
    epochs_[2] = {"", 3u << 16 | 3u, 0, &tensors_[0], 1};
    hook.epochs = epochs_;
    hook.count = 3;
    hook.cycles = cycles;
    hook.make_readable = make_readable;
  }
  void run(std::size_t epochs = 3) {
    for (std::size_t e = 0; e < epochs; ++e)
      for (int event = 0; event < 4; ++event) {
        if (event == 2) std::memset(memory_[0], static_cast<int>(10 + e), 4);
        clock_now += event == 2 ? 100u : 7u;
        lockstep_epochs_event(&hook, event, e);
      }
  }
  lockstep_epochs hook{};

 private:
  std::int8_t memory_[2][4] = {};
  lockstep_agent_tensor tensors_[2] = {};
  lockstep_epoch epochs_[3] = {};
};

TEST(Epochs, are_told_with_their_times_while_their_outputs_stand) {
  MockRuntime runtime;
  Seen seen;
  made_readable.clear();
  clock_now = 0xFFFFFFF0u;  // wraps on the way
  lockstep_epochs_begin(&runtime.hook, observe, &seen);
  runtime.run();
  EXPECT_EQ(lockstep_epochs_end(&runtime.hook), 0);
  EXPECT_EQ(seen.ids, (std::vector<std::uint32_t>{0x10001, 0x20002, 0x30003}));
  EXPECT_EQ(seen.core, (std::vector<std::uint32_t>{100, 100, 100}));
  EXPECT_EQ(seen.contents[0], (std::vector<std::int8_t>{10, 10, 10, 10}));
  EXPECT_TRUE(seen.contents[1].empty());
  EXPECT_EQ(seen.contents[2], (std::vector<std::int8_t>{12, 12, 12, 12}));
  EXPECT_EQ(made_readable.size(), 2u);
}

TEST(Epochs, that_are_missing_or_out_of_order_fail_the_run) {
  MockRuntime runtime;
  Seen seen;
  lockstep_epochs_begin(&runtime.hook, observe, &seen);
  runtime.run(2);
  EXPECT_NE(lockstep_epochs_end(&runtime.hook), 0);
  lockstep_epochs_begin(&runtime.hook, observe, &seen);
  lockstep_epochs_event(&runtime.hook, 0, 1);
  EXPECT_NE(lockstep_epochs_end(&runtime.hook), 0);
  lockstep_epochs_begin(&runtime.hook, nullptr, nullptr);  // a run that nobody watches
  runtime.run();
  EXPECT_EQ(lockstep_epochs_end(&runtime.hook), 0);
}

}  // namespace
