/* Where the harness reads and writes. */
#ifndef PORT_H
#define PORT_H

#include <stddef.h>
#include <stdint.h>

void port_open(void);
int port_read(void* to, size_t bytes); /* 0 at the end of the stream */
void port_write(const void* from, size_t bytes);
void port_close(void);
void port_run(void (*run)(void)); /* one run between the marks of the instruction counter */

#endif
