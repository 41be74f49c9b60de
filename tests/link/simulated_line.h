#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "base/files.h"
#include "link/byte_stream.h"

namespace lockstep::test {

// A line between a host and a device in one process, on a clock of its own: while both ends wait,
// the clock jumps to the earlier one's deadline, so that minutes of silence cost nothing. Bytes
// take no time.
class SimulatedLine {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  enum Who { host, device };

  // As ByteStream::read; without `wait` for ever. Negative: the line is closed.
  long read(Who who, std::byte* into, std::size_t size, std::optional<Milliseconds> wait) {
    std::unique_lock lock(mutex_);
    Side &me = sides_[who], &other = sides_[1 - who];
    me.until = wait ? now_ + *wait : Moment::max();
    me.waits = true;
    changed_.notify_all();
    while (me.in.empty() && !closed_ && now_ < me.until) {
      const bool other_waits = other.waits && other.in.empty() && other.until > now_;
      if (who == host && !other.there)
        advance(me.until, lock);
      else if (other.there && other_waits)
        advance(std::min(me.until, other.until), lock);
      else
        changed_.wait(lock);
    }
    me.waits = false;
    if (me.in.empty()) return closed_ ? -1 : 0;
    std::size_t n = 0;
    for (; n < size && !me.in.empty(); ++n) {
      into[n] = me.in.front();
      me.in.pop_front();
    }
    return static_cast<long>(n);
  }

  void write(Who who, const std::byte* bytes, std::size_t size) {
    const std::lock_guard lock(mutex_);
    if (sides_[1 - who].there || who == host)
      sides_[1 - who].in.insert(sides_[1 - who].in.end(), bytes, bytes + size);
    changed_.notify_all();
  }

  // An end that is not there hears nothing; without a host, time stands still.
  void attach(Who who, bool there) {
    const std::lock_guard lock(mutex_);
    sides_[who].there = there;
    if (!there) sides_[who].waits = false;
    changed_.notify_all();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  Moment now() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }

 private:
  struct Side {
    std::deque<std::byte> in;
    Moment until{};
    bool waits = false, there = false;
  };

  void advance(Moment to, std::unique_lock<std::mutex>& lock) {
    if (to == Moment::max()) return changed_.wait(lock);
    now_ = to;
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Side sides_[2];
  Moment now_{};
  bool closed_ = false;
};

// The host's end, as the product sees it.
class SimulatedStream : public ByteStream {
 public:
  explicit SimulatedStream(std::shared_ptr<SimulatedLine> line, bool serial = false)
      : line_(std::move(line)), serial_(serial) {
    line_->attach(SimulatedLine::host, true);
  }
  ~SimulatedStream() override { line_->attach(SimulatedLine::host, false); }
  SimulatedStream(const SimulatedStream&) = delete;
  SimulatedStream& operator=(const SimulatedStream&) = delete;

  const std::string& name() const override { return name_; }
  bool is_serial() const override { return serial_; }
  Moment now() const override { return line_->now(); }
  Result<std::size_t> read(std::span<std::byte> into, Milliseconds wait) override {
    const long n = line_->read(SimulatedLine::host, into.data(), into.size(), wait);
    if (n < 0) return link_error(name_, "the other end closed the connection");
    return static_cast<std::size_t>(n);
  }
  Result<void> write(std::span<const std::byte> bytes, Milliseconds) override {
    line_->write(SimulatedLine::host, bytes.data(), bytes.size());
    return {};
  }

 private:
  std::shared_ptr<SimulatedLine> line_;
  bool serial_;
  std::string name_ = "simulated line";
};

}  // namespace lockstep::test
