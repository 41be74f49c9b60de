#include "agent_messages.h"

#include <string.h>

#define ANSWER_MS 5000u /* for the host's next message inside a transaction */

void agent_copy_text(char* into, size_t size, const char* text) {
  size_t n = text ? strlen(text) : 0;
  if (n >= size) n = size - 1;
  if (n > 0) memcpy(into, text, n);
  into[n] = '\0';
}

int agent_answer(lockstep_agent* a, Answer* m, uint32_t state) {
  m->id = a->id;
  m->state = state;
  m->has_crc = false;
  return lockstep_packets_encode(a, lockstep_wire_Answer_fields, m);
}

int agent_ack(lockstep_agent* a, uint32_t state, uint32_t param, uint32_t error) {
  Answer m = lockstep_wire_Answer_init_zero;
  m.which_payload = lockstep_wire_Answer_ack_tag;
  m.payload.ack.param = param;
  m.payload.ack.error = error;
  return agent_answer(a, &m, state);
}

int agent_acknowledged(lockstep_agent* a) {
  lockstep_wire_Ack ack = lockstep_wire_Ack_init_zero;
  if (lockstep_packets_begin(a, ANSWER_MS, 0) <= 0) return 0;
  return lockstep_packets_decode(a, lockstep_wire_Ack_fields, &ack, &ack.has_crc, &ack.crc) != 0;
}

/* One field per word: the protocol does not pack them. */
static bool encode_words(pb_ostream_t* stream, const pb_field_t* field, void* const* arg) {
  const word_list* list = (const word_list*)*arg;
  size_t i;
  for (i = 0; i < list->count; ++i)
    if (!pb_encode_tag_for_field(stream, field) || !pb_encode_varint(stream, list->words[i]))
      return false;
  return true;
}

void agent_give_words(pb_callback_t* field, word_list* list, const uint32_t* words, size_t count) {
  list->words = words;
  list->count = count;
  field->funcs.encode = &encode_words;
  field->arg = list;
}

bool agent_encode_bytes(pb_ostream_t* stream, const pb_field_t* field, void* const* arg) {
  const span_out* s = (const span_out*)*arg;
  return pb_encode_tag_for_field(stream, field) && pb_encode_string(stream, s->bytes, s->size);
}

void agent_describe(lockstep_wire_TensorDesc* d, word_list* dims, const lockstep_agent_tensor* t,
                    uint32_t flags) {
  const uint32_t rank = t->rank & ~LOCKSTEP_CHANNELS_LAST;
  uint32_t i, count = 1;
  memset(d, 0, sizeof *d);
  agent_copy_text(d->name, sizeof d->name, t->name);
  d->format = t->format;
  d->rank = rank;
  agent_give_words(&d->dims, dims, t->dims, rank);
  for (i = 0; i < rank; ++i) count *= t->dims[i];
  d->size = count;
  d->scale = t->scale;
  d->zero = t->zero;
  d->address = t->address;
  d->flags = rank == t->rank ? flags : flags | 0x10000u; /* a bit that other clients do not know */
}

int agent_tensor(lockstep_agent* a, uint32_t state, const lockstep_agent_tensor* t,
                 uint32_t flags) {
  Answer m = lockstep_wire_Answer_init_zero;
  const int with_data = (flags & NO_DATA) == 0;
  span_out bytes;
  word_list dims;
  bytes.bytes = (const uint8_t*)t->data;
  bytes.size = with_data ? t->bytes : 0;
  m.which_payload = lockstep_wire_Answer_tensor_tag;
  agent_describe(&m.payload.tensor.desc, &dims, t, flags);
  m.payload.tensor.data.size = (uint32_t)bytes.size;
  m.payload.tensor.data.address = t->address;
  m.payload.tensor.data.bytes.funcs.encode = &agent_encode_bytes;
  m.payload.tensor.data.bytes.arg = &bytes;
  return agent_answer(a, &m, state);
}

typedef struct {
  uint8_t* into;
  size_t room, got;
} span_in;

static bool decode_bytes(pb_istream_t* stream, const pb_field_t* field, void** arg) {
  span_in* s = (span_in*)*arg;
  size_t n = stream->bytes_left;
  (void)field;
  s->got = n;
  if (n > s->room) return pb_read(stream, NULL, n);
  return pb_read(stream, s->into, n);
}

int agent_receive(lockstep_agent* a, uint8_t* into, size_t room, size_t* got) {
  lockstep_wire_Data data = lockstep_wire_Data_init_zero;
  span_in s;
  int decoded;
  s.into = into;
  s.room = room;
  s.got = 0;
  data.bytes.funcs.decode = &decode_bytes;
  data.bytes.arg = &s;
  if (lockstep_packets_begin(a, ANSWER_MS, 0) <= 0) return 0;
  decoded = lockstep_packets_decode(a, lockstep_wire_Data_fields, &data, &data.has_crc, &data.crc);
  if (decoded == 2) (void)agent_ack(a, ERROR, 0, DAMAGED);
  *got = s.got;
  return decoded == 1;
}
