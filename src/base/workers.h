#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace lockstep {

// A fixed team of threads, the caller among them. Work is cut into ranges by count alone, so who
// computes what never depends on timing; no call allocates.
class Workers {
 public:
  explicit Workers(int threads = 1);  // at least 1
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int threads() const { return static_cast<int>(team_.size()) + 1; }

  // f(first, last, worker) over contiguous parts of [0, count); returns when all are done. Not
  // reentrant: f must not call `each` of the same team, and one thread calls at a time.
  template <class F>
  void each(std::int64_t count, F&& f) {
    if (team_.empty() || count < 2) {
      if (count > 0) f(std::int64_t{0}, count, 0);
      return;
    }
    const auto call = [](void* context, std::int64_t first, std::int64_t last, int worker) {
      (*static_cast<std::remove_reference_t<F>*>(context))(first, last, worker);
    };
    run({call, const_cast<void*>(static_cast<const void*>(&f)), count});
  }

 private:
  struct Job {
    void (*call)(void* context, std::int64_t first, std::int64_t last, int worker) = nullptr;
    void* context = nullptr;
    std::int64_t count = 0;
  };
  void run(const Job& job);
  void part(int worker) const;
  void serve(int worker);

  Job job_;
  std::atomic<std::uint32_t> round_{0};
  std::atomic<int> open_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> team_;
};

}  // namespace lockstep
