/* Epochs of an NPU runtime as nodes of the agent. The runtime calls back around every epoch, in
   this order: 0 before its start, 1 after its start, 2 before its end, 3 after its end (its outputs
   are in memory). A firmware forwards each call to lockstep_epochs_event from the callback that it
   registers with the runtime, and gives the agent a network whose `run` is: lockstep_epochs_begin,
   run all epochs, lockstep_epochs_end. */
#ifndef LOCKSTEP_EPOCHS_H
#define LOCKSTEP_EPOCHS_H

#include "lockstep_agent.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char* name; /* "" where it has none */
  uint32_t id;      /* last epoch << 16 | epoch, as the runtime's own tables say */
  uint32_t
      kind; /* 0 hardware, 1 extra hardware, 2 software, 3 hybrid, 4 epoch-controller program */
  const lockstep_agent_tensor*
      tensors; /* its outputs, where they stand when it ends; none is allowed */
  size_t tensor_count;
} lockstep_epoch;

typedef struct {
  const lockstep_epoch* epochs;
  size_t count;
  uint32_t (*cycles)(void);                   /* of the CPU; may wrap */
  void (*make_readable)(const void*, size_t); /* invalidates caches over an output; may be null */
  /* its own */
  lockstep_agent_observer observer;
  void* context;
  uint32_t at[4];
  size_t seen;
  int failed;
} lockstep_epochs;

void lockstep_epochs_begin(lockstep_epochs* e, lockstep_agent_observer observer, void* context);
/* `index` counts the epochs in the order of the table. */
void lockstep_epochs_event(lockstep_epochs* e, int event, size_t index);
/* 0: every epoch ended once, in order, and the observer took all. */
int lockstep_epochs_end(const lockstep_epochs* e);

#ifdef __cplusplus
}
#endif

#endif
