#define _XOPEN_SOURCE 700

#include "agent_posix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int prepare(lockstep_posix_link* link) {
  link->listener = link->descriptor = -1;
  return pipe(link->stop);
}

int lockstep_posix_listen(lockstep_posix_link* link, int port) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  const int on = 1;
  if (prepare(link) != 0) return -1;
  link->listener = socket(AF_INET, SOCK_STREAM, 0);
  if (link->listener < 0) return -1;
  setsockopt(link->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)port);
  if (bind(link->listener, (const struct sockaddr*)&address, size) != 0 ||
      listen(link->listener, 1) != 0 ||
      getsockname(link->listener, (struct sockaddr*)&address, &size) != 0)
    return -1;
  return ntohs(address.sin_port);
}

int lockstep_posix_pty(lockstep_posix_link* link, char* name, size_t size) {
  struct termios t;
  const char* other;
  int end;
  if (prepare(link) != 0) return -1;
  link->descriptor = posix_openpt(O_RDWR | O_NOCTTY);
  if (link->descriptor < 0 || grantpt(link->descriptor) != 0 || unlockpt(link->descriptor) != 0)
    return -1;
  other = ptsname(link->descriptor);
  if (!other || strlen(other) >= size) return -1;
  strcpy(name, other);
  end = open(name, O_RDWR | O_NOCTTY); /* kept open: the pty stays when a host leaves */
  if (end < 0 || tcgetattr(end, &t) != 0) return -1;
  t.c_iflag = t.c_oflag = t.c_lflag = 0;
  return tcsetattr(end, TCSANOW, &t);
}

void lockstep_posix_stop(lockstep_posix_link* link) {
  const char byte = 0;
  (void)!write(link->stop[1], &byte, 1);
}

void lockstep_posix_close(lockstep_posix_link* link) {
  if (link->descriptor >= 0) close(link->descriptor);
  if (link->listener >= 0) close(link->listener);
  close(link->stop[0]);
  close(link->stop[1]);
  link->descriptor = link->listener = -1;
}

static void accept_host(lockstep_posix_link* link) {
  const int on = 1;
  link->descriptor = accept(link->listener, NULL, NULL);
  if (link->descriptor >= 0) setsockopt(link->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

long lockstep_posix_read(void* self, uint8_t* into, size_t size, uint32_t wait_ms) {
  lockstep_posix_link* link = (lockstep_posix_link*)self;
  struct pollfd ready[2];
  ssize_t got;
  ready[0].fd = link->descriptor >= 0 ? link->descriptor : link->listener;
  ready[1].fd = link->stop[0];
  ready[0].events = ready[1].events = POLLIN;
  ready[0].revents = ready[1].revents = 0;
  if (poll(ready, 2, (int)wait_ms) <= 0) return 0;
  if (ready[1].revents) return -1;
  if (link->descriptor < 0) {
    accept_host(link);
    return 0;
  }
  got = read(link->descriptor, into, size);
  if (got > 0) return (long)got;
  if (link->listener >= 0) { /* the host is gone: the agent waits as a board would */
    close(link->descriptor);
    link->descriptor = -1;
  }
  return 0;
}

int lockstep_posix_write(void* self, const uint8_t* bytes, size_t size) {
  lockstep_posix_link* link = (lockstep_posix_link*)self;
  while (size > 0 && link->descriptor >= 0) {
    const ssize_t put = link->listener >= 0 ? send(link->descriptor, bytes, size, MSG_NOSIGNAL)
                                            : write(link->descriptor, bytes, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return 0; /* nobody listens: lost, as on a cable */
    bytes += put;
    size -= (size_t)put;
  }
  return 0;
}

uint32_t lockstep_posix_microseconds(void* self) {
  struct timespec t;
  (void)self;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint32_t)((uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u);
}
