#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "link/dialogue.h"

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Milliseconds pause{60};           // silence that ends an answer
constexpr Milliseconds step_wait{25};       // for one 0xAA after one byte
constexpr Milliseconds whole{60000};        // of a device that asks for packet after packet
constexpr Milliseconds stubborn{8000};      // of everything else
constexpr std::size_t plenty = std::size_t{1} << 16;

bool only_sync_bytes(const Bytes& bytes) {
  return !bytes.empty() && std::ranges::all_of(bytes, [](std::byte b) { return b == sync_byte; });
}

// The way from an unknown state to a device that answers SYNC (docs/protocol.md, "Finding the device").
class Establisher {
 public:
  explicit Establisher(Dialogue& d) : d_(d), start_(Clock::now()) {}

  Result<wire::Sync> run() {
    d_.protect(false);
    d_.doing("SYNC");
    LOCKSTEP_CHECK(drop_banner());
    // One try in the usual form, then what the bytes that came back ask for.
    d_.set_form({Framing::two_byte, 32});
    LOCKSTEP_TRY(const Bytes first, probe());
    if (const auto sync = sync_in(first)) return *sync;
    if (only_sync_bytes(first)) {
      LOCKSTEP_TRY(const auto quick, one_byte_device());
      if (quick) return *quick;
    }
    if (first.empty()) {
      LOCKSTEP_TRY(const auto large, large_packets());
      if (large) return *large;
    }
    LOCKSTEP_CHECK(fall_in_step());
    return converse();
  }

 private:
  bool late(Milliseconds limit) const { return Clock::now() - start_ > limit; }

  Error silent() const {
    return d_.broken("no answer, in none of the framings", "a device with validation firmware",
                     d_.is_serial() ? "is the baud rate the firmware's (115200 on most boards, 921600 on the STM32N6)? is the board running?" : "is the firmware running?");
  }

  Result<void> drop_banner() {
    LOCKSTEP_TRY(const Bytes banner, d_.collect(Milliseconds(100), Milliseconds(2000), plenty));
    (void)banner;  // a boot banner, or what was left of an earlier conversation
    return {};
  }

  // SYNC in the current form under a new id, and what comes back.
  Result<Bytes> probe() {
    wire::Request r;
    r.set_id(++id_);
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
    if (!a.ParsePartialFromArray(message.data(), static_cast<int>(message.size())) || !a.IsInitialized()) return std::nullopt;
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

  // A device left with large packets waits for the rest of one: zeros until it answers the probe. The size
  // of its answer is the size of its packets. Then DISCONNECT, which ends large packets.
  Result<std::optional<wire::Sync>> large_packets() {
    std::size_t sent = 34;
    Bytes got;
    const Bytes zeros(64);
    while (sent < 34 * 4) {  // a short way first: more would be felt by every silent port
      LOCKSTEP_CHECK(d_.write_raw(zeros));
      sent += zeros.size();
    }
    while (sent < 2 + 0x7FFF + zeros.size() && got.empty()) {
      LOCKSTEP_CHECK(d_.write_raw(zeros));
      sent += zeros.size();
      LOCKSTEP_TRY(got, d_.collect(Milliseconds(d_.is_serial() ? 12 : 4), Milliseconds(50), plenty));
      if (late(stubborn)) return silent();
    }
    LOCKSTEP_TRY(const Bytes more, d_.collect(pause * 4, Milliseconds(3000), plenty));
    got.insert(got.end(), more.begin(), more.end());
    if (got.empty()) return silent();
    if (got.size() < 3 || got[0] < std::byte{0x80}) return std::optional<wire::Sync>{};
    d_.set_form({Framing::two_byte, got.size() - 2});
    const std::size_t begun = sent % d_.form().size();  // of the next packet
    if (begun > 0) {
      LOCKSTEP_CHECK(d_.write_raw(Bytes(d_.form().size() - begun)));
      LOCKSTEP_TRY(const Bytes asked, d_.collect(d_.patience().sync, d_.patience().sync, 1));
      (void)asked;
    }
    if (!sync_in(got)) LOCKSTEP_CHECK(converse());  // the end of an earlier conversation
    LOCKSTEP_CHECK(disconnect());
    d_.set_form({Framing::two_byte, 32});
    LOCKSTEP_TRY(const Bytes again, probe());
    return sync_in(again);
  }

  Result<void> disconnect() {
    wire::Request leave;
    leave.set_id(++id_);
    leave.set_command(2);
    leave.set_param(0);
    leave.set_name("");
    leave.set_option(0);
    Bytes bytes(leave.ByteSizeLong());
    leave.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    LOCKSTEP_CHECK(d_.write_raw(packets_of(bytes, d_.form())));
    return drop_banner();
  }

  // Zeros one by one: the device asks for a packet (0xAA) after the last byte of each. The number of zeros
  // between two requests is the size of its packets, and so its framing.
  Result<std::size_t> zeros_until_asked(std::size_t most) {
    const Bytes zero(1);
    for (std::size_t i = 1; i <= most; ++i) {
      LOCKSTEP_CHECK(d_.write_raw(zero));
      LOCKSTEP_TRY(const Bytes got, d_.collect(step_wait, Milliseconds(500), plenty));
      if (!got.empty() && got.back() == sync_byte) return i;
      if (late(stubborn)) break;
    }
    return std::size_t{0};
  }

  Result<void> fall_in_step() {
    for (int attempt = 0; attempt < 3; ++attempt) {
      LOCKSTEP_TRY(const std::size_t first, zeros_until_asked(70));
      if (first == 0) return silent();
      LOCKSTEP_TRY(const std::size_t period, zeros_until_asked(70));
      if (period == 33) d_.set_form({Framing::one_byte, 32});
      if (period == 34) d_.set_form({Framing::two_byte, 32});
      if (period == 33 || period == 34) return {};
    }
    return d_.broken("the device asks for packets at no regular interval", "every 33 or 34 bytes", "noise on the line");
  }

  // In step: SYNC until it is answered. A device inside a message takes zeros until it has enough; one
  // that waits for an acknowledgement takes SYNC for it.
  Result<wire::Sync> converse() {
    Bytes zeros(d_.form().size());
    zeros[d_.form().header() - 1] = std::byte{32};
    for (Bytes got; !late(whole);) {
      if (only_sync_bytes(got)) {
        LOCKSTEP_CHECK(d_.write_raw(zeros));
        LOCKSTEP_TRY(got, answer_bytes());
        continue;
      }
      if (late(stubborn) && got.empty()) break;
      LOCKSTEP_TRY(got, probe());
      if (const auto sync = sync_in(got)) return *sync;
    }
    return d_.broken("the device stays in an earlier conversation", "an answer to SYNC", "reset the board");
  }

  Dialogue& d_;
  Clock::time_point start_;
  std::uint32_t id_ = 0x10000;
};

}  // namespace

Result<wire::Sync> establish(Dialogue& dialogue) { return Establisher(dialogue).run(); }

}  // namespace lockstep
