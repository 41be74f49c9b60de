/* A firmware for tests of gdb: it runs its network for ever and has a place to stop after every
   node. Every file of it is compiled with -include of this file's upper part (LS_NODE_DONE). */
#ifndef LS_NODE_DONE
#define LS_NODE_DONE
void network_node_done(int node);
#define NETWORK_NODE_BEGIN(node) ((void)0)
#define NETWORK_NODE_END(node) network_node_done(node)
#endif

#ifdef LS_FIRMWARE
#include "network.h"
#include "port.h"

__attribute__((noinline)) void network_node_done(int node) {
  __asm__ volatile("" : : "r"(node) : "memory");
}

int main(void) {
  network_init();
  for (;;) network_run();
}
#endif
