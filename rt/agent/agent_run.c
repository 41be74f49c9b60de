#include <string.h>

#include "agent_messages.h"

enum { NODES = 2, TENSORS = 4, PERF = 8, CONST_VALUE = 0x200, DIRECT_WRITE = 0x400 }; /* of a run */
enum { INNER = 1, NO_TENSOR = 4 }; /* of an operation */
#define NPU 4u                     /* runtime */
#define THREE_WORDS \
  0x00010000u /* of a node on the NPU: cycles before, within and after the epoch */

static uint32_t element_bytes(uint32_t format) {
  return ((format >> 7 & 0x7Fu) + 7u) / 8u;
}

/* One element, replicated over the input. */
static void replicate(uint8_t* bytes, size_t size, size_t element) {
  size_t i;
  for (i = element; i < size; ++i) bytes[i] = bytes[i - element];
}

static int receive_inputs(lockstep_agent* a, const lockstep_agent_network* net, uint32_t mode) {
  size_t i, got = 0;
  for (i = 0; i < net->input_count; ++i) {
    const lockstep_agent_tensor* t = &net->inputs[i];
    const size_t element = element_bytes(t->format);
    const size_t want = mode & (CONST_VALUE | DIRECT_WRITE) ? element : t->bytes;
    uint8_t unused[8]; /* what stands for an input that a debugger wrote */
    if (!agent_receive(a, mode & DIRECT_WRITE ? unused : (uint8_t*)t->data, want, &got)) return 0;
    if (got != want) {
      (void)agent_ack(a, ERROR, (uint32_t)got, INVALID_SIZE);
      return 0;
    }
    if ((mode & CONST_VALUE) && !(mode & DIRECT_WRITE))
      replicate((uint8_t*)t->data, t->bytes, element);
    if (agent_ack(a, i + 1 == net->input_count ? PROCESSING : WAITING, (uint32_t)want, 0) != 0 ||
        !agent_acknowledged(a))
      return 0;
  }
  return 1;
}

typedef struct {
  lockstep_agent* agent;
  uint32_t mode, total_us, nodes;
  uint64_t phases[3]; /* cycles before, within and after the epochs */
} run_context;

static uint32_t now(const lockstep_agent* a) {
  return a->board->microseconds ? a->board->microseconds(a->board->self) : 0;
}

static uint64_t cycles_of(const lockstep_agent* a, uint32_t us) {
  return (uint64_t)us * (a->board->cpu_hz / 1000u) / 1000u;
}

static void two_words(uint32_t* words, uint64_t number) {
  words[0] = (uint32_t)number;
  words[1] = (uint32_t)(number >> 32);
}

static int send_operation(lockstep_agent* a, const lockstep_agent_node* node, uint32_t flags,
                          uint32_t us) {
  Answer m = lockstep_wire_Answer_init_zero;
  lockstep_wire_Operation* o = &m.payload.operation;
  word_list counters;
  uint32_t spent[2];
  m.which_payload = lockstep_wire_Answer_operation_tag;
  agent_copy_text(o->name, sizeof o->name, node->name);
  o->type = flags << 24 | (node->type & 0xFFFFFFu);
  o->id = node->id;
  o->milliseconds = (float)us / 1000.0f;
  o->counter_type = node->counter_count ? node->counter_type : 0;
  two_words(spent, cycles_of(a, us));
  agent_give_words(&o->counters, &counters, node->counter_count ? node->counters : spent,
                   node->counter_count ? node->counter_count : 2u);
  o->stack_used = o->heap_used = -1;
  return agent_answer(a, &m, PROCESSING);
}

static int observe(void* context, const lockstep_agent_node* node) {
  run_context* c = (run_context*)context;
  lockstep_agent* a = c->agent;
  const uint32_t us = now(a) - a->last_us;
  size_t i;
  c->total_us += us;
  ++c->nodes;
  for (i = 0; node->counter_type == THREE_WORDS && node->counter_count == 3u && i < 3u; ++i)
    c->phases[i] += node->counters[i];
  if (send_operation(a, node, INNER | (node->tensor_count == 0 ? NO_TENSOR : 0u), us) != 0)
    return -1;
  for (i = 0; i < node->tensor_count; ++i) {
    const uint32_t flags =
        INTERNAL | (i + 1 == node->tensor_count ? LAST : 0u) | (c->mode & TENSORS ? 0u : NO_DATA);
    if (agent_tensor(a, PROCESSING, &node->tensors[i], flags) != 0) return -1;
  }
  a->last_us = now(a); /* what was spent on the line is not the network's */
  return 0;
}

/* Clients want one node at least where they asked for nodes: of a network that shows none, all of
 * it. */
static int send_only_node(lockstep_agent* a, const lockstep_agent_network* net, uint32_t us) {
  lockstep_agent_node node;
  uint32_t words[3] = {0, 0, 0};
  memset(&node, 0, sizeof node);
  node.name = net->name;
  if (net->runtime_id == NPU) {
    words[1] = (uint32_t)cycles_of(a, us);
    node.counters = words;
    node.counter_count = 3;
    node.counter_type = THREE_WORDS;
  }
  return send_operation(a, &node, INNER | NO_TENSOR, us);
}

/* The whole inference. Its counters are the CPU's cycles; of an NPU the sums of the epochs' three,
 * the total, and the NPU's. */
static int send_whole(lockstep_agent* a, const lockstep_agent_network* net, const run_context* c) {
  lockstep_agent_node whole;
  uint32_t words[10];
  size_t i;
  memset(&whole, 0, sizeof whole);
  whole.name = net->name;
  if (net->runtime_id == NPU) {
    for (i = 0; i < 3; ++i) two_words(words + 2 * i, c->phases[i]);
    two_words(words + 6, cycles_of(a, c->total_us));
    two_words(words + 8, c->phases[1]);
    whole.counters = words;
    whole.counter_count = 10;
  }
  if ((c->mode & (NODES | TENSORS)) && c->nodes == 0 && send_only_node(a, net, c->total_us) != 0)
    return -1;
  return send_operation(a, &whole, 0, c->total_us);
}

int agent_serve_run(lockstep_agent* a, const Request* r) {
  const lockstep_agent_network* net = r->name[0]             ? agent_network_named(a, r->name)
                                      : a->network_count > 0 ? a->networks[0]
                                                             : NULL;
  run_context context;
  size_t i;
  int failed;
  if (!net || net->input_count == 0) return agent_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  if (agent_ack(a, WAITING, net->inputs[0].bytes, 0) != 0) return -1;
  if (!receive_inputs(a, net, r->param)) return 0;
  memset(&context, 0, sizeof context);
  context.agent = a;
  context.mode = r->param;
  a->last_us = now(a);
  failed = net->run(net->self, (int)(r->option & 1u),
                    r->param & (NODES | TENSORS) ? &observe : NULL, &context);
  context.total_us += now(a) - a->last_us;
  if (a->closed) return -1;
  if (failed) return agent_ack(a, ERROR, GENERIC, GENERIC);
  if (send_whole(a, net, &context) != 0) return -1;
  for (i = 0; i < net->output_count; ++i) {
    const int last = i + 1 == net->output_count;
    if (agent_tensor(a, last ? DONE : PROCESSING, &net->outputs[i],
                     OUTPUT | (last ? LAST : 0u) | (r->param & PERF ? NO_DATA : 0u)) != 0)
      return -1;
  }
  return 0;
}
