#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include "link/dialogue.h"

namespace lockstep {
namespace {

constexpr Milliseconds pause{60};       // silence that ends an answer
constexpr Milliseconds step_wait{25};   // for one 0xAA after one byte
constexpr Milliseconds quick_wait{8};   // the same where packets are large: never on a slow line
constexpr Milliseconds stubborn{6000};  // of silence and noise
constexpr std::size_t plenty = std::size_t{1} << 16;

bool only_sync_bytes(const Bytes& bytes) {
  return !bytes.empty() && std::ranges::all_of(bytes, [](std::byte b) { return b == sync_byte; });
}

// The way from an unknown state to a device that answers SYNC (docs/protocol.md, "Finding the
// device").
class Establisher {
 public:
  explicit Establisher(Dialogue& d) : d_(d), start_(d.now()) {}

  Result<wire::Sync> run() {
    d_.protect(false);
    d_.doing("SYNC");
    LOCKSTEP_CHECK(drop_banner());
    // One try in the usual form, then what the bytes that came back ask for.
    d_.set_form({Framing::two_byte, 32});
    LOCKSTEP_TRY(const Bytes first, probe());
    auto sync = sync_in(first);
    if (!sync && only_sync_bytes(first)) {
      LOCKSTEP_TRY(sync, one_byte_device());
    }
    if (!sync && first.empty()) {
      LOCKSTEP_TRY(sync, large_packets());
    }
    if (sync) {  // twice: the first may have been the end of an earlier host's, and the device is
                 // out of step
      LOCKSTEP_TRY(const Bytes again, probe());
      if (sync_in(again)) return *sync;
    }
    LOCKSTEP_CHECK(fall_in_step());
    return converse();
  }

 private:
  bool late(Milliseconds limit) const { return d_.now() - start_ > limit; }

  Error silent() const {
    return d_.broken("no answer, in none of the framings", "a device with validation firmware",
                     d_.is_serial() ? "is the baud rate the firmware's (115200 on most boards, "
                                      "921600 on the STM32N6)? is the board running?"
                                    : "is the firmware running?");
  }

  Result<void> drop_banner() {
    LOCKSTEP_TRY(const Bytes banner, d_.collect(Milliseconds(100), Milliseconds(2000), plenty));
    (void)banner;  // a boot banner, or what was left of an earlier conversation
    return {};
  }

  // One byte on the wire, and small: a device out of step may take it for a message's length.
  std::uint32_t next_id() { return id_ = id_ < 0x7F ? id_ + 1 : 0x41; }

  // SYNC in the current form under a new id, and what comes back.
  Result<Bytes> probe() {
    wire::Request r;
    r.set_id(next_id());
    r.set_command(0);
    r.set_param(0);
    r.set_name("");
    r.set_option(0);
    Bytes bytes(r.ByteSizeLong());
    r.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    LOCKSTEP_CHECK(d_.write_raw(packets_of(bytes, d_.form())));
    return answer_bytes();
  }

  // A whole packet, or what there is when it stays silent.
  Result<Bytes> answer_bytes() {
    LOCKSTEP_TRY(Bytes got, d_.collect(d_.patience().sync, d_.patience().sync, 1));
    if (got.empty()) return got;
    LOCKSTEP_TRY(const Bytes rest, d_.collect(pause, Milliseconds(2000), plenty));
    got.insert(got.end(), rest.begin(), rest.end());
    return got;
  }

  // The answer to the last probe among these bytes: the last packet that is one.
  std::optional<wire::Sync> sync_in(const Bytes& bytes) const {
    const std::size_t size = d_.form().size();
    if (bytes.size() < size) return std::nullopt;
    MessageReader reader(d_.form());
    const auto complete = reader.add(std::span(bytes).last(size));
    if (!complete.ok() || !*complete) return std::nullopt;
    const Bytes message = reader.take();
    wire::Answer a;
    if (crc_state(message) == CrcState::wrong) return std::nullopt;
    const google::protobuf::LogSilencer quiet;
    if (!a.ParsePartialFromArray(message.data(), static_cast<int>(message.size())) ||
        !a.IsInitialized())
      return std::nullopt;
    if (a.id() != id_ || a.payload_case() != wire::Answer::kSync) return std::nullopt;
    return a.sync();
  }

  // An idle device of the one-byte framing took the probe for an empty packet and one byte more.
  Result<std::optional<wire::Sync>> one_byte_device() {
    LOCKSTEP_CHECK(d_.write_raw(Bytes(32)));
    LOCKSTEP_TRY(const Bytes asked, answer_bytes());
    if (!only_sync_bytes(asked)) return std::optional<wire::Sync>{};
    d_.set_form({Framing::one_byte, 32});
    LOCKSTEP_TRY(const Bytes got, probe());
    return sync_in(got);
  }

  // A device left with large packets waits for the rest of one: zeros until it answers the probe.
  // The size of its answer is the size of its packets, in which the conversation goes on.
  Result<std::optional<wire::Sync>> large_packets() {
    std::size_t sent = 34;
    Bytes got;
    while (sent < 34 * 4)
      LOCKSTEP_CHECK(feed(64, sent));  // a short way first: more would be felt by every silent port
    while (sent < 2 + 0x7FFF + 64 && got.empty()) {
      LOCKSTEP_CHECK(feed(64, sent));
      LOCKSTEP_TRY(got,
                   d_.collect(Milliseconds(d_.is_serial() ? 12 : 4), Milliseconds(50), plenty));
      if (late(stubborn)) return silent();
    }
    LOCKSTEP_TRY(const Bytes more, d_.collect(pause * 4, Milliseconds(3000), plenty));
    got.insert(got.end(), more.begin(), more.end());
    if (got.empty()) return silent();
    if (got.size() < 10) return std::optional<wire::Sync>{};
    d_.set_form({Framing::two_byte, got.size() - 2});
    const auto sync = sync_in(got);
    if (!sync) return std::optional<wire::Sync>{};
    if (const std::size_t begun = sent % d_.form().size(); begun > 0) {  // of an empty packet
      LOCKSTEP_CHECK(feed(d_.form().size() - begun, sent));
      LOCKSTEP_TRY(const Bytes asked, d_.collect(d_.patience().sync, d_.patience().sync, 1));
      (void)asked;
    }
    return sync;
  }

