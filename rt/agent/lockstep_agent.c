#include "lockstep_agent.h"

#include <string.h>

#include "agent_packets.h"
#include "wire.nanopb.h"

typedef lockstep_wire_Answer Answer;
typedef lockstep_wire_Request Request;

#define ANSWER_MS 5000u /* for the host's next message inside a transaction */
#define MEMORY_CHUNK 1024u

enum { SYNC = 0, SYSTEM = 1, DISCONNECT = 2, NETWORK = 10, RUN = 11, READ = 20, WRITE = 21, CHECKSUM = 22 };
enum { IDLE = 0, WAITING = 1, PROCESSING = 2, DONE = 3, ERROR = 4 };
enum { INVALID_SIZE = 1, INVALID_PARAM = 4, MEM_OVERFLOW = 8, GENERIC = 10, DAMAGED = 32 };
enum { OBSERVER = 1, READ_WRITE = 8, USB = 64 };
enum { NODES = 2, TENSORS = 4, PERF = 8, CONST_VALUE = 0x200 };
enum { INPUT = 1, OUTPUT = 2, INTERNAL = 4, MEMPOOL = 8, LAST = 0x100, NO_DATA = 0x200 };

static void copy_text(char *into, size_t size, const char *text) {
  size_t n = text ? strlen(text) : 0;
  if (n >= size) n = size - 1;
  if (n > 0) memcpy(into, text, n);
  into[n] = '\0';
}

static int send_answer(lockstep_agent *a, Answer *m, uint32_t state) {
  m->id = a->id;
  m->state = state;
  m->has_crc = false;
  return lockstep_packets_encode(a, lockstep_wire_Answer_fields, m);
}

static int send_ack(lockstep_agent *a, uint32_t state, uint32_t param, uint32_t error) {
  Answer m = lockstep_wire_Answer_init_zero;
  m.which_payload = lockstep_wire_Answer_ack_tag;
  m.payload.ack.param = param;
  m.payload.ack.error = error;
  return send_answer(a, &m, state);
}

/* The host's acknowledgement. 1: there. */
static int wait_ack(lockstep_agent *a) {
  lockstep_wire_Ack ack = lockstep_wire_Ack_init_zero;
  if (lockstep_packets_begin(a, ANSWER_MS, 0) <= 0) return 0;
  return lockstep_packets_decode(a, lockstep_wire_Ack_fields, &ack, &ack.has_crc, &ack.crc) != 0;
}

/* ---- tensors */

typedef struct {
  const uint8_t *bytes;
  size_t size;
} span_out;

typedef struct {
  const uint32_t *words;
  size_t count;
} word_list;

/* One field per word: the protocol does not pack them. */
static bool encode_words(pb_ostream_t *stream, const pb_field_t *field, void *const *arg) {
  const word_list *list = (const word_list *)*arg;
  size_t i;
  for (i = 0; i < list->count; ++i)
    if (!pb_encode_tag_for_field(stream, field) || !pb_encode_varint(stream, list->words[i])) return false;
  return true;
}

static void give_words(pb_callback_t *field, word_list *list, const uint32_t *words, size_t count) {
  list->words = words;
  list->count = count;
  field->funcs.encode = &encode_words;
  field->arg = list;
}

static bool encode_bytes(pb_ostream_t *stream, const pb_field_t *field, void *const *arg) {
  const span_out *s = (const span_out *)*arg;
  return pb_encode_tag_for_field(stream, field) && pb_encode_string(stream, s->bytes, s->size);
}

static uint32_t element_bytes(uint32_t format) { return ((format >> 7 & 0x7Fu) + 7u) / 8u; }

static void describe(lockstep_wire_TensorDesc *d, word_list *dims, const lockstep_agent_tensor *t, uint32_t flags) {
  uint32_t i, count = 1;
  memset(d, 0, sizeof *d);
  copy_text(d->name, sizeof d->name, t->name);
  d->format = t->format;
  d->rank = t->rank;
  give_words(&d->dims, dims, t->dims, t->rank);
  for (i = 0; i < t->rank; ++i) count *= t->dims[i];
  d->size = count;
  d->scale = t->scale;
  d->zero = t->zero;
  d->address = t->address;
  d->flags = flags;
}

