/* The agent on the emulated board mps3-an547: UART 0 by polling, time from the SSE-300 system
   counter (32 MHz). Links with the generated network, its agent tables, nanopb and a start-up file
   that calls main. */
#include "lockstep_agent.h"

#define UART 0x59303000u /* CMSDK UART 0, secure alias */
#define COUNTER_CONTROL 0x58100000u
#define COUNTER_LOW 0x58000000u
#define COUNTER_HIGH 0x58000004u

static volatile uint32_t* reg(uint32_t address) {
  return (volatile uint32_t*)(uintptr_t)address;
}

static uint32_t microseconds(void* self) {
  uint32_t high, low;
  (void)self;
  do { /* both words of one moment */
    high = *reg(COUNTER_HIGH);
    low = *reg(COUNTER_LOW);
  } while (high != *reg(COUNTER_HIGH));
  return (uint32_t)(((uint64_t)high << 32 | low) / 32u);
}

static long read_bytes(void* self, uint8_t* into, size_t size, uint32_t wait_ms) {
  const uint32_t start = *reg(COUNTER_LOW);
  size_t got = 0;
  (void)self;
  while (got < size) {
    if (*reg(UART + 4u) & 2u)
      into[got++] = (uint8_t)*reg(UART); /* STATE: receive buffer full */
    else if (got > 0 || *reg(COUNTER_LOW) - start > wait_ms * 32000u)
      break;
  }
  return (long)got;
}

static int write_bytes(void* self, const uint8_t* bytes, size_t size) {
  (void)self;
  while (size-- > 0) {
    while (*reg(UART + 4u) & 1u) { /* STATE: transmit buffer full */
    }
    *reg(UART) = *bytes++;
  }
  return 0;
}

/* The board's memories; registers are left alone. */
static void* memory(void* self, uint32_t address, uint32_t size, int write) {
  static const uint32_t ranges[][2] = {{0x10000000u, 0x80000u},
                                       {0x11000000u, 0x200000u},
                                       {0x30000000u, 0x80000u},
                                       {0x31000000u, 0x400000u},
                                       {0x70000000u, 0x10000000u}};
  size_t i;
  (void)self;
  (void)write;
  for (i = 0; i < sizeof ranges / sizeof ranges[0]; ++i)
    if (address >= ranges[i][0] && size <= ranges[i][1] &&
        address - ranges[i][0] <= ranges[i][1] - size)
      return (void*)(uintptr_t)address;
  return NULL;
}

const lockstep_agent_network* network_agent_network(void);

int main(void) {
  static lockstep_agent agent;
  static lockstep_agent_board board;
  const lockstep_agent_network* const networks[] = {network_agent_network()};
  *reg(COUNTER_CONTROL) = 1;
  *reg(UART + 16u) = 16; /* BAUDDIV: any rate will do here */
  *reg(UART + 8u) = 3;   /* CTRL: transmit and receive */
  board.read = read_bytes;
  board.write = write_bytes;
  board.microseconds = microseconds;
  board.memory = memory;
  board.cpu_hz = board.bus_hz = 32000000u;
  lockstep_agent_init(&agent, &board, networks, 1);
  while (lockstep_agent_serve(&agent, 1000) >= 0) {
  }
  return 0;
}
