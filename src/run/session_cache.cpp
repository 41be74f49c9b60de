#include "run/session_cache.h"

#include <atomic>

namespace lockstep {
namespace {

constexpr std::size_t most_waiting = 2;
std::atomic<int> threads_when_not_said{1};

bool same(const Session::Options& a, const Session::Options& b) {
  return a.threads == b.threads && a.given == b.given && a.goals == b.goals;
}

}  // namespace

void set_default_threads(int threads) {
  threads_when_not_said = threads;
}
int default_threads() {
  return threads_when_not_said;
}

SessionCache::Lease::~Lease() {
  if (session_) home_->give_back(std::move(key_), std::move(session_));
}

Result<SessionCache::Lease> SessionCache::take(const Graph& graph, const Numerics& num,
                                               const NodeKernels& kernels,
                                               Session::Options options) {
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < waiting_.size(); ++i)
      if (same(waiting_[i].key, options)) {
        Lease lease(*this, std::move(waiting_[i].key), std::move(waiting_[i].session));
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        return lease;
      }
  }
  LOCKSTEP_TRY(auto session, Session::make(graph, num, kernels, options));
  return Lease(*this, std::move(options), std::move(session));
}

void SessionCache::give_back(Session::Options key, std::unique_ptr<Session> session) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back({std::move(key), std::move(session)});
  if (waiting_.size() > most_waiting) waiting_.erase(waiting_.begin());
}

}  // namespace lockstep
