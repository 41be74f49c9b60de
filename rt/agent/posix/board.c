/* The agent's board on a PC: serves a generated network on a TCP port or a pty, so that a host can
   be tried without a device. Links with the generated network, its agent tables, agent_posix.c and
   nanopb. board             a pty, whose name is printed board PORT        127.0.0.1:PORT; 0: a
   free one */
#define _XOPEN_SOURCE 700

#include <stdio.h>
#include <stdlib.h>

#include "agent_posix.h"

const lockstep_agent_network* network_agent_network(void);

/* A process has no addresses to offer. */
static void* memory(void* self, uint32_t address, uint32_t size, int write) {
  (void)self;
  (void)address;
  (void)size;
  (void)write;
  return NULL;
}

static int open_link(lockstep_posix_link* link, int argc, char** argv) {
  char name[128];
  int port;
  if (argc > 1) {
    port = lockstep_posix_listen(link, atoi(argv[1]));
    return port < 0 ? -1 : printf("tcp:127.0.0.1:%d\n", port);
  }
  return lockstep_posix_pty(link, name, sizeof name) != 0 ? -1 : printf("serial:%s\n", name);
}

int main(int argc, char** argv) {
  static lockstep_agent agent;
  static lockstep_agent_board board;
  static lockstep_posix_link link;
  const lockstep_agent_network* const networks[] = {network_agent_network()};
  if (open_link(&link, argc, argv) < 0) {
    perror("board");
    return 1;
  }
  fflush(stdout);
  board.read = lockstep_posix_read;
  board.write = lockstep_posix_write;
  board.microseconds = lockstep_posix_microseconds;
  board.memory = memory;
  board.self = &link;
  board.cpu_hz = board.bus_hz = 1000000000u;
  board.payload = LOCKSTEP_AGENT_PAYLOAD > 32 ? LOCKSTEP_AGENT_PAYLOAD : 0;
  lockstep_agent_init(&agent, &board, networks, 1);
  while (lockstep_agent_serve(&agent, 1000) >= 0) {
  }
  return 0;
}
