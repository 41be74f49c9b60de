#include <string.h>

#include "agent_messages.h"

typedef struct {
  const lockstep_agent_tensor* tensors;
  size_t count;
  uint32_t flags;
} tensor_list;

static bool encode_descs(pb_ostream_t* stream, const pb_field_t* field, void* const* arg) {
  const tensor_list* list = (const tensor_list*)*arg;
  size_t i;
  for (i = 0; i < list->count; ++i) {
    lockstep_wire_TensorDesc d;
    word_list dims;
    agent_describe(&d, &dims, &list->tensors[i], list->flags);
    if (!pb_encode_tag_for_field(stream, field) ||
        !pb_encode_submessage(stream, lockstep_wire_TensorDesc_fields, &d))
      return false;
  }
  return true;
}

static lockstep_agent_tensor segment(const uint32_t* bytes) {
  lockstep_agent_tensor t;
  memset(&t, 0, sizeof t);
  t.name = "";
  t.format = LOCKSTEP_FORMAT_U8;
  t.rank = 1;
  t.dims = bytes;
  t.bytes = *bytes;
  return t;
}

const lockstep_agent_network* agent_network_named(const lockstep_agent* a, const char* name) {
  size_t i;
  for (i = 0; i < a->network_count; ++i)
    if (strcmp(a->networks[i]->name, name) == 0) return a->networks[i];
  return NULL;
}

int agent_serve_network(lockstep_agent* a, const Request* r) {
  Answer m = lockstep_wire_Answer_init_zero;
  lockstep_wire_NetworkInfo* n = &m.payload.network;
  const lockstep_agent_network* net = r->name[0] ? agent_network_named(a, r->name)
                                      : r->param < a->network_count ? a->networks[r->param]
                                                                    : NULL;
  lockstep_agent_tensor activations, parameters;
  tensor_list inputs, outputs, memory, weights;
  if (!net) return agent_ack(a, ERROR, INVALID_PARAM, INVALID_PARAM);
  activations = segment(&net->activation_bytes);
  parameters = segment(&net->parameter_bytes);
  inputs.tensors = net->inputs, inputs.count = net->input_count, inputs.flags = INPUT;
  outputs.tensors = net->outputs, outputs.count = net->output_count, outputs.flags = OUTPUT;
  memory.tensors = &activations, memory.count = 1, memory.flags = MEMPOOL;
  weights.tensors = &parameters, weights.count = 1, weights.flags = MEMPOOL;
  m.which_payload = lockstep_wire_Answer_network_tag;
  agent_copy_text(n->name, sizeof n->name, net->name);
  n->runtime = net->runtime_id | 1u << 8 | 1u << 16;
  agent_copy_text(n->signature, sizeof n->signature, net->signature);
  agent_copy_text(n->compiled, sizeof n->compiled, net->compiled);
  n->runtime_version = 1u << 24;
  n->tool_version = 1u << 24;
  n->macc = net->macc;
  n->nodes = net->nodes;
  n->n_inputs = (uint32_t)net->input_count;
  n->n_outputs = (uint32_t)net->output_count;
  n->n_activations = n->n_params = 1;
  n->inputs.funcs.encode = n->outputs.funcs.encode = n->activations.funcs.encode =
      n->params.funcs.encode = &encode_descs;
  n->inputs.arg = &inputs;
  n->outputs.arg = &outputs;
  n->activations.arg = &memory;
  n->params.arg = &weights;
  agent_copy_text(n->runtime_text, sizeof n->runtime_text, net->runtime);
  n->has_install_ms = n->has_init_ms = a->two_byte;
  return agent_answer(a, &m, IDLE);
}
