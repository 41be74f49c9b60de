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

// Polls until `ready`; false when that takes longer than `most`, and some dozens of looks.
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
  // all of its share. Pieces are taken by exchanging the whole, so nobody takes one of a round that
  // is over: there all are taken, or the number is a later one. Nobody looks at another's seat
  // before its owner had time to finish: a line that moves between processors costs as much as a
  // small piece.
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
  bool came = false;  // the caller's: others took part in the last round
  std::vector<std::thread> threads;

  std::uint32_t share(const Round& r, std::uint32_t seat) const {  // its first piece
    return (r.pieces * seat + size - 1) / size;
  }
  std::uint32_t take(const Round& r, std::uint32_t seat, bool own, std::uint32_t& piece);
  std::uint32_t work(const Round& r, std::uint32_t seat, bool own);
  std::uint32_t help(const Round& r, std::uint32_t seat);
  std::uint32_t made(const Round& r) const;
  void open(const Round& r);
  void serve_round(const Round& r, std::uint32_t seat);
  bool read(Round& r) const;
  void serve(std::uint32_t seat);
  void wake();
  void wait(std::uint64_t seen);
};

// The owner takes half of what is left, from the front; others take one from the back. How many.
std::uint32_t Workers::Team::take(const Round& r, std::uint32_t seat, bool own,
                                  std::uint32_t& piece) {
  std::atomic<std::uint64_t>& left = seats[seat].left;
  std::uint64_t seen = left.load(std::memory_order_acquire);
  for (;;) {
    const std::int64_t rounds = ahead(seen, r.number);
    if (rounds > 0) return 0;
    std::uint32_t first = rounds == 0 ? first_of(seen) : share(r, seat),
                  last = rounds == 0 ? last_of(seen) : share(r, seat + 1);
    if (first >= last) return 0;
    const std::uint32_t taken = own ? (last - first + 1) / 2 : 1;
    piece = own ? first : last - 1;
    own ? first += taken : last -= taken;
    if (left.compare_exchange_weak(seen, pack(r.number, first, last), std::memory_order_acq_rel,
                                   std::memory_order_acquire))
      return taken;
  }
}

// What is left at a seat; how many pieces.
std::uint32_t Workers::Team::work(const Round& r, std::uint32_t seat, bool own) {
  std::uint32_t all = 0, piece = 0;
  while (const std::uint32_t taken = take(r, seat, own, piece)) {
    r.call(r.context, r.count * piece / r.pieces, r.count * (piece + taken) / r.pieces,
           static_cast<int>(piece));
    all += taken;
  }
  return all;
}

std::uint32_t Workers::Team::help(const Round& r, std::uint32_t seat) {
  std::uint32_t all = 0;
  for (std::uint32_t i = 1; i < size; ++i)
    all += work(r, seat + i < size ? seat + i : seat + i - size, false);
  return all;
}

// Pieces that the others say they have made.
std::uint32_t Workers::Team::made(const Round& r) const {
  std::uint32_t all = 0;
  for (std::uint32_t seat = 1; seat < size; ++seat)
    if (const std::uint64_t d = seats[seat].done.load(std::memory_order_acquire);
        ahead(d, r.number) == 0)
      all += last_of(d);
  return all;
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

// Own pieces, said to be done before it looks for others: the caller may wait for them.
void Workers::Team::serve_round(const Round& r, std::uint32_t seat) {
  const std::uint32_t own = work(r, seat, true);
  if (own > 0) seats[seat].done.store(pack(r.number, 0, own), std::memory_order_release);
  const auto over = [&] { return version.load(std::memory_order_acquire) != 2 * r.number; };
  if (poll(over, {})) return;
  if (const std::uint32_t helped = help(r, seat); helped > 0)
    seats[seat].done.store(pack(r.number, 0, own + helped), std::memory_order_release);
}

void Workers::Team::serve(std::uint32_t seat) {
  Round r;
  for (bool found = false;;) {
    if (!poll([&] { return (found = read(r)) || stop.load(std::memory_order_relaxed); }, awake))
      wait(2 * r.number);
    else if (!found)
      return;
    else
      serve_round(r, seat);
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

// The caller has its first pieces before others hear of the round, by plain stores: it begins while
// they are still under way.
void Workers::Team::open(const Round& r) {
  version.store(2 * r.number - 1, std::memory_order_relaxed);
  call.store(r.call, std::memory_order_release);
  context.store(r.context, std::memory_order_release);
  count.store(r.count, std::memory_order_release);
  pieces.store(r.pieces, std::memory_order_release);
  seats[0].left.store(pack(r.number, (share(r, 1) + 1) / 2, share(r, 1)),
                      std::memory_order_release);
  version.store(2 * r.number, std::memory_order_release);
  if (asleep.load(std::memory_order_relaxed) > 0) wake();
}

void Workers::run(Call call, void* context, std::int64_t count, std::int64_t least) {
  Team& t = *team_;
  const std::int64_t most = std::min(most_pieces, t.size * pieces_a_thread);
  const Round r{t.version.load(std::memory_order_relaxed) / 2 + 1, call, context, count,
                static_cast<std::uint32_t>(std::min(count / least, most))};
  t.open(r);
  std::uint32_t own = (t.share(r, 1) + 1) / 2;
  call(context, 0, count * own / r.pieces, 0);
  own += t.work(r, 0, true);
  const auto done = [&] { return own + t.made(r) == r.pieces; };
  // A team that did not come to the last round is not waited for.
  if (!t.came || !poll(done, {})) own += t.help(r, 0);
  t.came = own < r.pieces;
  while (!poll(done, patient)) std::this_thread::yield();
}

}  // namespace lockstep
