#pragma once

#include <mutex>

#include "run/session.h"

namespace lockstep {

// Threads that a session uses when nobody says otherwise: 1 until set.
void set_default_threads(int threads);
int default_threads();

// Sessions that wait for the next run with the same goals. Safe for several threads: a session that
// is leased is in nobody else's hands.
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

 private:
  struct Entry {
    Session::Options key;
    std::unique_ptr<Session> session;
  };
  void give_back(Session::Options key, std::unique_ptr<Session> session);

  std::mutex mutex_;
  std::vector<Entry> waiting_;  // the one used last stands last
};

}  // namespace lockstep
