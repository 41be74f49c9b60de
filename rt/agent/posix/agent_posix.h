/* The agent's board on a PC: bytes over a TCP connection or a pty. */
#ifndef LOCKSTEP_AGENT_POSIX_H
#define LOCKSTEP_AGENT_POSIX_H

#include "../lockstep_agent.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int listener;   /* -1: a pty */
  int descriptor; /* -1: no host is connected */
  int stop[2];    /* a pipe; a byte in it ends every wait */
} lockstep_posix_link;

/* Listens on 127.0.0.1; port 0 takes a free one. The port, or -1. */
int lockstep_posix_listen(lockstep_posix_link* link, int port);
/* Opens a pty; `name` receives its other end. 0, or -1. */
int lockstep_posix_pty(lockstep_posix_link* link, char* name, size_t size);
/* Ends every wait of another thread; reads say closed from now on. */
void lockstep_posix_stop(lockstep_posix_link* link);
void lockstep_posix_close(lockstep_posix_link* link);

/* For lockstep_agent_board: `self` is the link. A host that goes away leaves the agent waiting for
 * the next one. */
long lockstep_posix_read(void* self, uint8_t* into, size_t size, uint32_t wait_ms);
int lockstep_posix_write(void* self, const uint8_t* bytes, size_t size);
uint32_t lockstep_posix_microseconds(void* self);

#ifdef __cplusplus
}
#endif

#endif
