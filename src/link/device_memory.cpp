#include <algorithm>

#include <fmt/format.h>

#include "link/device_state.h"

namespace lockstep {
namespace {

Result<void> offered(const Device::State& s) {
  if (s.info.can(Capability::read_write)) return {};
  return Error{s.dialogue.name(), "this firmware does not give access to memory",
               "Lockstep's agent, or gdb:HOST:PORT", "stock firmware leaves it out"};
}

}  // namespace

Result<Bytes> Device::read_memory(std::uint32_t address, std::uint32_t size) {
  LOCKSTEP_CHECK(offered(*state_));
  Dialogue& d = state_->dialogue;
  d.doing(fmt::format("MEMORY_READ of {} bytes at {:#010x}", size, address));
  LOCKSTEP_CHECK(d.request(command::read, address, "", size));
  LOCKSTEP_TRY(const wire::Answer ready, expect(d, wire::Answer::kAck, d.patience().info));
  Bytes read;
  for (bool more = ready.state() != state::done; more;) {
    LOCKSTEP_TRY(const wire::Answer a, expect(d, wire::Answer::kData, d.patience().info));
    const Bytes chunk = bytes_of(a.data().bytes());
    if (chunk.size() != a.data().size() || read.size() + chunk.size() > size || chunk.empty())
      return d.broken(fmt::format("a piece of {} bytes after {}", chunk.size(), read.size()),
                      fmt::format("{} bytes in all", size));
    read.insert(read.end(), chunk.begin(), chunk.end());
    more = a.state() != state::done;
    if (more) LOCKSTEP_CHECK(d.acknowledge());
  }
  if (read.size() != size)
    return d.broken(fmt::format("{} bytes", read.size()), fmt::format("{}", size));
  return read;
}

Result<void> Device::write_memory(std::uint32_t address, std::span<const std::byte> bytes) {
  LOCKSTEP_CHECK(offered(*state_));
  Dialogue& d = state_->dialogue;
  d.doing(fmt::format("MEMORY_WRITE of {} bytes at {:#010x}", bytes.size(), address));
  LOCKSTEP_CHECK(d.request(command::write, address, "", static_cast<std::uint32_t>(bytes.size())));
  LOCKSTEP_TRY(const wire::Answer ready, expect(d, wire::Answer::kAck, d.patience().info));
  const std::size_t most = ready.ack().param();
  if (!bytes.empty() && most == 0)
    return d.broken("the device takes pieces of 0 bytes", "1 or more");
  for (std::size_t at = 0; at < bytes.size();) {
    const auto chunk = bytes.subspan(at, std::min(most, bytes.size() - at));
    wire::Data data;
    data.set_type(0);
    data.set_size(static_cast<std::uint32_t>(chunk.size()));
    data.set_address(address + static_cast<std::uint32_t>(at));
    data.set_bytes(chunk.data(), chunk.size());
    LOCKSTEP_CHECK(d.send(data));
    LOCKSTEP_TRY(const wire::Answer a, expect(d, wire::Answer::kAck, d.patience().info));
    if (a.ack().param() != bsd_checksum(chunk))
      return d.broken(
          fmt::format("the device received other bytes (checksum {:#06x})", a.ack().param()),
          fmt::format("{:#06x}", bsd_checksum(chunk)), "noise on the line");
    at += chunk.size();
  }
  return {};
}

Result<std::uint16_t> Device::checksum(std::uint32_t address, std::uint32_t size) {
  LOCKSTEP_CHECK(offered(*state_));
  Dialogue& d = state_->dialogue;
  d.doing(fmt::format("MEMORY_CHECKSUM of {} bytes at {:#010x}", size, address));
  LOCKSTEP_CHECK(d.request(command::checksum, address, "", size));
  LOCKSTEP_TRY(const wire::Answer a, expect(d, wire::Answer::kAck, d.patience().result));
  return static_cast<std::uint16_t>(a.ack().param());
}

}  // namespace lockstep
