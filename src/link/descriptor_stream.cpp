#include "link/descriptor_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;

Milliseconds until(Clock::time_point end) {
  return std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(end - Clock::now()));
}

bool is_socket(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

Error link_error(std::string where, std::string what, std::string want, std::string hint) {
  return Error{std::move(where), std::move(what), std::move(want), std::move(hint), Blame::target};
}

DescriptorStream::DescriptorStream(int descriptor, std::string name, bool serial)
    : descriptor_(descriptor),
      name_(std::move(name)),
      serial_(serial),
      socket_(is_socket(descriptor)) {
  fcntl(descriptor_, F_SETFL, fcntl(descriptor_, F_GETFL) | O_NONBLOCK);
}

DescriptorStream::~DescriptorStream() {
  close(descriptor_);
}

Result<std::size_t> DescriptorStream::read(std::span<std::byte> into, Milliseconds wait) {
  const auto end = Clock::now() + wait;
  for (;;) {
    const ssize_t got = ::read(descriptor_, into.data(), into.size());
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0)
      return serial_ ? link_error(name_, "the port hung up", "", "is it still plugged in?")
                     : link_error(name_, "the other end closed the connection", "",
                                  "is the device still running?");
    if (got < 0 && errno != EAGAIN && errno != EINTR)
      return link_error(name_,
                        fmt::format("the link broke off while reading: {}", std::strerror(errno)),
                        "", "is it still plugged in?");
    const Milliseconds left = until(end);
    if (left.count() == 0) return std::size_t{0};
    pollfd ready{descriptor_, POLLIN, 0};
    poll(&ready, 1, static_cast<int>(left.count()));
  }
}

Result<void> DescriptorStream::write(std::span<const std::byte> bytes, Milliseconds wait) {
  const auto end = Clock::now() + wait;
  while (!bytes.empty()) {
    const ssize_t put = socket_ ? send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                                : ::write(descriptor_, bytes.data(), bytes.size());
    if (put > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(put));
      continue;
    }
    if (put < 0 && errno != EAGAIN && errno != EINTR)
      return link_error(name_,
                        fmt::format("the link broke off while writing: {}", std::strerror(errno)),
                        "", "is it still plugged in?");
    const Milliseconds left = until(end);
    if (left.count() == 0)
      return link_error(name_, fmt::format("the device takes no bytes ({} left)", bytes.size()),
                        fmt::format("all of them within {} ms", wait.count()), "");
    pollfd ready{descriptor_, POLLOUT, 0};
    poll(&ready, 1, static_cast<int>(left.count()));
  }
  return {};
}

std::unique_ptr<ByteStream> adopt_descriptor(int descriptor, std::string name) {
  return std::make_unique<DescriptorStream>(descriptor, std::move(name));
}

}  // namespace lockstep
