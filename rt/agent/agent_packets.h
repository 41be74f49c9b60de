/* Packets under messages: what lockstep_agent.c builds on. */
#ifndef LOCKSTEP_AGENT_PACKETS_H
#define LOCKSTEP_AGENT_PACKETS_H

#include <pb.h>
#include <pb_decode.h>
#include <pb_encode.h>

#include "lockstep_agent.h"

uint32_t lockstep_crc32(uint32_t crc, const uint8_t* bytes, size_t size);

/* Waits for the first packet of a message: of a request when `idle`, which tells the framing when
   packets are small. 1: there; 0: not. Where another message was due and SYNC came, `restart` is
   set and the packet stays for the next request. */
int lockstep_packets_begin(lockstep_agent* a, uint32_t wait_ms, int idle);
/* Decodes one length-delimited message of the packets begun. 1: decoded; 0: not, and the link is
   idle again; 2: decoded, but its check field is wrong or missing where it must be. `has_crc` and
   `crc` are the message's own, looked at afterwards. */
int lockstep_packets_decode(lockstep_agent* a, const pb_msgdesc_t* fields, void* message,
                            const bool* has_crc, const uint32_t* crc);
/* Encodes one message with its check field. 0: sent. */
int lockstep_packets_encode(lockstep_agent* a, const pb_msgdesc_t* fields, const void* message);
/* Back to small packets, nothing half-read. */
void lockstep_packets_reset(lockstep_agent* a);

#endif
