#pragma once

#include <algorithm>
#include <functional>
#include <memory>

#include "base/files.h"
#include "base/random.h"
#include "link/byte_stream.h"

namespace lockstep::test {

// What a bad line does to bytes, per byte and in both directions.
struct Noise {
  double drop = 0, twice = 0, insert = 0, flip = 0;
  std::uint64_t break_after = 0;  // bytes in both directions until the link is gone; 0: never
  std::uint64_t mute_after = 0;   // bytes until nothing arrives any more; 0: never
  std::uint64_t reset_after = 0;  // bytes until the device starts anew, with a banner; 0: never
  std::function<std::unique_ptr<ByteStream>()> reset = {};
  bool to_device = true, to_host = true;
};

// A stream with noise, seeded: the same bytes go wrong each time.
class NoisyStream : public ByteStream {
 public:
  NoisyStream(std::unique_ptr<ByteStream> stream, Noise noise, std::uint64_t seed)
      : stream_(std::move(stream)),
        noise_(std::move(noise)),
        random_(seed),
        name_(stream_->name()) {}

  const std::string& name() const override { return name_; }
  bool is_serial() const override { return false; }
  Moment now() const override { return stream_->now(); }

  Result<std::size_t> read(std::span<std::byte> into, Milliseconds wait) override {
    if (const Error* gone = broken()) return *gone;
    if (held_.empty() && noise_.reset_after && moved_ > noise_.reset_after) {
      noise_.reset_after = 0;
      stream_.reset();
      stream_ = noise_.reset();
      for (const char c : std::string_view("\r\n# network: ready\r\nProtocol version = 3.1\r\n"))
        held_.push_back(static_cast<std::byte>(c));
    } else if (held_.empty()) {
      const Moment end = now() + wait;
      for (std::size_t n = 1;
           n > 0 && held_.empty();) {  // bytes that are lost leave the rest of the time
        std::byte chunk[4096];
        LOCKSTEP_TRY(n, stream_->read(std::span(chunk),
                                      std::max(Milliseconds(0),
                                               std::chrono::ceil<Milliseconds>(end - now()))));
        held_ = noise_.to_host ? damaged(std::span(chunk, n)) : Bytes(chunk, chunk + n);
        if (noise_.mute_after && moved_ > noise_.mute_after) held_.clear();
        moved_ += n;
      }
    }
    const std::size_t n = std::min(into.size(), held_.size());
    std::copy_n(held_.begin(), n, into.begin());
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(n));
    return n;
  }

  Result<void> write(std::span<const std::byte> bytes, Milliseconds wait) override {
    if (const Error* gone = broken()) return *gone;
    if (noise_.break_after && moved_ + bytes.size() > noise_.break_after)
      bytes = bytes.first(noise_.break_after - moved_);
    moved_ += bytes.size();
    const Bytes sent = noise_.to_device ? damaged(bytes) : Bytes(bytes.begin(), bytes.end());
    return stream_->write(sent, wait);
  }

  std::uint64_t damages() const { return damages_; }
  void quiet() { noise_ = {}; }

 private:
  const Error* broken() {
    if (noise_.break_after == 0 || moved_ < noise_.break_after) return nullptr;
    error_ = link_error(name(), "the link broke off", "", "");
    return &error_;
  }

  Bytes damaged(std::span<const std::byte> bytes) {
    Bytes out;
    for (const std::byte b : bytes) {
      if (random_.unit() < noise_.drop) {
        ++damages_;
        continue;
      }
      std::byte sent = b;
      if (random_.unit() < noise_.flip) {
        ++damages_;
        sent ^= static_cast<std::byte>(1 << random_.between(0, 7));
      }
      out.push_back(sent);
      if (random_.unit() < noise_.twice) {
        ++damages_;
        out.push_back(sent);
      }
      if (random_.unit() < noise_.insert) {
        ++damages_;
        out.push_back(static_cast<std::byte>(random_.between(0, 255)));
      }
    }
    return out;
  }

  std::unique_ptr<ByteStream> stream_;
  Noise noise_;
  Random random_;
  std::string name_;
  Bytes held_;
  std::uint64_t moved_ = 0, damages_ = 0;
  Error error_;
};

}  // namespace lockstep::test
