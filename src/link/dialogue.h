#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "link/frame.h"
#include "link/wire.pb.h"

namespace lockstep {

// How long the host waits for what. Each is a limit on silence, never on the whole of a long
// transfer.
struct Patience {
  Milliseconds sync{500};     // an answer to SYNC
  Milliseconds system{1000};  // an answer to SYS_INFO
  Milliseconds info{3000};    // answers that need no inference
  Milliseconds feeding{
      6500};  // all in all, a device that takes zeros for the rest of an earlier host's message
  Milliseconds result{9000};     // what an inference yields
  Milliseconds quiet{1000};      // between the bytes of one message
  Milliseconds sync_byte{5000};  // the request for the next packet
};

// A device's text without line ends, other bytes than printable ASCII shown as '?'.
std::string printable(std::string text);

// One side of the conversation: requests go out, answers come in, log messages are acknowledged and
// kept, ids and check fields compared. Every error names what was being done.
class Dialogue {
 public:
  Dialogue(std::unique_ptr<ByteStream> stream, Patience patience)
      : stream_(std::move(stream)), patience_(patience) {}

  const std::string& name() const { return stream_->name(); }
  const Patience& patience() const { return patience_; }
  bool is_serial() const { return stream_->is_serial(); }
  ByteStream::Moment now() const { return stream_->now(); }
  PacketForm form() const { return form_; }
  void set_form(PacketForm form) { form_ = form; }
  void protect(bool with_crc) { protect_ = with_crc; }
  bool is_protected() const { return protect_; }

  // What the next errors say was going on: "SYNC", "input 1 of 'network'".
  void doing(std::string what) { doing_ = std::move(what); }

  // Sends one message in the current form. Bytes that arrived unasked before are dropped.
  Result<void> send(const google::protobuf::MessageLite& message);
  // Sends a request under a new id, which the following answers must carry.
  Result<void> request(std::uint32_t command, std::uint32_t param, const std::string& name,
                       std::uint32_t option);
  Result<void> acknowledge();
  // The next answer that is no log.
  Result<wire::Answer> answer(Milliseconds wait);
  // The next answer, parsed but with nothing checked or acknowledged: for recovery.
  Result<wire::Answer> any_answer(Milliseconds wait);

  std::vector<std::string> take_logs() { return std::exchange(logs_, {}); }
  std::uint32_t id() const { return id_; }
  std::uint64_t dropped() const { return dropped_; }  // bytes that nobody had asked for
  // Whether the last request was answered by an error: the device is idle again.
  bool refused() const { return refused_; }
  void set_refused() { refused_ = true; }

  // The bare bytes, for detection and recovery.
  Result<void> write_raw(std::span<const std::byte> bytes) {
    return stream_->write(bytes, patience_.sync_byte);
  }
  // What arrives until `quiet` passes without a byte, `enough` bytes are there, or `limit` is over.
  Result<Bytes> collect(Milliseconds quiet, Milliseconds limit, std::size_t enough);
  Error broken(std::string what, std::string want = "", std::string hint = "") const;

 private:
  Result<Bytes> receive(Milliseconds wait);
  Result<void> fill(std::size_t bytes, Milliseconds wait, std::size_t packet);
  Result<wire::Answer> parse(Bytes message) const;
  std::size_t held() const { return arrived_.size() - read_; }

  std::unique_ptr<ByteStream> stream_;
  Patience patience_;
  PacketForm form_;
  bool protect_ = false, refused_ = false;
  std::uint32_t id_ = 0;
  std::string doing_;
  std::vector<std::string> logs_;
  Bytes arrived_;
  std::size_t read_ = 0;
  std::uint64_t dropped_ = 0;
};

// Finds out framing and packet size without resetting the board, frees a device that hangs in an
// earlier conversation, and leaves the dialogue in step. The answer to SYNC.
Result<wire::Sync> establish(Dialogue& dialogue);

}  // namespace lockstep
