#pragma once

#include <string_view>

namespace lockstep {

// The C of a generated network around its nodes; words between @ are filled in.

inline constexpr std::string_view header_template = R"(/*
 * @model@, arithmetic @arithmetic@: generated C99.
 *
 *   @name@_init();
 *   memcpy(@name@_input(0), pixels, @NAME@_INPUT_0_BYTES);
 *   @name@_run();
 *   use(@name@_output(0));
 *
 * Inputs are overwritten by the run unless generated with --keep-inputs; outputs stay until the next one.
 * Nothing is allocated; not reentrant. Compile with -ffp-contract=off.
 */
#ifndef @NAME@_H
#define @NAME@_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define @NAME@_API_VERSION 1
#define @NAME@_MODEL_HASH "@hash@" /* FNV-1a, 64 bits, of the model's file */
#define @NAME@_ARITHMETIC "@arithmetic@"
#define @NAME@_NODES @nodes@
#define @NAME@_INPUTS @inputs@
#define @NAME@_OUTPUTS @outputs@
#define @NAME@_ACTIVATION_BYTES @arena@u
#define @NAME@_WEIGHT_BYTES @weights@u

@ends@
/* Puts the states to their first values. Call before the first run, and to start a sequence anew. */
void @name@_init(void);

/* Buffers of input and output `index`; NULL beyond the last. 16-byte aligned. */
void *@name@_input(int index);
const void *@name@_output(int index);

/* One inference. */
void @name@_run(void);

/*
 * Called after every node for each of its outputs, while the buffer still holds it: the next nodes reuse
 * the memory. `node` and `output` count as in @name@.json. NULL switches it off.
 */
typedef void (*@name@_observer)(void *user, int node, int output, const void *data, size_t bytes);
void @name@_observe(@name@_observer observer, void *user);

@check@@status@/* Called after every node, before the next one touches its output: a place for a debugger's breakpoint. Absent
   where @NAME@_NODE_END is defined. */
void @name@_node_done(int node);

/* The static memory that activations stand in. */
void *@name@_pool(int index, size_t *bytes);

#ifdef __cplusplus
}
#endif
#endif
)";

inline constexpr std::string_view source_template = R"(/* Generated from @model@; see @name@.h. */
#include "@name@.h"

@math_include@#include <string.h>

#include "@name@_weights.h"
@kernel_include@@library_include@
/* Around every node, for instance to read a cycle counter: may be defined before this file is compiled. */
#ifndef @NAME@_NODE_BEGIN
#define @NAME@_NODE_BEGIN(node) ((void)0)
#endif
#ifndef @NAME@_NODE_END
#define @NAME@_NODE_END(node) @name@_node_done(node)
__attribute__((noinline)) void @name@_node_done(int node) { __asm__ volatile("" : : "r"(node) : "memory"); }
#endif

/* Where a pool stands, for instance __attribute__((section(".dtcm"))). */
#ifndef @NAME@_ALIGNED
#define @NAME@_ALIGNED __attribute__((aligned(16)))
#endif
@pools@
static @name@_observer observer;
static void *observer_user;

static void observe(int node, int output, const void *data, size_t bytes) {
  if (observer != NULL) observer(observer_user, node, output, data, bytes);
}

@library@@statics@
void @name@_init(void) {
@init@}

void *@name@_input(int index) {
  switch (index) {
@input_cases@    default: return NULL;
  }
}

const void *@name@_output(int index) {
  switch (index) {
@output_cases@    default: return NULL;
  }
}

void @name@_observe(@name@_observer new_observer, void *user) {
  observer = new_observer;
  observer_user = user;
}

void *@name@_pool(int index, size_t *bytes) {
  switch (index) {
@pool_cases@    default: *bytes = 0; return NULL;
  }
}

void @name@_run(void) {
@body@}
)";

// Where nodes call CMSIS-NN.
inline constexpr std::string_view library_part =
    R"(/* 1 + the first node that CMSIS-NN refused; 0: none. */
static int library_status;

static inline void library_answered(int node, arm_cmsis_nn_status status) {
  if (status != ARM_CMSIS_NN_SUCCESS && library_status == 0) library_status = node + 1;
}

int @name@_status(void) { return library_status; }

)";

inline constexpr std::string_view status_part =
    R"(/* 0; or 1 + the first node since @name@_init that CMSIS-NN refused, or that asked for more scratch than is
   planned, as another version of it or another build may. Its output is then not written. */
int @name@_status(void);

)";

}  // namespace lockstep
