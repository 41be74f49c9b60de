/* Messages over packets: what the services of the agent (run, memory, descriptions) send and
 * receive. */
#ifndef LOCKSTEP_AGENT_MESSAGES_H
#define LOCKSTEP_AGENT_MESSAGES_H

#include "agent_packets.h"
#include "wire.nanopb.h"

typedef lockstep_wire_Answer Answer;
typedef lockstep_wire_Request Request;

enum { IDLE = 0, WAITING = 1, PROCESSING = 2, DONE = 3, ERROR = 4 };
enum { INVALID_SIZE = 1, INVALID_PARAM = 4, MEM_OVERFLOW = 8, GENERIC = 10, DAMAGED = 32 };
enum {
  INPUT = 1,
  OUTPUT = 2,
  INTERNAL = 4,
  MEMPOOL = 8,
  LAST = 0x100,
  NO_DATA = 0x200
}; /* of a tensor */

typedef struct {
  const uint8_t* bytes;
  size_t size;
} span_out;

typedef struct {
  const uint32_t* words;
  size_t count;
} word_list;

/* At most size - 1 characters, always ended. */
void agent_copy_text(char* into, size_t size, const char* text);
/* Answers to the request being served. 0: sent. */
int agent_answer(lockstep_agent* a, Answer* m, uint32_t state);
int agent_ack(lockstep_agent* a, uint32_t state, uint32_t param, uint32_t error);
int agent_tensor(lockstep_agent* a, uint32_t state, const lockstep_agent_tensor* t, uint32_t flags);
/* The host's acknowledgement. 1: there. */
int agent_acknowledged(lockstep_agent* a);
/* One data message of at most `room` bytes into `into`; `got` is how many it had. 1: there; 0: the
 * transaction is over. */
int agent_receive(lockstep_agent* a, uint8_t* into, size_t room, size_t* got);

/* nanopb's callbacks, and what they are given. */
void agent_give_words(pb_callback_t* field, word_list* list, const uint32_t* words, size_t count);
bool agent_encode_bytes(pb_ostream_t* stream, const pb_field_t* field, void* const* arg);
void agent_describe(lockstep_wire_TensorDesc* d, word_list* dims, const lockstep_agent_tensor* t,
                    uint32_t flags);

/* Services. 0, or negative when the link is closed. */
int agent_serve_network(lockstep_agent* a, const Request* r);
int agent_serve_run(lockstep_agent* a, const Request* r);
int agent_serve_read(lockstep_agent* a, const Request* r);
int agent_serve_write(lockstep_agent* a, const Request* r);
int agent_serve_checksum(lockstep_agent* a, const Request* r);
/* The network of that name, or null. */
const lockstep_agent_network* agent_network_named(const lockstep_agent* a, const char* name);

#endif
