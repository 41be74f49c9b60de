/* Standard input and output. */
#include <stdio.h>

#include "port.h"

void port_open(void) {}
int port_read(void* to, size_t bytes) {
  return fread(to, 1, bytes, stdin) == bytes;
}
void port_write(const void* from, size_t bytes) {
  fwrite(from, 1, bytes, stdout);
}
void port_close(void) {
  fflush(stdout);
}
void port_run(void (*run)(void)) {
  run();
}
