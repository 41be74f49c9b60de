/* Lockstep's validation agent: serves the validation protocol (docs/protocol.md) on any byte
   stream, so that a host can run a network on the device and read every node's tensors. C99, no
   heap; needs nanopb's encoder and decoder.

   A firmware fills in the three structures below and calls lockstep_agent_serve in a loop. */
#ifndef LOCKSTEP_AGENT_H
#define LOCKSTEP_AGENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Largest payload of a packet. 32 is what a serial line uses; more is announced to hosts that can
 * (USB, network). */
#ifndef LOCKSTEP_AGENT_PAYLOAD
#define LOCKSTEP_AGENT_PAYLOAD 4094
#endif

/* Element formats of the protocol. */
#define LOCKSTEP_FORMAT_F32 0x00821040u
#define LOCKSTEP_FORMAT_S8 0x00840440u
#define LOCKSTEP_FORMAT_U8 0x00040440u
#define LOCKSTEP_FORMAT_S16 0x00840840u
#define LOCKSTEP_FORMAT_U16 0x00040840u
#define LOCKSTEP_FORMAT_S32 0x00841040u
#define LOCKSTEP_FORMAT_U32 0x00041040u
#define LOCKSTEP_FORMAT_S64 0x00842040u
#define LOCKSTEP_FORMAT_BOOL 0x00060440u

/* Or-ed to the rank: the axes lie channels last, the model has them first. */
#define LOCKSTEP_CHANNELS_LAST 0x80000000u

/* A tensor where it lies in memory. Extents outermost first, the batch included; at most 6. */
typedef struct {
  const char* name; /* at most 63 characters; "" when it has none */
  uint32_t format;
  uint32_t rank;
  const uint32_t* dims;
  float scale; /* 0: not quantized */
  int32_t zero;
  void* data;
  uint32_t bytes;
  uint32_t address; /* what the host is told; 0 when of no use */
} lockstep_agent_tensor;

/* One executed node or epoch, as its observer is told. */
typedef struct {
  const char* name;
  uint32_t id;
  uint32_t type; /* low 24 bits: the runtime's own number */
  const lockstep_agent_tensor* tensors;
  size_t tensor_count;
  const uint32_t* counters; /* CPU cycles: counter_type 0 (pairs of words) or 0x00010000 (words); at
                               most 10. None: by the clock */
  size_t counter_count;
  uint32_t counter_type;
} lockstep_agent_node;

/* Called after each node, while its tensors are intact. 0: go on; otherwise the run is to end. */
typedef int (*lockstep_agent_observer)(void* context, const lockstep_agent_node* node);

/* A network. `run` computes the outputs from the inputs where they lie and calls `observer`, when
   it is not null, after each node; `first` asks it to reset its states. 0 on success. */
typedef struct {
  const char *name, *signature, *compiled, *runtime;
  uint64_t macc;
  uint32_t nodes, activation_bytes, parameter_bytes,
      runtime_id; /* runtime_id 1: ST.AI-like CPU, 4: NPU */
  const lockstep_agent_tensor *inputs, *outputs;
  size_t input_count, output_count;
  int (*run)(void* self, int first, lockstep_agent_observer observer, void* context);
  void* self;
} lockstep_agent_network;

/* The board. */
typedef struct {
  /* Bytes read, at least 1; 0 after `wait_ms` without any; negative when the link is closed. */
  long (*read)(void* self, uint8_t* into, size_t size, uint32_t wait_ms);
  /* Writes all of them; 0, or negative when the link is closed. */
  int (*write)(void* self, const uint8_t* bytes, size_t size);
  /* Microseconds of a running clock; may wrap. */
  uint32_t (*microseconds)(void* self);
  /* Where `size` bytes at `address` may be read (or written), or null when they may not. */
  void* (*memory)(void* self, uint32_t address, uint32_t size, int write);
  void* self;
  uint32_t device_id, cpu_hz, bus_hz, cache;
  uint32_t extra[4]; /* STM32N6: 0, NPU clock, NPU RAM clock, 0 */
  uint32_t payload;  /* of large packets, 32 < payload <= LOCKSTEP_AGENT_PAYLOAD; 0: none */
} lockstep_agent_board;

typedef struct {
  const lockstep_agent_board* board;
  const lockstep_agent_network* const* networks;
  size_t network_count;
  /* the agent's own */
  uint8_t packet_in[2 + LOCKSTEP_AGENT_PAYLOAD], packet_out[2 + LOCKSTEP_AGENT_PAYLOAD];
  uint32_t payload;     /* of the packets in use */
  size_t in_have;       /* bytes received of a packet that is not complete */
  size_t in_at, in_end; /* unread payload bytes of the last packet */
  size_t out_end;
  size_t message_left,
      crc_left; /* of the message being read: bytes, and bytes that its check covers */
  uint32_t crc_in, crc_out;
  uint32_t id;
  uint32_t last_us;
  uint8_t two_byte, guarded, closed, failed, restart;
} lockstep_agent;

void lockstep_agent_init(lockstep_agent* agent, const lockstep_agent_board* board,
                         const lockstep_agent_network* const* networks, size_t network_count);

/* Waits up to `wait_ms` for a request and serves it. 1: served one or dropped what was none; 0:
   nothing came; negative: the link is closed. */
int lockstep_agent_serve(lockstep_agent* agent, uint32_t wait_ms);

/* Protocol version that is reported (3.1: every client of 3.x takes it), and the capability bit of
 * check fields. */
#define LOCKSTEP_AGENT_VERSION 0x0301u
#define LOCKSTEP_AGENT_CAP_CRC (1u << 16)

#ifdef __cplusplus
}
#endif

#endif
