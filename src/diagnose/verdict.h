#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diagnose/envelope.h"
#include "diagnose/pc_run.h"
#include "diff/diff.h"
#include "diff/spread.h"
#include "fault/fault.h"

namespace lockstep {

// One fault at one place, replayed on what the device read and compared with what it yielded.
struct Explanation {
  const FaultDef* fault = nullptr;
  std::string site;  // node or network input
  Params params;
  std::vector<FaultSpec> also;  // further faults, where only several together leave nothing
  std::string arithmetic;       // where it was replayed; "": in the reference's
  std::string spec;            // as --fault takes it: "operand-rescale@/block2/add,k=0.5,operand=2"
  std::string claim;           // the fault's sentence with its parameters filled in
  std::int64_t values = 0;     // judged: all elements of the suspect tensor, all samples
  std::int64_t differing = 0;  // of those, where the device differs from the right result
  std::int64_t reproduced = 0;  // of the differing, where the replay equals the device
  std::int64_t spoiled = 0;     // of the equal, where the replay no longer equals the device
  double misfit = 0;            // sum of the distances that the replay leaves, each at most 255 LSB
  double rest_lsb = 0;    // greatest difference that the replay leaves, in LSB (NaN: no scale)
  bool accepted = false;  // carries a claim
  // Other specs that do the very same: proven by replays on inputs that the device never saw.
  std::vector<std::string> ties;
  // Other specs that reproduce all that was captured and would differ on other inputs.
  std::vector<std::string> rivals;
  double bits = 0;       // needed to state the cause
  bool listed = false;   // its parameters list places run by run
  bool certain = false;  // all differing values reproduced, none spoiled, the search complete, no
                         // rival as short

  std::int64_t matching() const { return values - differing - spoiled + reproduced; }
  std::int64_t score() const { return reproduced - spoiled; }
  std::int64_t rest() const {
    return differing - reproduced + spoiled;
  }  // values that the replay leaves wrong
  bool exact() const { return differing > 0 && rest() == 0; }
};

// One wrong operation and what may explain it, best first.
struct Suspect {
  std::size_t row = 0;  // in Comparison::rows
  std::vector<Explanation> ranked;
  int tried = 0;           // replays
  double work = 0;         // what they cost, in multiply-accumulates
  bool cut_short = false;  // the search ended by its limit of work
  const Explanation* cause() const {
    return !ranked.empty() && ranked[0].accepted ? &ranked[0] : nullptr;
  }
};

// How far the cause reaches: the operations of its kind, and how many of them show it.
struct Reach {
  std::string op;
  int of_kind = 0, showing = 0;
};

// One reading of which operations the cause acts on, and what the rest of the captures says of it.
struct ScopeReading {
  std::string name;  // "this operation", "every Add", "every channel-wise convolution"
  std::vector<std::string> sites;  // its nodes at which the fault could act
  int shown = 0;                   // wrong in this very way
  int right = 0;                   // right, though the fault would have changed them
  int silent = 0;         // right, and the fault would change nothing there on these inputs
  int unknown = 0;        // not captured, or wrong in another way
  int shown_outside = 0;  // operations that show it and are no part of this reading
  std::vector<std::string> right_sites, not_judged;
  double bits = 0;  // what it takes to hold this reading; the least first
  // Of the first reading: no other is nearly as likely; else which, and the operations that would
  // decide.
  bool settled = false;
  std::string or_else;
  std::vector<std::string> would_settle;
};

// What the network yields when the wrong operation is right again: the device's own tensors before
// it, the reference after it, other explained faults still in place.
struct Repair {
  std::string output;
  double cosine_before = 0, cosine = 0;
  double max_lsb = 0;
  bool has_lsb = false;
};

// A change of the model that avoids the cause, predicted by running it without the fault.
struct Rewrite {
  std::string text;
  double cosine = 0;   // of the worst output, against the reference
  bool holds = false;  // at or above the gate
};
inline constexpr double rewrite_gate = 0.95;

struct Verdict {
  bool healthy = false;
  // Neither called healthy nor faulty: what differs may be rounding that adds up over operations
  // between captured tensors, and no cause was found. `suspects` is empty then, `next` names the
  // capture that decides.
  bool undecided = false;
  std::string summary;  // "healthy", "healthy, computes as ort-noopt", "mismatch", ...
  std::string
      computes_as;  // other arithmetics that the device equals on every tensor ("a or b"), or ""
  Comparison comparison;
  std::vector<Suspect> suspects;  // the first is the first wrong operation
  // A healthy device's first operation that rounds as no named arithmetic does, and what rounds so.
  std::optional<Suspect> departure;
  int not_examined = 0;  // further wrong operations, beyond number or time
  Reach reach;           // of the first suspect's cause
  std::vector<ScopeReading>
      scopes;  // of the same, likeliest first; empty where only one place is possible
  std::optional<Envelope> envelope;  // where asked for, or where a healthy device differs at all
  std::optional<PcRun> pc;           // what the user's own run on the PC is, where it was given
  std::vector<Repair> repairs;       // one per network output
  std::vector<Rewrite> rewrites;
  std::vector<std::string> advice;
  std::vector<std::string> next;  // what to capture next, as sentences and exact commands
  std::vector<std::string> notes;
  bool unexplained() const {
    return !healthy && !undecided && (suspects.empty() || !suspects[0].cause());
  }
};

}  // namespace lockstep
