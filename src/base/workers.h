#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace lockstep {

// A fixed team of threads, the caller among them. Work is cut into pieces by count alone, and each
// thread has its own run of them: the same ones from round to round, so that what it made lies in
// its cache. Who is done takes pieces of the others, so a thread that sleeps holds nobody up.
// Where one call's part ends depends on timing, so what f computes must not depend on it: then
// results depend neither on timing nor on the number of threads. No call allocates.
class Workers {
 public:
  explicit Workers(int threads = 1);  // at least 1
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int threads() const { return threads_; }

  // f(first, last, piece) over contiguous parts of [0, count), of `least` elements or more, at most
  // four for each thread; returns when all are done. What is too little for two parts is the
  // caller's alone. Not reentrant: f must not call `each` of the same team, and one thread calls at
  // a time.
  template <class F>
  void each(std::int64_t count, F&& f, std::int64_t least = 1) {
    if (threads_ == 1 || count < 2 * least) {
      if (count > 0) f(std::int64_t{0}, count, 0);
      return;
    }
    const auto call = [](void* context, std::int64_t first, std::int64_t last, int piece) {
      (*static_cast<std::remove_reference_t<F>*>(context))(first, last, piece);
    };
    run(call, const_cast<void*>(static_cast<const void*>(&f)), count, least);
  }

 private:
  using Call = void (*)(void* context, std::int64_t first, std::int64_t last, int piece);
  struct Round;
  struct Team;
  void run(Call call, void* context, std::int64_t count, std::int64_t least);

  int threads_ = 1;
  std::unique_ptr<Team> team_;  // null: the caller alone
};

}  // namespace lockstep
