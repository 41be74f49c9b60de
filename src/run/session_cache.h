#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "run/capture.h"
#include "run/session.h"

namespace lockstep {

// Threads that a session uses when nobody says otherwise: 1 until set.
void set_default_threads(int threads);
int default_threads();

// Sessions that wait for the next run with the same goals, and what unchanged runs made. Safe for
// several threads: a session that is leased is in nobody else's hands.
class SessionCache {
 public:
  class Lease {
   public:
    Lease(SessionCache& home, Session::Options key, std::unique_ptr<Session> session)
        : home_(&home), key_(std::move(key)), session_(std::move(session)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = default;
    ~Lease();
    Session& session() { return *session_; }

   private:
    SessionCache* home_;
    Session::Options key_;
    std::unique_ptr<Session> session_;
  };

  Result<Lease> take(const Graph& graph, const Numerics& num, const NodeKernels& kernels,
                     Session::Options options);

  // What unchanged runs made of the latest inputs, within a budget of bytes.
  using Values = std::vector<std::shared_ptr<const Tensor>>;
  // Empty unless all `ids` of a run over these inputs are at hand.
  Values kept(const Sample& inputs, std::span<const ValueId> ids) const;
  // Keeps `made`, values by `ids`; returns the first `count` of them.
  Values keep(const Sample& inputs, std::span<const ValueId> ids, std::vector<Tensor> made,
              std::size_t count);

 private:
  struct Run {
    Sample inputs;
    std::map<ValueId, std::shared_ptr<const Tensor>> values;
    std::size_t bytes = 0;
  };
  struct Entry {
    Session::Options key;
    std::unique_ptr<Session> session;
  };
  void give_back(Session::Options key, std::unique_ptr<Session> session);

  mutable std::mutex mutex_;
  std::deque<Run> runs_;        // the latest stands last
  std::vector<Entry> waiting_;  // the one used last stands last
};

}  // namespace lockstep
