#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace lockstep {

// A fixed team of threads, the caller among them. Work is cut into pieces by count alone; whoever
// is free takes the next piece, so a thread that sleeps holds nobody up. Pieces do not know who
// computes them: results depend neither on timing nor on the number of threads. No call allocates.
class Workers {
 public:
  explicit Workers(int threads = 1);  // at least 1
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int threads() const { return static_cast<int>(team_.size()) + 1; }

  // f(first, last, piece) over contiguous parts of [0, count); returns when all are done. Not
  // reentrant: f must not call `each` of the same team, and one thread calls at a time.
  template <class F>
  void each(std::int64_t count, F&& f) {
    if (team_.empty() || count < 2) {
      if (count > 0) f(std::int64_t{0}, count, 0);
      return;
    }
    const auto call = [](void* context, std::int64_t first, std::int64_t last, int piece) {
      (*static_cast<std::remove_reference_t<F>*>(context))(first, last, piece);
    };
    run(call, const_cast<void*>(static_cast<const void*>(&f)), count);
  }

 private:
  using Call = void (*)(void* context, std::int64_t first, std::int64_t last, int piece);
  void run(Call call, void* context, std::int64_t count);
  bool take_piece(std::uint32_t round);
  void serve();

  // The round's number above, the next piece below: a piece is taken by exchanging both at once, so
  // nobody takes a piece of a round that is over.
  std::atomic<std::uint64_t> next_{0};
  std::atomic<Call> call_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<std::int64_t> count_{0};
  std::atomic<std::uint32_t> pieces_{0}, done_{0}, round_{0};
  std::atomic<int> asleep_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> team_;
};

}  // namespace lockstep
