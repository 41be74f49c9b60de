#include "lockstep_agent.h"

#include <string.h>

#include "agent_messages.h"

enum {
  SYNC = 0,
  SYSTEM = 1,
  DISCONNECT = 2,
  NETWORK = 10,
  RUN = 11,
  READ = 20,
  WRITE = 21,
  CHECKSUM = 22
};
enum { OBSERVER = 1, READ_WRITE = 8, USB = 64 };

/* Payload of the large packets; 0: there are none. */
static uint32_t large(const lockstep_agent* a) {
  const uint32_t most =
      a->board->payload < LOCKSTEP_AGENT_PAYLOAD ? a->board->payload : LOCKSTEP_AGENT_PAYLOAD;
  return a->two_byte && most > 32u ? most : 0;
}

static int serve_sync(lockstep_agent* a) {
  Answer m = lockstep_wire_Answer_init_zero;
  const uint32_t runtime = a->network_count > 0 ? a->networks[0]->runtime_id : 1u;
  m.which_payload = lockstep_wire_Answer_sync_tag;
  m.payload.sync.version = LOCKSTEP_AGENT_VERSION;
  m.payload.sync.capability = OBSERVER | (a->board->memory ? READ_WRITE : 0u) |
                              LOCKSTEP_AGENT_CAP_CRC | (large(a) ? USB : 0u);
  m.payload.sync.has_runtime = true;
  m.payload.sync.runtime = runtime | 1u << 8 | 1u << 16;
  return agent_answer(a, &m, IDLE);
}

static int serve_system(lockstep_agent* a) {
  Answer m = lockstep_wire_Answer_init_zero;
  lockstep_wire_SystemInfo* s = &m.payload.system;
  word_list five, extra;
  const uint32_t payload = large(a);
  int sent;
  m.which_payload = lockstep_wire_Answer_system_tag;
  s->device = a->board->device_id;
  s->cpu_hz = a->board->cpu_hz;
  s->bus_hz = a->board->bus_hz;
  s->cache = a->board->cache;
  if (a->two_byte) {
    agent_give_words(&s->five, &five, &payload, 1);
    agent_give_words(&s->extra, &extra, a->board->extra, 4);
  } else {
    agent_give_words(&s->five, &five, a->board->extra, 4);
  }
  sent = agent_answer(a, &m, IDLE);
  if (sent == 0 && payload > 0) a->payload = payload;
  return sent;
}

static int serve_request(lockstep_agent* a, const Request* r) {
  switch (r->command) {
    case SYNC:
      return serve_sync(a);
    case SYSTEM:
      return serve_system(a);
    case NETWORK:
      return agent_serve_network(a, r);
    case RUN:
      return agent_serve_run(a, r);
    case READ:
      return agent_serve_read(a, r);
    case WRITE:
      return agent_serve_write(a, r);
    case CHECKSUM:
      return agent_serve_checksum(a, r);
    default:
      return agent_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  }
}

void lockstep_agent_init(lockstep_agent* agent, const lockstep_agent_board* board,
                         const lockstep_agent_network* const* networks, size_t network_count) {
  memset(agent, 0, sizeof *agent);
  agent->board = board;
  agent->networks = networks;
  agent->network_count = network_count;
  agent->two_byte = 1;
  lockstep_packets_reset(agent);
}

int lockstep_agent_serve(lockstep_agent* a, uint32_t wait_ms) {
  Request r = lockstep_wire_Request_init_zero;
  int got;
  a->closed = 0;
  got = a->restart ? 1
                   : lockstep_packets_begin(
                         a, wait_ms, 1); /* SYNC may have come in the place of another message */
  a->restart = 0;
  if (got <= 0) return a->closed ? -1 : 0;
  got = lockstep_packets_decode(a, lockstep_wire_Request_fields, &r, &r.has_crc, &r.crc);
  if (a->closed) return -1;
  if (got == 0) return 1;
  if (got == 2 && !(r.command == SYNC && !r.has_crc &&
                    r.id != 0)) { /* a host that starts over may not know of checks */
    a->id = r.id;
    (void)agent_ack(a, ERROR, 0, DAMAGED);
    return a->closed ? -1 : 1;
  }
  a->guarded = r.has_crc;
  a->id = r.id;
  if (r.command == DISCONNECT) {
    lockstep_packets_reset(a);
    a->guarded = 0;
    return 1;
  }
  (void)serve_request(a, &r);
  return a->closed ? -1 : 1;
}
