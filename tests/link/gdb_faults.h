#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::test {

// What a bad server or a bad line does.
struct GdbFaults {
  bool no_ack_mode = true, hardware_breakpoints = true, binary_writes = true, run_lengths = false;
  int damage_every = 0;    // every n-th packet of the server arrives damaged
  int refuse_every = 0;    // every n-th packet of the client is asked for again ('-')
  int silent_after = 0;    // packets; then nothing is answered
  int close_after = 0;     // packets; then the connection is closed
  int babbles_after = 0;   // packets; then bytes that belong to no packet, without end
  int trickles_after = 0;  // packets; then an answer of one byte every 0.2 s
  int chats_after = 0;     // packets; then console packets without end
  bool runs_away = false;  // the core reaches no breakpoint; an interrupt halts it
  bool hangs = false;      // not even an interrupt
  std::vector<std::uint32_t> epochs =
      {};  // no fault: each node is a function at such an address, and none ends at node_done
  std::uint32_t forbidden = 0;  // an address that cannot be read
  bool forbids_all = false;     // no memory can be read
  // Dialects.
  const char* features =
      nullptr;  // the answer to qSupported; null: PacketSize=400 and the no-ack mode as above
  std::size_t longest =
      0x400;  // bytes of a packet that the server takes; a longer one ends the connection
  bool refuses_no_ack = false;     // offers the no-ack mode and then does not agree
  bool only_vcont = false;         // knows vCont alone
  bool notifies = false;           // notification packets between everything
  bool talks = false;              // console packets before an answer
  bool no_whole_writes = false;    // some registers are unknown; G is not known, P is
  bool writes_are_errors = false;  // X is answered by an error, M works
  int hardware_left = 1000;        // comparators; then software breakpoints
  bool interrupts_steps = false;  // a step ends in a handler, which returns to where the step began
  bool runs_at_first =
      false;                 // says that it stopped and lets read no registers before an interrupt
  bool text_errors = false;  // E.reason
};

}  // namespace lockstep::test
