#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "link/descriptor_stream.h"

namespace lockstep {
namespace {

// The connected descriptor, or -1 with errno set.
int connect_to(const addrinfo& address, Milliseconds wait) {
  const int descriptor = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  int failure = connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (failure == EINPROGRESS) {
    pollfd ready{descriptor, POLLOUT, 0};
    failure = ETIMEDOUT;
    socklen_t size = sizeof failure;
    if (poll(&ready, 1, static_cast<int>(wait.count())) > 0)
      getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size);
  }
  if (failure == 0) {
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
  }
  close(descriptor);
  errno = failure;
  return -1;
}

}  // namespace

Result<std::unique_ptr<ByteStream>> open_tcp(const std::string& host, const std::string& port,
                                             Milliseconds wait) {
  const std::string name = "tcp:" + host + ":" + port;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); code != 0)
    return link_error(name, fmt::format("no such host or port: {}", gai_strerror(code)),
                      "tcp:HOST:PORT", "");
  int descriptor = -1, reason = ECONNREFUSED;
  for (const addrinfo* a = found; a && descriptor < 0; a = a->ai_next)
    if ((descriptor = connect_to(*a, wait)) < 0) reason = errno;
  freeaddrinfo(found);
  if (descriptor < 0)
    return link_error(name, fmt::format("cannot be reached: {}", std::strerror(reason)),
                      "a device that listens there", "");
  return std::unique_ptr<ByteStream>(std::make_unique<DescriptorStream>(descriptor, name));
}

}  // namespace lockstep
