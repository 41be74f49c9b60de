#include "agent_messages.h"

#define MEMORY_CHUNK 1024u

static uint16_t checksum(const uint8_t* bytes, size_t size) {
  uint32_t sum = 0;
  while (size-- > 0) sum = ((sum >> 1 | (sum & 1u) << 15) + *bytes++) & 0xFFFFu;
  return (uint16_t)sum;
}

static uint8_t* memory_at(const lockstep_agent* a, const Request* r, int write) {
  if (!a->board->memory || r->option > UINT32_MAX - r->param) return NULL;
  return (uint8_t*)a->board->memory(a->board->self, r->param, r->option, write);
}

int agent_serve_read(lockstep_agent* a, const Request* r) {
  const uint8_t* bytes = memory_at(a, r, 0);
  uint32_t at = 0, n = r->option < MEMORY_CHUNK ? r->option : MEMORY_CHUNK;
  if (!bytes) return agent_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  if (agent_ack(a, r->option ? PROCESSING : DONE, n, 0) != 0) return -1;
  while (at < r->option) {
    Answer m = lockstep_wire_Answer_init_zero;
    span_out piece;
    const int last = r->option - at <= MEMORY_CHUNK;
    piece.bytes = bytes + at;
    piece.size = n = last ? r->option - at : MEMORY_CHUNK;
    m.which_payload = lockstep_wire_Answer_data_tag;
    m.payload.data.size = n;
    m.payload.data.address = r->param + at;
    m.payload.data.bytes.funcs.encode = &agent_encode_bytes;
    m.payload.data.bytes.arg = &piece;
    if (agent_answer(a, &m, last ? DONE : PROCESSING) != 0) return -1;
    if (!last && !agent_acknowledged(a)) return 0;
    at += n;
  }
  return 0;
}

int agent_serve_write(lockstep_agent* a, const Request* r) {
  uint8_t* bytes = memory_at(a, r, 1);
  uint32_t at = 0;
  if (!bytes) return agent_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  if (agent_ack(a, r->option ? WAITING : DONE, r->option < MEMORY_CHUNK ? r->option : MEMORY_CHUNK,
                0) != 0)
    return -1;
  while (at < r->option) {
    size_t got = 0;
    const size_t room = r->option - at < MEMORY_CHUNK ? r->option - at : MEMORY_CHUNK;
    if (!agent_receive(a, bytes + at, room, &got)) return 0;
    if (got > room) return agent_ack(a, ERROR, (uint32_t)(got - room), MEM_OVERFLOW);
    if (got == 0) return agent_ack(a, ERROR, 0, INVALID_SIZE);
    at += (uint32_t)got;
    if (agent_ack(a, at < r->option ? WAITING : DONE, checksum(bytes + at - got, got), 0) != 0)
      return -1;
  }
  return 0;
}

int agent_serve_checksum(lockstep_agent* a, const Request* r) {
  const uint8_t* bytes = memory_at(a, r, 0);
  if (!bytes) return agent_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  return agent_ack(a, DONE, checksum(bytes, r->option), 0);
}
