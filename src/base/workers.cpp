#include "base/workers.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t pieces_a_thread = 4;
constexpr int pauses_a_look = 32;  // between two looks at the clock
// A worker that waits longer goes to sleep: longer than the gap between two layers or two calls in
// a row.
constexpr auto awake = std::chrono::microseconds(150);
// A caller that waits longer for a piece lets others have the processor: its worker may need it.
constexpr auto patient = std::chrono::microseconds(20);
constexpr std::size_t line = 128;  // two cache lines: processors fetch them in pairs

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Polls until `ready`; false when that takes longer than `most`.
template <class F>
bool poll(F&& ready, Clock::duration most) {
  for (Clock::time_point end{};;) {
    for (int i = 0; i < pauses_a_look; ++i) {
      if (ready()) return true;
      pause();
    }
    const Clock::time_point now = Clock::now();
    if (end == Clock::time_point{}) end = now + most;
    if (now > end) return false;
  }
}

// What threads exchange in one word: the round above (a million million of them, days), two numbers
// of pieces below.
constexpr int round_bits = 40, piece_bits = 12;
constexpr std::uint32_t most_pieces = (1u << piece_bits) - 1;

constexpr std::uint64_t pack(std::uint64_t round, std::uint32_t first, std::uint32_t last) {
  return round << (2 * piece_bits) | std::uint64_t{first} << piece_bits | last;
}
constexpr std::uint32_t first_of(std::uint64_t word) {
  return word >> piece_bits & most_pieces;
}
constexpr std::uint32_t last_of(std::uint64_t word) {
  return word & most_pieces;
}
// Rounds from `round` to that of the word; negative where that is an older one.
constexpr std::int64_t ahead(std::uint64_t word, std::uint64_t round) {
  return static_cast<std::int64_t>(word - pack(round, 0, 0)) >> (2 * piece_bits);
}

}  // namespace

// What a round asks for, as one thread knows it.
struct Workers::Round {
  std::uint64_t number = 0;
  Call call = nullptr;
  void* context = nullptr;
  std::int64_t count = 0;
  std::uint32_t pieces = 0;
};

struct Workers::Team {
  explicit Team(std::uint32_t all) : size(all), seats(std::make_unique<Seat[]>(size)) {}

  // Pieces first to last of a round that nobody has taken: [round][first][last]. Of an older round:
  // all of its share. A piece is taken by exchanging the whole, so nobody takes one of a round that
  // is over: there all are taken, or the number is a later one.
  struct alignas(line) Seat {
    std::atomic<std::uint64_t> left{0};
    alignas(line) std::atomic<std::uint64_t> done{0};  // [round][pieces that its thread made]
  };

  const std::uint32_t size;
  // `version` is odd while a round is being written, then twice its number. All of it on one line,
  // so that who polls has it at once.
  alignas(line) std::atomic<std::uint64_t> version{0};
  std::atomic<Call> call{nullptr};
  std::atomic<void*> context{nullptr};
  std::atomic<std::int64_t> count{0};
  std::atomic<std::uint32_t> pieces{0};
  alignas(line) std::atomic<int> asleep{0};
  std::atomic<std::uint32_t> wakes{0};
  std::atomic<bool> stop{false};
  alignas(line) std::unique_ptr<Seat[]> seats;
  std::vector<std::thread> threads;

  std::uint32_t share(const Round& r, std::uint32_t seat) const {  // its first piece
    return (r.pieces * seat + size - 1) / size;
  }
  bool take(const Round& r, std::uint32_t seat, bool own, std::uint32_t& piece);
  std::uint32_t work(const Round& r, std::uint32_t seat);
  bool read(Round& r) const;
  void serve(std::uint32_t seat);
  void wake();
  void wait(std::uint64_t seen);
};

// The owner takes from the front, others from the back.
bool Workers::Team::take(const Round& r, std::uint32_t seat, bool own, std::uint32_t& piece) {
  std::atomic<std::uint64_t>& left = seats[seat].left;
  std::uint64_t seen = left.load(std::memory_order_acquire);
  for (;;) {
    const std::int64_t rounds = ahead(seen, r.number);
    if (rounds > 0) return false;
    std::uint32_t first = rounds == 0 ? first_of(seen) : share(r, seat),
                  last = rounds == 0 ? last_of(seen) : share(r, seat + 1);
    if (first >= last) return false;
    piece = own ? first++ : --last;
    if (left.compare_exchange_weak(seen, pack(r.number, first, last), std::memory_order_acq_rel,
                                   std::memory_order_acquire))
      return true;
  }
}