static int send_tensor(lockstep_agent *a, uint32_t state, const lockstep_agent_tensor *t, uint32_t flags) {
  Answer m = lockstep_wire_Answer_init_zero;
  const int with_data = (flags & NO_DATA) == 0;
  span_out bytes;
  word_list dims;
  bytes.bytes = (const uint8_t *)t->data;
  bytes.size = with_data ? t->bytes : 0;
  m.which_payload = lockstep_wire_Answer_tensor_tag;
  describe(&m.payload.tensor.desc, &dims, t, flags);
  m.payload.tensor.data.size = (uint32_t)bytes.size;
  m.payload.tensor.data.address = t->address;
  m.payload.tensor.data.bytes.funcs.encode = &encode_bytes;
  m.payload.tensor.data.bytes.arg = &bytes;
  return send_answer(a, &m, state);
}

/* ---- descriptions */

static int serve_sync(lockstep_agent *a) {
  Answer m = lockstep_wire_Answer_init_zero;
  const uint32_t runtime = a->network_count > 0 ? a->networks[0]->runtime_id : 1u;
  m.which_payload = lockstep_wire_Answer_sync_tag;
  m.payload.sync.version = LOCKSTEP_AGENT_VERSION;
  m.payload.sync.capability = OBSERVER | READ_WRITE | LOCKSTEP_AGENT_CAP_CRC | (a->board->payload > 32u && a->two_byte ? USB : 0);
  m.payload.sync.has_runtime = true;
  m.payload.sync.runtime = runtime | 1u << 8 | 1u << 16;
  return send_answer(a, &m, IDLE);
}

static int serve_system(lockstep_agent *a) {
  Answer m = lockstep_wire_Answer_init_zero;
  lockstep_wire_SystemInfo *s = &m.payload.system;
  word_list five, extra;
  int sent;
  m.which_payload = lockstep_wire_Answer_system_tag;
  s->device = a->board->device_id;
  s->cpu_hz = a->board->cpu_hz;
  s->bus_hz = a->board->bus_hz;
  s->cache = a->board->cache;
  if (a->two_byte) {
    give_words(&s->five, &five, &a->board->payload, 1);
    give_words(&s->extra, &extra, a->board->extra, 4);
  } else {
    give_words(&s->five, &five, a->board->extra, 4);
  }
  sent = send_answer(a, &m, IDLE);
  if (sent == 0 && a->two_byte && a->board->payload > 32u && a->board->payload <= LOCKSTEP_AGENT_PAYLOAD) a->payload = a->board->payload;
  return sent;
}

typedef struct {
  const lockstep_agent_tensor *tensors;
  size_t count;
  uint32_t flags;
} tensor_list;

static bool encode_descs(pb_ostream_t *stream, const pb_field_t *field, void *const *arg) {
  const tensor_list *list = (const tensor_list *)*arg;
  size_t i;
  for (i = 0; i < list->count; ++i) {
    lockstep_wire_TensorDesc d;
    word_list dims;
    describe(&d, &dims, &list->tensors[i], list->flags);
    if (!pb_encode_tag_for_field(stream, field) || !pb_encode_submessage(stream, lockstep_wire_TensorDesc_fields, &d)) return false;
  }
  return true;
}

static lockstep_agent_tensor segment(const uint32_t *bytes) {
  lockstep_agent_tensor t;
  memset(&t, 0, sizeof t);
  t.name = "";
  t.format = LOCKSTEP_FORMAT_U8;
  t.rank = 1;
  t.dims = bytes;
  t.bytes = *bytes;
  return t;
}

static const lockstep_agent_network *named(const lockstep_agent *a, const char *name) {
  size_t i;
  for (i = 0; i < a->network_count; ++i)
    if (strcmp(a->networks[i]->name, name) == 0) return a->networks[i];
  return NULL;
}