  Result<void> feed(std::size_t zeros, std::size_t& sent) {
    sent += zeros;
    return d_.write_raw(Bytes(zeros));
  }

  // Zeros in pieces: the device asks for a packet (0xAA) after the last byte of each. How many it
  // took, or 0 when it never asked.
  Result<std::size_t> zeros_until_asked(std::size_t piece, std::size_t most, Milliseconds wait) {
    for (std::size_t sent = 0; sent < most;) {
      LOCKSTEP_CHECK(feed(piece, sent));
      LOCKSTEP_TRY(const Bytes got, d_.collect(wait, Milliseconds(500), plenty));
      if (!got.empty() && got.back() == sync_byte) return sent;
      if (late(stubborn)) break;
    }
    return std::size_t{0};
  }

  // As many zeros at once as surely fit, then one by one: to the next request of a device whose
  // packets have about that size.
  Result<std::size_t> zeros_near(std::size_t about) {
    std::size_t sent = 0;
    LOCKSTEP_CHECK(feed(about > 80 ? about - 80 : 1, sent));
    LOCKSTEP_TRY(const Bytes got, d_.collect(quick_wait, Milliseconds(500), plenty));
    if (!got.empty()) return std::size_t{0};
    LOCKSTEP_TRY(const std::size_t more, zeros_until_asked(1, 160, quick_wait));
    return more == 0 ? 0 : sent + more;
  }

  // The number of zeros between two requests is the size of the device's packets, and so its
  // framing; after a request it stands at the beginning of one.
  Result<void> fall_in_step() {
    for (int attempt = 0; attempt < 3 && !late(stubborn); ++attempt) {
      LOCKSTEP_TRY(const std::size_t first, zeros_until_asked(1, 70, step_wait));
      std::size_t period = 0;
      if (first > 0) {
        LOCKSTEP_TRY(period, zeros_until_asked(1, 70, step_wait));
      } else {
        d_.set_form(
            {Framing::two_byte,
             32});  // a device that drops what it takes for noise listens again after a silence
        LOCKSTEP_CHECK(drop_banner());
        LOCKSTEP_TRY(const Bytes heard, probe());
        if (sync_in(heard)) return {};
        LOCKSTEP_TRY(const std::size_t some, zeros_until_asked(64, 0x7FFF + 128, quick_wait));
        if (some == 0) return silent();
        LOCKSTEP_TRY(const std::size_t about, zeros_until_asked(64, 0x7FFF + 128, quick_wait));
        LOCKSTEP_TRY(const std::size_t there, zeros_near(about));
        if (about == 0 || there == 0) continue;
        LOCKSTEP_TRY(period, zeros_near(about));
      }
      if (period == 33) d_.set_form({Framing::one_byte, 32});
      if (period >= 10 && period != 33) d_.set_form({Framing::two_byte, period - 2});
      if (period >= 10) return {};
    }
    return d_.broken("the device asks for packets at no regular interval",
                     "the same number of bytes each time", "noise on the line");
  }

  // In step: SYNC until it is answered. A device inside a message takes zeros until it has enough;
  // one that waits for an acknowledgement takes SYNC for it.
  Result<wire::Sync> converse() {
    Bytes zeros(d_.form().size());
    zeros[d_.form().header() - 1] = static_cast<std::byte>(d_.form().payload & 0xFF);
    if (d_.form().framing == Framing::two_byte)
      zeros[0] = static_cast<std::byte>(d_.form().payload >> 8);
    int probes = 0;  // a device that came into step late is worth a few, whatever the time
    for (Bytes got; !late(d_.patience().feeding);) {
      if (only_sync_bytes(got)) {
        fed_ += d_.form().payload;
        LOCKSTEP_CHECK(d_.write_raw(zeros));
        LOCKSTEP_TRY(got, d_.collect(d_.patience().sync, d_.patience().sync, 1));
        if (got.empty() || only_sync_bytes(got))
          continue;  // no pause between packets: there may be thousands
        LOCKSTEP_TRY(const Bytes rest, d_.collect(pause, Milliseconds(2000), plenty));
        got.insert(got.end(), rest.begin(), rest.end());
        continue;
      }
      if (late(stubborn) && got.empty() && probes >= 4) break;
      LOCKSTEP_TRY(got, probe());
      ++probes;
      if (const auto sync = sync_in(got)) return *sync;
    }
    if (fed_ > 0)
      return d_.broken(fmt::format("the device is inside a message of an earlier host and has "
                                   "taken {} zeros as its rest so far",
                                   fed_),
                       "the end of that message",
                       "run again: it goes on where it stands; ,patience=SECONDS allows more at "
                       "once; or reset the board");
    return d_.broken("the device stays in an earlier conversation", "an answer to SYNC",
                     "reset the board");
  }

  Dialogue& d_;
  ByteStream::Moment start_;
  std::size_t fed_ = 0;  // bytes of zeros that a message was given
  std::uint32_t id_ = 0x40;
};

}  // namespace

Result<wire::Sync> establish(Dialogue& dialogue) {
  return Establisher(dialogue).run();
}

}  // namespace lockstep
