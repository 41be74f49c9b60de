#pragma once

#include <span>
#include <string>
#include <vector>

#include "diagnose/search.h"

namespace lockstep {

struct Case;
struct UnitWork;

// What the captures say of one operation at which the cause could act too.
enum class Shows : std::uint8_t {
  yes,      // it is wrong in this very way
  no,       // it is right, and the fault would have changed it
  silent,   // it is right, and the fault would change nothing on these inputs
  unknown,  // not captured, wrong in another way, or too much to replay
};

// The operations of one family at which the fault could act.
struct Family {
  std::string name;  // "every Add", "every channel-wise convolution"
  Scope kind = Scope::this_node;
  std::vector<NodeId> nodes;
};
// The families that `node` belongs to, narrowest first, of `among`; the first holds the node alone.
// Those of equal contents are one.
std::vector<Family> families_of(const Executor& reference, NodeId node,
                                const std::vector<NodeId>& among,
                                std::span<const UnitWork> units = {});

// How far the first suspect's cause reaches, every reading judged by the rest of the captures, the
// likeliest first: the cause replayed at each operation of the family from the device's own inputs.
// Empty for causes of network inputs and for those that could act at one operation only.
std::vector<ScopeReading> scopes_of(const Case& c, const Verdict& verdict);

// All faults that the verdict believes in, at every operation of the scope: what a repair undoes
// and what a rewritten network would still meet. Causes replayed in another arithmetic are left
// out.
std::vector<FaultSpec> believed(const Verdict& verdict);

// Where several operations lie between captured tensors and no fault at one of them explains the
// numbers: one fault at all operations of a family. Nothing is returned that does not reproduce
// every value.
std::optional<Explanation> search_families(const Trial& trial, const SearchOptions& options,
                                           Suspect& spent);

}  // namespace lockstep