static int serve_network(lockstep_agent *a, const Request *r) {
  Answer m = lockstep_wire_Answer_init_zero;
  lockstep_wire_NetworkInfo *n = &m.payload.network;
  const lockstep_agent_network *net = r->name[0] ? named(a, r->name) : r->param < a->network_count ? a->networks[r->param] : NULL;
  lockstep_agent_tensor activations, parameters;
  tensor_list inputs, outputs, memory, weights;
  if (!net) return send_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  activations = segment(&net->activation_bytes);
  parameters = segment(&net->parameter_bytes);
  inputs.tensors = net->inputs, inputs.count = net->input_count, inputs.flags = INPUT;
  outputs.tensors = net->outputs, outputs.count = net->output_count, outputs.flags = OUTPUT;
  memory.tensors = &activations, memory.count = 1, memory.flags = MEMPOOL;
  weights.tensors = &parameters, weights.count = 1, weights.flags = MEMPOOL;
  m.which_payload = lockstep_wire_Answer_network_tag;
  copy_text(n->name, sizeof n->name, net->name);
  n->runtime = net->runtime_id | 1u << 8 | 1u << 16;
  copy_text(n->signature, sizeof n->signature, net->signature);
  copy_text(n->compiled, sizeof n->compiled, net->compiled);
  n->runtime_version = 1u << 24;
  n->tool_version = 1u << 24;
  n->macc = net->macc;
  n->nodes = net->nodes;
  n->n_inputs = (uint32_t)net->input_count;
  n->n_outputs = (uint32_t)net->output_count;
  n->n_activations = n->n_params = 1;
  n->inputs.funcs.encode = n->outputs.funcs.encode = n->activations.funcs.encode = n->params.funcs.encode = &encode_descs;
  n->inputs.arg = &inputs;
  n->outputs.arg = &outputs;
  n->activations.arg = &memory;
  n->params.arg = &weights;
  copy_text(n->runtime_text, sizeof n->runtime_text, net->runtime);
  n->has_install_ms = n->has_init_ms = a->two_byte;
  return send_answer(a, &m, IDLE);
}

/* ---- a run */

typedef struct {
  uint8_t *into;
  size_t room, got;
} span_in;

static bool decode_bytes(pb_istream_t *stream, const pb_field_t *field, void **arg) {
  span_in *s = (span_in *)*arg;
  size_t n = stream->bytes_left;
  (void)field;
  s->got = n;
  if (n > s->room) return pb_read(stream, NULL, n);
  return pb_read(stream, s->into, n);
}

/* One data message into `into`. 1: there; 0: the transaction is over. */
static int receive_data(lockstep_agent *a, uint8_t *into, size_t room, size_t *got) {
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
  if (decoded == 2) (void)send_ack(a, ERROR, 0, DAMAGED);
  *got = s.got;
  return decoded == 1;
}

/* One element, replicated over the input. */
static void replicate(uint8_t *bytes, size_t size, size_t element) {
  size_t i;
  for (i = element; i < size; ++i) bytes[i] = bytes[i - element];
}

static int receive_inputs(lockstep_agent *a, const lockstep_agent_network *net, uint32_t mode) {
  size_t i, got = 0;
  for (i = 0; i < net->input_count; ++i) {
    const lockstep_agent_tensor *t = &net->inputs[i];
    const size_t element = element_bytes(t->format);
    const size_t want = mode & CONST_VALUE ? element : t->bytes;
    if (!receive_data(a, (uint8_t *)t->data, want, &got)) return 0;
    if (got != want) {
      (void)send_ack(a, ERROR, (uint32_t)got, INVALID_SIZE);
      return 0;
    }
    if (mode & CONST_VALUE) replicate((uint8_t *)t->data, t->bytes, element);
    if (send_ack(a, i + 1 == net->input_count ? PROCESSING : WAITING, (uint32_t)want, 0) != 0 || !wait_ack(a)) return 0;
  }
  return 1;
}

