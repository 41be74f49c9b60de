#include <string.h>

#include "agent_messages.h"

enum { NODES = 2, TENSORS = 4, PERF = 8, CONST_VALUE = 0x200 }; /* of a run */

static uint32_t element_bytes(uint32_t format) { return ((format >> 7 & 0x7Fu) + 7u) / 8u; }

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
    if (!agent_receive(a, (uint8_t *)t->data, want, &got)) return 0;
    if (got != want) {
      (void)agent_ack(a, ERROR, (uint32_t)got, INVALID_SIZE);
      return 0;
    }
    if (mode & CONST_VALUE) replicate((uint8_t *)t->data, t->bytes, element);
    if (agent_ack(a, i + 1 == net->input_count ? PROCESSING : WAITING, (uint32_t)want, 0) != 0 || !agent_acknowledged(a)) return 0;
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
  agent_copy_text(o->name, sizeof o->name, node->name);
  o->type = flags << 24 | (node->type & 0xFFFFFFu);
  o->id = node->id;
  o->milliseconds = (float)us / 1000.0f;
  o->counter_type = node->counter_type;
  agent_give_words(&o->counters, &counters, node->counters, node->counter_count);
  o->stack_used = o->heap_used = -1;
  return agent_answer(a, &m, PROCESSING);
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
    if (agent_tensor(a, PROCESSING, &node->tensors[i], flags) != 0) return -1;
  }
  a->last_us = now(a); /* what was spent on the line is not the network's */
  return 0;
}

int agent_serve_run(lockstep_agent *a, const Request *r) {
  const lockstep_agent_network *net = r->name[0] ? agent_network_named(a, r->name) : a->network_count > 0 ? a->networks[0] : NULL;
  run_context context;
  lockstep_agent_node whole;
  uint32_t words[2];
  size_t i;
  int failed;
  if (!net || net->input_count == 0) return agent_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  if (agent_ack(a, WAITING, net->inputs[0].bytes, 0) != 0) return -1;
  if (!receive_inputs(a, net, r->param)) return 0;
  context.agent = a;
  context.mode = r->param;
  context.total_us = 0;
  a->last_us = now(a);
  failed = net->run(net->self, (int)(r->option & 1u), r->param & (NODES | TENSORS) ? &observe : NULL, &context);
  context.total_us += now(a) - a->last_us;
  if (a->closed) return -1;
  if (failed) return agent_ack(a, ERROR, GENERIC, GENERIC);
  memset(&whole, 0, sizeof whole);
  whole.name = net->name;
  words[0] = (uint32_t)((uint64_t)context.total_us * (a->board->cpu_hz / 1000u) / 1000u);
  words[1] = (uint32_t)(((uint64_t)context.total_us * (a->board->cpu_hz / 1000u) / 1000u) >> 32);
  whole.counters = words;
  whole.counter_count = 2;
  if (send_operation(a, &whole, 0, context.total_us) != 0) return -1;
  for (i = 0; i < net->output_count; ++i) {
    const int last = i + 1 == net->output_count;
    if (agent_tensor(a, last ? DONE : PROCESSING, &net->outputs[i], OUTPUT | (last ? LAST : 0u) | (r->param & PERF ? NO_DATA : 0u)) != 0) return -1;
  }
  return 0;
}
