#include "lockstep_epochs.h"

void lockstep_epochs_begin(lockstep_epochs* e, lockstep_agent_observer observer, void* context) {
  e->observer = observer;
  e->context = context;
  e->seen = 0;
  e->failed = 0;
}

static void tell(lockstep_epochs* e, const lockstep_epoch* epoch) {
  lockstep_agent_node node;
  uint32_t spent[3];
  size_t i;
  for (i = 0; i < 3; ++i)
    spent[i] = e->at[i + 1] - e->at[i]; /* before, within, after the hardware's work */
  for (i = 0; e->make_readable && i < epoch->tensor_count; ++i)
    e->make_readable(epoch->tensors[i].data, epoch->tensors[i].bytes);
  node.name = epoch->name;
  node.id = epoch->id;
  node.type = epoch->kind;
  node.tensors = epoch->tensors;
  node.tensor_count = epoch->tensor_count;
  node.counters = spent;
  node.counter_count = 3;
  node.counter_type = 0x00010000u;
  if (e->observer(e->context, &node) != 0) e->failed = 1;
}

void lockstep_epochs_event(lockstep_epochs* e, int event, size_t index) {
  if (event < 0 || event > 3 || e->failed) return;
  if (index >= e->count || index != e->seen) { /* an epoch that the table does not have here */
    e->failed = 1;
    return;
  }
  e->at[event] = e->cycles();
  if (event != 3) return;
  ++e->seen;
  if (e->observer) tell(e, &e->epochs[index]);
}

int lockstep_epochs_end(const lockstep_epochs* e) {
  return e->failed || e->seen != e->count ? -1 : 0;
}