// Own pieces, then those of the others; how many.
std::uint32_t Workers::Team::work(const Round& r, std::uint32_t seat) {
  std::uint32_t made = 0;
  for (std::uint32_t i = 0; i < size; ++i) {
    const std::uint32_t of = seat + i < size ? seat + i : seat + i - size;
    for (std::uint32_t piece = 0; take(r, of, i == 0, piece); ++made)
      r.call(r.context, r.count * piece / r.pieces, r.count * (piece + 1) / r.pieces,
             static_cast<int>(piece));
  }
  return made;
}

// The round after that of `r`, or a later one, whole; false where there is none.
bool Workers::Team::read(Round& r) const {
  const std::uint64_t now = version.load(std::memory_order_acquire);
  if (now == 2 * r.number || now % 2 != 0) return false;
  const Round found{now / 2, call.load(std::memory_order_acquire),
                    context.load(std::memory_order_acquire), count.load(std::memory_order_acquire),
                    pieces.load(std::memory_order_acquire)};
  if (version.load(std::memory_order_relaxed) != now) return false;
  r = found;
  return true;
}

void Workers::Team::serve(std::uint32_t seat) {
  Round r;
  for (bool found = false;;) {
    if (!poll([&] { return (found = read(r)) || stop.load(std::memory_order_relaxed); }, awake))
      wait(2 * r.number);
    else if (!found)
      return;
    else if (const std::uint32_t made = work(r, seat); made > 0)
      seats[seat].done.store(pack(r.number, 0, made), std::memory_order_release);
  }
}

// The caller looks at `asleep` without waiting for its own stores: a worker that falls asleep at
// that very moment misses one round, no more, as the caller makes all that nobody takes.
void Workers::Team::wait(std::uint64_t seen) {
  const std::uint32_t before = wakes.load(std::memory_order_seq_cst);
  asleep.fetch_add(1, std::memory_order_seq_cst);
  if (version.load(std::memory_order_seq_cst) == seen && !stop.load()) wakes.wait(before);
}

void Workers::Team::wake() {
  asleep.store(0, std::memory_order_seq_cst);
  wakes.fetch_add(1, std::memory_order_seq_cst);
  wakes.notify_all();
}

Workers::Workers(int threads) : threads_(std::max(threads, 1)) {
  if (threads_ == 1) return;
  team_ = std::make_unique<Team>(static_cast<std::uint32_t>(threads_));
  for (int worker = 1; worker < threads_; ++worker)
    team_->threads.emplace_back(
        [this, worker] { team_->serve(static_cast<std::uint32_t>(worker)); });
}

Workers::~Workers() {
  if (!team_) return;
  team_->stop.store(true);
  team_->wake();
  for (std::thread& t : team_->threads) t.join();
}

void Workers::run(Call call, void* context, std::int64_t count, std::int64_t least) {
  Team& t = *team_;
  const std::uint64_t before = t.version.load(std::memory_order_relaxed);
  const std::int64_t most = std::min(most_pieces, t.size * pieces_a_thread);
  const Round r{before / 2 + 1, call, context, count,
                static_cast<std::uint32_t>(std::min(count / least, most))};
  t.version.store(before + 1, std::memory_order_relaxed);
  t.call.store(call, std::memory_order_release);
  t.context.store(context, std::memory_order_release);
  t.count.store(count, std::memory_order_release);
  t.pieces.store(r.pieces, std::memory_order_release);
  t.version.store(before + 2, std::memory_order_release);
  if (t.asleep.load(std::memory_order_relaxed) > 0) t.wake();
  const std::uint32_t own = t.work(r, 0);
  const auto done = [&] {
    std::uint32_t made = own;
    for (std::uint32_t seat = 1; seat < t.size; ++seat)
      if (const std::uint64_t d = t.seats[seat].done.load(std::memory_order_acquire);
          ahead(d, r.number) == 0)
        made += last_of(d);
    return made == r.pieces;
  };
  while (!poll(done, patient)) std::this_thread::yield();
}

}  // namespace lockstep
