/*
 * Runs a generated network on samples that come over a byte stream and sends back every tensor.
 * In: number of samples, 1 to keep states between them, number of inputs, bytes of each input; then
 * the inputs, sample by sample. Out: for every tensor of every node its node, output, bytes,
 * contents. Numbers are 32 bits, little end first.
 */
#include NETWORK_HEADER

#include "port.h"

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NET(name) JOIN(NETWORK_NAME, name)

#ifdef LS_POISON
/* Bytes that nothing needs after a node are overwritten: whoever reads them still is found out. */
#include <string.h>

#include "poison.h"
static void poison(int node) {
  size_t i;
  for (i = 0; dead[i].node != -2; ++i)
    if (dead[i].node == node) {
      size_t bytes;
      uint8_t* pool = (uint8_t*)NET(pool)(dead[i].pool, &bytes);
      memset(pool + dead[i].from, 0xa5, dead[i].to - dead[i].from);
    }
}
#endif

static void seen(void* user, int node, int output, const void* data, size_t bytes) {
  const uint32_t head[3] = {(uint32_t)node, (uint32_t)output, (uint32_t)bytes};
  (void)user;
  port_write(head, sizeof head);
  port_write(data, bytes);
#ifdef LS_POISON
  if (output == last_output[node]) poison(node);
#endif
}

int main(void) {
  static uint32_t bytes[4096]; /* of each input */
  uint32_t head[3], s, i;
  port_open();
  if (!port_read(head, sizeof head) || head[2] > sizeof bytes / sizeof bytes[0] ||
      !port_read(bytes, head[2] * sizeof bytes[0]))
    return 2;
  NET(observe)(seen, NULL);
  for (s = 0; s < head[0]; ++s) {
    if (s == 0 || !head[1]) NET(init)();
    for (i = 0; i < head[2]; ++i)
      if (!port_read(NET(input)((int)i), bytes[i])) return 2;
#ifdef LS_POISON
    poison(-1);
#endif
#ifdef LS_COUNT
    NET(observe)(NULL, NULL);
    port_run(NET(run));
#else
    NET(run)();
#endif
  }
  port_close();
  return 0;
}