typedef struct {
  lockstep_agent *agent;
  uint32_t mode, total_us;
} run_context;

static uint32_t now(const lockstep_agent *a) { return a->board->microseconds ? a->board->microseconds(a->board->self) : 0; }

static int send_operation(lockstep_agent *a, const lockstep_agent_node *node, uint32_t flags, uint32_t us) {
  Answer m = lockstep_wire_Answer_init_zero;
  lockstep_wire_Operation *o = &m.payload.operation;
  word_list counters;
  m.which_payload = lockstep_wire_Answer_operation_tag;
  copy_text(o->name, sizeof o->name, node->name);
  o->type = flags << 24 | (node->type & 0xFFFFFFu);
  o->id = node->id;
  o->milliseconds = (float)us / 1000.0f;
  o->counter_type = node->counter_type;
  give_words(&o->counters, &counters, node->counters, node->counter_count);
  o->stack_used = o->heap_used = -1;
  return send_answer(a, &m, PROCESSING);
}

static int observe(void *context, const lockstep_agent_node *node) {
  run_context *c = (run_context *)context;
  lockstep_agent *a = c->agent;
  const uint32_t us = now(a) - a->last_us;
  size_t i;
  c->total_us += us;
  if (send_operation(a, node, 1u | (node->tensor_count == 0 ? 4u : 0u), us) != 0) return -1;
  for (i = 0; i < node->tensor_count; ++i) {
    const uint32_t flags = INTERNAL | (i + 1 == node->tensor_count ? LAST : 0u) | (c->mode & TENSORS ? 0u : NO_DATA);
    if (send_tensor(a, PROCESSING, &node->tensors[i], flags) != 0) return -1;
  }
  a->last_us = now(a); /* what was spent on the line is not the network's */
  return 0;
}

static int serve_run(lockstep_agent *a, const Request *r) {
  const lockstep_agent_network *net = r->name[0] ? named(a, r->name) : a->network_count > 0 ? a->networks[0] : NULL;
  run_context context;
  lockstep_agent_node whole;
  uint32_t words[2];
  size_t i;
  int failed;
  if (!net || net->input_count == 0) return send_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  if (send_ack(a, WAITING, net->inputs[0].bytes, 0) != 0) return -1;
  if (!receive_inputs(a, net, r->param)) return 0;
  context.agent = a;
  context.mode = r->param;
  context.total_us = 0;
  a->last_us = now(a);
  failed = net->run(net->self, (int)(r->option & 1u), r->param & (NODES | TENSORS) ? &observe : NULL, &context);
  context.total_us += now(a) - a->last_us;
  if (a->closed) return -1;
  if (failed) return send_ack(a, ERROR, GENERIC, GENERIC);
  memset(&whole, 0, sizeof whole);
  whole.name = net->name;
  words[0] = (uint32_t)((uint64_t)context.total_us * (a->board->cpu_hz / 1000u) / 1000u);
  words[1] = (uint32_t)(((uint64_t)context.total_us * (a->board->cpu_hz / 1000u) / 1000u) >> 32);
  whole.counters = words;
  whole.counter_count = 2;
  if (send_operation(a, &whole, 0, context.total_us) != 0) return -1;
  for (i = 0; i < net->output_count; ++i) {
    const int last = i + 1 == net->output_count;
    if (send_tensor(a, last ? DONE : PROCESSING, &net->outputs[i], OUTPUT | (last ? LAST : 0u) | (r->param & PERF ? NO_DATA : 0u)) != 0) return -1;
  }
  return 0;
}

/* ---- memory */

static uint16_t checksum(const uint8_t *bytes, size_t size) {
  uint32_t sum = 0;
  while (size-- > 0) sum = ((sum >> 1 | (sum & 1u) << 15) + *bytes++) & 0xFFFFu;
  return (uint16_t)sum;
}

static uint8_t *memory_at(const lockstep_agent *a, const Request *r, int write) {
  if (!a->board->memory || r->option > UINT32_MAX - r->param) return NULL;
  return (uint8_t *)a->board->memory(a->board->self, r->param, r->option, write);
}

