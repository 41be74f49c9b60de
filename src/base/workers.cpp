#include "base/workers.h"

#include <algorithm>

namespace lockstep {
namespace {

constexpr int spins_before_sleep = 20000;  // some tens of microseconds: the gap between two layers

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Workers::Workers(int threads) {
  for (int worker = 1; worker < std::max(threads, 1); ++worker)
    team_.emplace_back([this, worker] { serve(worker); });
}

Workers::~Workers() {
  stop_.store(true);
  round_.fetch_add(1);
  round_.notify_all();
  for (std::thread& t : team_) t.join();
}

void Workers::part(int worker) const {
  const std::int64_t first = job_.count * worker / threads(),
                     last = job_.count * (worker + 1) / threads();
  if (first < last) job_.call(job_.context, first, last, worker);
}

void Workers::run(const Job& job) {
  job_ = job;
  open_.store(static_cast<int>(team_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  part(0);
  for (int spin = 0; spin < spins_before_sleep; ++spin) {
    if (open_.load(std::memory_order_acquire) == 0) return;
    pause();
  }
  for (int left = open_.load(std::memory_order_acquire); left != 0;
       left = open_.load(std::memory_order_acquire))
    open_.wait(left);
}

void Workers::serve(int worker) {
  std::uint32_t seen = 0;
  for (;;) {
    for (int spin = 0; spin < spins_before_sleep; ++spin) {
      if (round_.load(std::memory_order_acquire) != seen) break;
      pause();
    }
    while (round_.load(std::memory_order_acquire) == seen) round_.wait(seen);
    seen = round_.load(std::memory_order_acquire);
    if (stop_.load()) return;
    part(worker);
    if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) open_.notify_one();
  }
}

}  // namespace lockstep
