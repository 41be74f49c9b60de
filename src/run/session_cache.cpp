#include "run/session_cache.h"

#include <algorithm>
#include <atomic>

namespace lockstep {
namespace {

constexpr std::size_t most_bytes = std::size_t{256} << 20;  // of unchanged runs
constexpr std::size_t most_waiting = 6;
std::atomic<int> threads_when_not_said{1};

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
      if (waiting_[i].key == options) {
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

SessionCache::Values SessionCache::kept(const Sample& inputs, std::span<const ValueId> ids) const {
  const std::lock_guard lock(mutex_);
  const auto run = std::ranges::find(runs_, inputs, &Run::inputs);
  if (run == runs_.end()) return {};
  Values values;
  for (const ValueId id : ids) {
    const auto it = run->values.find(id);
    if (it == run->values.end()) return {};
    values.push_back(it->second);
  }
  return values;
}

SessionCache::Values SessionCache::keep(const Sample& inputs, std::span<const ValueId> ids,
                                        std::vector<Tensor> made, std::size_t count) {
  Values values;
  for (Tensor& t : made) values.push_back(std::make_shared<const Tensor>(std::move(t)));
  const std::lock_guard lock(mutex_);
  auto run = std::ranges::find(runs_, inputs, &Run::inputs);
  if (run == runs_.end()) run = runs_.insert(runs_.end(), {inputs, {}, 0});
  for (std::size_t i = 0; i < values.size(); ++i)
    if (run->values.emplace(ids[i], values[i]).second) run->bytes += values[i]->bytes().size();
  std::size_t bytes = 0;
  for (const Run& r : runs_) bytes += r.bytes;
  while (runs_.size() > 1 && bytes > most_bytes) {
    bytes -= runs_.front().bytes;
    runs_.pop_front();
  }
  values.resize(count);
  return values;
}

}  // namespace lockstep