static int serve_read(lockstep_agent *a, const Request *r) {
  const uint8_t *bytes = memory_at(a, r, 0);
  uint32_t at = 0, n = r->option < MEMORY_CHUNK ? r->option : MEMORY_CHUNK;
  if (!bytes) return send_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  if (send_ack(a, r->option ? PROCESSING : DONE, n, 0) != 0) return -1;
  while (at < r->option) {
    Answer m = lockstep_wire_Answer_init_zero;
    span_out piece;
    const int last = r->option - at <= MEMORY_CHUNK;
    piece.bytes = bytes + at;
    piece.size = n = last ? r->option - at : MEMORY_CHUNK;
    m.which_payload = lockstep_wire_Answer_data_tag;
    m.payload.data.size = n;
    m.payload.data.address = r->param + at;
    m.payload.data.bytes.funcs.encode = &encode_bytes;
    m.payload.data.bytes.arg = &piece;
    if (send_answer(a, &m, last ? DONE : PROCESSING) != 0) return -1;
    if (!last && !wait_ack(a)) return 0;
    at += n;
  }
  return 0;
}

static int serve_write(lockstep_agent *a, const Request *r) {
  uint8_t *bytes = memory_at(a, r, 1);
  uint32_t at = 0;
  if (!bytes) return send_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  if (send_ack(a, r->option ? WAITING : DONE, r->option < MEMORY_CHUNK ? r->option : MEMORY_CHUNK, 0) != 0) return -1;
  while (at < r->option) {
    size_t got = 0;
    const size_t room = r->option - at < MEMORY_CHUNK ? r->option - at : MEMORY_CHUNK;
    if (!receive_data(a, bytes + at, room, &got)) return 0;
    if (got > room) return send_ack(a, ERROR, (uint32_t)(got - room), MEM_OVERFLOW);
    if (got == 0) return send_ack(a, ERROR, 0, INVALID_SIZE);
    at += (uint32_t)got;
    if (send_ack(a, at < r->option ? WAITING : DONE, checksum(bytes + at - got, got), 0) != 0) return -1;
  }
  return 0;
}

static int serve_checksum(lockstep_agent *a, const Request *r) {
  const uint8_t *bytes = memory_at(a, r, 0);
  if (!bytes) return send_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  return send_ack(a, DONE, checksum(bytes, r->option), 0);
}

/* ---- the loop */

static int serve_request(lockstep_agent *a, const Request *r) {
  switch (r->command) {
    case SYNC: return serve_sync(a);
    case SYSTEM: return serve_system(a);
    case NETWORK: return serve_network(a, r);
    case RUN: return serve_run(a, r);
    case READ: return serve_read(a, r);
    case WRITE: return serve_write(a, r);
    case CHECKSUM: return serve_checksum(a, r);
    default: return send_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  }
}

void lockstep_agent_init(lockstep_agent *agent, const lockstep_agent_board *board,
                         const lockstep_agent_network *const *networks, size_t network_count) {
  memset(agent, 0, sizeof *agent);
  agent->board = board;
  agent->networks = networks;
  agent->network_count = network_count;
  agent->two_byte = 1;
  lockstep_packets_reset(agent);
}

int lockstep_agent_serve(lockstep_agent *a, uint32_t wait_ms) {
  Request r = lockstep_wire_Request_init_zero;
  int got;
  a->closed = 0;
  got = lockstep_packets_begin(a, wait_ms, 1);
  if (got <= 0) return a->closed ? -1 : 0;
  got = lockstep_packets_decode(a, lockstep_wire_Request_fields, &r, &r.has_crc, &r.crc);
  if (a->closed) return -1;
  if (got == 0) return 1;
  if (got == 2 && !(r.command == SYNC && !r.has_crc && r.id != 0)) { /* a host that starts over may not know of checks */
    a->id = r.id;
    (void)send_ack(a, ERROR, 0, DAMAGED);
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
