#include "link/dialogue.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

namespace lockstep {
namespace {

constexpr std::size_t most_logs = 100000;  // of one request

Bytes serialized(const google::protobuf::MessageLite& message) {
  const google::protobuf::LogSilencer quiet;
  Bytes bytes(message.ByteSizeLong());
  message.SerializePartialToArray(bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

}  // namespace

std::string printable(std::string text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.pop_back();
  for (char& c : text)
    if (c < 0x20 || c > 0x7E) c = '?';
  return text;
}

Error Dialogue::broken(std::string what, std::string want, std::string hint) const {
  return link_error(name(), doing_.empty() ? std::move(what) : doing_ + ": " + what,
                    std::move(want), std::move(hint));
}

Result<Bytes> Dialogue::collect(Milliseconds quiet, Milliseconds limit, std::size_t enough) {
  const auto end = stream_->now() + limit;
  Bytes got(arrived_.begin() + static_cast<std::ptrdiff_t>(read_), arrived_.end());
  arrived_.clear();
  read_ = 0;
  std::array<std::byte, 4096> chunk;
  while (got.size() < enough && stream_->now() < end) {
    const auto left = std::chrono::ceil<Milliseconds>(end - stream_->now());
    LOCKSTEP_TRY(const std::size_t n,
                 stream_->read(std::span(chunk).first(std::min(chunk.size(), enough - got.size())),
                               std::min(quiet, left)));
    if (n == 0) break;
    got.insert(got.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return got;
}

Result<void> Dialogue::send(const google::protobuf::MessageLite& message) {
  Bytes bytes = serialized(message);
  if (protect_) append_crc(bytes);
  LOCKSTEP_TRY(const Bytes stray, collect(Milliseconds(0), Milliseconds(50), std::size_t{1} << 20));
  dropped_ += stray.size();
  const Bytes packets = packets_of(bytes, form_);
  const std::size_t count = packets.size() / form_.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) {
      LOCKSTEP_TRY(const Bytes asked, collect(patience_.sync_byte, patience_.sync_byte, 1));
      if (asked.empty())
        return broken(fmt::format("the device does not ask for packet {} of {}", i + 1, count),
                      fmt::format("the byte 0xAA within {} ms", patience_.sync_byte.count()),
                      "bytes were lost, or it stopped");
      if (asked[0] != sync_byte)
        return broken(fmt::format("byte {:#04x} in place of the request for packet {} of {}",
                                  static_cast<int>(asked[0]), i + 1, count),
                      "0xAA", "bytes were damaged, lost or doubled on the line");
    }
    LOCKSTEP_CHECK(write_raw(std::span(packets).subspan(i * form_.size(), form_.size())));
  }
  return {};
}

Result<void> Dialogue::request(std::uint32_t command, std::uint32_t param, const std::string& name,
                               std::uint32_t option) {
  logs_.clear();
  refused_ = false;
  wire::Request r;
  r.set_id(++id_);
  r.set_command(command);
  r.set_param(param);
  r.set_name(name);
  r.set_option(option);
  return send(r);
}

Result<void> Dialogue::acknowledge() {
  wire::Ack ack;
  ack.set_param(0);
  ack.set_error(0);
  return send(ack);
}

// Makes sure that `bytes` unread bytes are there.
Result<void> Dialogue::fill(std::size_t bytes, Milliseconds wait, std::size_t packet) {
  if (held() >= bytes) return {};
  arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(read_));
  read_ = 0;
  const std::size_t chunk = std::max<std::size_t>(bytes, 1 << 16);
  while (held() < bytes) {
    const std::size_t have = arrived_.size();
    arrived_.resize(have + chunk);
    const bool nothing_yet = have == 0 && packet == 0;
    const auto got =
        stream_->read(std::span(arrived_).subspan(have), nothing_yet ? wait : patience_.quiet);
    arrived_.resize(have + (got.ok() ? *got : 0));
    if (!got.ok()) return broken(got.error().what, got.error().want, got.error().hint);
    if (*got > 0) continue;
    if (nothing_yet) return broken("no answer", fmt::format("one within {} ms", wait.count()), "");
    return broken(fmt::format("the answer breaks off in packet {}, after {} of {} bytes",
                              packet + 1, have, bytes),
                  "", "bytes were lost on the line, or the device stopped");
  }
  return {};
}

Result<Bytes> Dialogue::receive(Milliseconds wait) {
  MessageReader reader(form_);
  for (;;) {
    LOCKSTEP_CHECK(fill(form_.size(), wait, reader.packets()));
    auto complete = reader.add(std::span(arrived_).subspan(read_, form_.size()));
    read_ += form_.size();
    if (!complete.ok())
      return broken(complete.error().what, complete.error().want,
                    "bytes were damaged or lost on the line");
    if (*complete) return reader.take();
  }
}

Result<wire::Answer> Dialogue::parse(Bytes message) const {
  const CrcState crc = crc_state(message);
  if (crc == CrcState::wrong || (crc == CrcState::absent && protect_))
    return broken(crc == CrcState::wrong ? "the answer arrived damaged (its CRC-32 differs)"
                                         : "the answer carries no CRC-32",
                  "every message of this device with its check field",
                  "noise on the line: shorter cable, lower rate");
  const google::protobuf::LogSilencer quiet;  // what is wrong with a text is said below
  wire::Answer a;
  if (!a.ParsePartialFromArray(message.data(), static_cast<int>(message.size())))
    return broken(fmt::format("{} bytes that are no message", message.size()),
                  "an answer of the protocol", "bytes were damaged or lost on the line");
  if (!a.IsInitialized() || a.payload_case() == wire::Answer::PAYLOAD_NOT_SET)
    return broken("an answer that lacks " + (a.IsInitialized() ? std::string("a payload")
                                                               : a.InitializationErrorString()),
                  "", "bytes were damaged, or a firmware of another version");
  return a;
}

Result<wire::Answer> Dialogue::any_answer(Milliseconds wait) {
  LOCKSTEP_TRY(Bytes message, receive(wait));
  return parse(std::move(message));
}

Result<wire::Answer> Dialogue::answer(Milliseconds wait) {
  for (;;) {
    LOCKSTEP_TRY(wire::Answer a, any_answer(wait));
    if (a.id() != id_)
      return broken(fmt::format("an answer to request {}", a.id()),
                    fmt::format("one to request {}", id_), "messages were lost or damaged");
    if (a.payload_case() != wire::Answer::kLog) return a;
    if (logs_.size() >= most_logs) return broken("log messages without end", "an answer", "");
    logs_.push_back(printable(a.log().text()));
    LOCKSTEP_CHECK(acknowledge());
  }
}

}  // namespace lockstep
