/* The emulated board mps3-an547: start-up, semihosting files, and a report of faults. */
#include <string.h>

#include "port.h"

extern uint32_t stack_top, stack_limit, data_start, data_end, data_load, bss_start, bss_end;
int main(void);
void reset_handler(void);
void start(void);
void report_fault(const uint32_t* frame);
void fault_handler(void);
void ls_mark_begin(void);
void ls_mark_end(void);

static int semihost(int operation, const void* argument) {
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

static void leave(int code) {
  const uint32_t block[2] = {0x20026u, (uint32_t)code};
  semihost(0x20, block); /* SYS_EXIT_EXTENDED */
  for (;;) {
  }
}

static int input, output;

static int open_file(const char* name, uint32_t mode) {
  const uint32_t block[3] = {(uint32_t)(uintptr_t)name, mode, (uint32_t)strlen(name)};
  return semihost(0x01, block); /* SYS_OPEN */
}

void port_open(void) {
  input = open_file("in.bin", 1);   /* rb */
  output = open_file("out.bin", 5); /* wb */
}
int port_read(void* to, size_t bytes) {
  const uint32_t block[3] = {(uint32_t)input, (uint32_t)(uintptr_t)to, (uint32_t)bytes};
  return semihost(0x06, block) == 0; /* SYS_READ: what is missing */
}
void port_write(const void* from, size_t bytes) {
  const uint32_t block[3] = {(uint32_t)output, (uint32_t)(uintptr_t)from, (uint32_t)bytes};
  if (bytes > 0 && semihost(0x05, block) != 0) leave(98); /* SYS_WRITE */
}
void port_close(void) {
  const uint32_t block = (uint32_t)output;
  semihost(0x02, &block); /* SYS_CLOSE */
}

/* The marks of the instruction counter. Each stands alone at a multiple of 16, in one page and one
   translated block: QEMU 7.2 loses what it should call in a block over two pages. */
__attribute__((naked, noinline, aligned(16))) void ls_mark_begin(void) {
  __asm__ volatile("dbg #1\n bx lr");
}
__attribute__((naked, noinline, aligned(16))) void ls_mark_end(void) {
  __asm__ volatile("dbg #2\n bx lr");
}
static __attribute__((naked, noinline, aligned(16))) void mark_start(void) {
  __asm__ volatile("dbg #3\n bx lr");
}
static __attribute__((naked, noinline, aligned(16))) void mark_stop(void) {
  __asm__ volatile("dbg #4\n bx lr");
}

/* The stack below the caller is painted, so that what the run touched can be seen afterwards. */
void port_run(void (*run)(void)) {
  uint32_t *bottom = &stack_limit, used;
  uint32_t* at;
  uint32_t* here = (uint32_t*)__builtin_frame_address(0) - 64;
  for (at = bottom; at < here; ++at) *at = 0x5ac35ac3u;
  mark_start();
  run();
  mark_stop();
  for (at = bottom; at < here && *at == 0x5ac35ac3u; ++at) {
  }
  used = (uint32_t)((uintptr_t)__builtin_frame_address(0) - (uintptr_t)at);
  port_write(&used, sizeof used);
}

__attribute__((used)) void report_fault(const uint32_t* frame) {
  static const char digits[] = "0123456789abcdef";
  static char text[] = "fault cfsr=00000000 hfsr=00000000 pc=00000000 address=00000000\n";
  const uint32_t values[4] = {*(volatile uint32_t*)0xE000ED28u, *(volatile uint32_t*)0xE000ED2Cu,
                              frame[6], *(volatile uint32_t*)0xE000ED38u};
  int p = 0, i, k;
  for (i = 0; i < 4; ++i) {
    while (text[p] != '=') ++p;
    ++p;
    for (k = 28; k >= 0; k -= 4) text[p++] = digits[(values[i] >> k) & 15u];
  }
  semihost(0x04, text); /* SYS_WRITE0 */
  leave(99);
}

__attribute__((naked)) void fault_handler(void) {
  __asm__ volatile("tst lr, #4\n ite eq\n mrseq r0, msp\n mrsne r0, psp\n b report_fault\n");
}

/* No vector instruction may run before the coprocessors are on. */
__attribute__((section(".boot"), naked, noreturn)) void reset_handler(void) {
  __asm__ volatile(
      "ldr r0, =0xE000ED88\n ldr r1, [r0]\n orr r1, r1, #(0xF << 20)\n str r1, [r0]\n dsb\n isb\n"
      "ldr r0, =stack_limit\n msr msplim, r0\n b start\n .ltorg\n");
}

__attribute__((noreturn, used)) void start(void) {
  const uint32_t* from = &data_load;
  uint32_t* to;
  for (to = &data_start; to < &data_end;) *to++ = *from++;
  for (to = &bss_start; to < &bss_end;) *to++ = 0;
  *(volatile uint32_t*)0xE000ED24u |= 7u
                                      << 16; /* memory, bus and usage faults each to its handler */
  leave(main());
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) static const void* const vectors[16] = {&stack_top,
                                                                                   reset_handler,
                                                                                   fault_handler,
                                                                                   fault_handler,
                                                                                   fault_handler,
                                                                                   fault_handler,
                                                                                   fault_handler,
                                                                                   fault_handler,
                                                                                   0,
                                                                                   0,
                                                                                   0,
                                                                                   fault_handler,
                                                                                   fault_handler,
                                                                                   0,
                                                                                   fault_handler,
                                                                                   fault_handler};
