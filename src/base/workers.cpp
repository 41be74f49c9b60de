#include "base/workers.h"

#include <algorithm>

namespace lockstep {
namespace {

constexpr int spins_before_sleep = 4000;  // some tens of microseconds: the gap between two layers
constexpr std::int64_t pieces_a_thread = 4;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Workers::Workers(int threads) {
  for (int worker = 1; worker < std::max(threads, 1); ++worker)
    team_.emplace_back([this] { serve(); });
}

Workers::~Workers() {
  stop_.store(true);
  round_.fetch_add(1);
  round_.notify_all();
  for (std::thread& t : team_) t.join();
}

// Computes one piece of the round; false when none is left of it.
bool Workers::take_piece(std::uint32_t round) {
  std::uint64_t seen = next_.load(std::memory_order_acquire);
  for (;;) {
    const auto piece = static_cast<std::uint32_t>(seen);
    if (static_cast<std::uint32_t>(seen >> 32) != round ||
        piece >= pieces_.load(std::memory_order_relaxed))
      return false;
    const Call call = call_.load(std::memory_order_relaxed);
    void* const context = context_.load(std::memory_order_relaxed);
    const std::int64_t count = count_.load(std::memory_order_relaxed),
                       pieces = pieces_.load(std::memory_order_relaxed);
    // Succeeds only while the round lasts, and then what was read belongs to it.
    if (!next_.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel,
                                     std::memory_order_acquire))
      continue;
    call(context, count * piece / pieces, count * (piece + 1) / pieces, static_cast<int>(piece));
    done_.fetch_add(1, std::memory_order_release);
    return true;
  }
}

void Workers::run(Call call, void* context, std::int64_t count) {
  const std::uint32_t round = round_.load(std::memory_order_relaxed) + 1;
  const auto pieces =
      static_cast<std::uint32_t>(std::min<std::int64_t>(count, threads() * pieces_a_thread));
  // All pieces of the round before are done; closed, so that nobody takes one while these are
  // written.
  next_.store(std::uint64_t{round} << 32 | 0xffffffffu, std::memory_order_seq_cst);
  call_.store(call, std::memory_order_relaxed);
  context_.store(context, std::memory_order_relaxed);
  count_.store(count, std::memory_order_relaxed);
  pieces_.store(pieces, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  next_.store(std::uint64_t{round} << 32, std::memory_order_release);
  round_.store(round, std::memory_order_seq_cst);
  if (asleep_.load(std::memory_order_seq_cst) > 0) round_.notify_all();
  while (take_piece(round)) {
  }
  for (int spin = 0; done_.load(std::memory_order_acquire) != pieces; ++spin) {
    if (spin < spins_before_sleep)
      pause();
    else
      std::this_thread::yield();
  }
}

void Workers::serve() {
  std::uint32_t seen = 0;
  for (;;) {
    for (int spin = 0; spin < spins_before_sleep && round_.load(std::memory_order_acquire) == seen;
         ++spin)
      pause();
    if (round_.load(std::memory_order_acquire) == seen) {
      asleep_.fetch_add(1, std::memory_order_seq_cst);
      while (round_.load(std::memory_order_seq_cst) == seen) round_.wait(seen);
      asleep_.fetch_sub(1, std::memory_order_relaxed);
    }
    seen = round_.load(std::memory_order_acquire);
    if (stop_.load()) return;
    while (take_piece(seen)) {
    }
  }
}

}  // namespace lockstep
