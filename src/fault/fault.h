#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arith/arith.h"
#include "ir/graph.h"
#include "run/capture.h"
#include "run/executor.h"

namespace lockstep {

// Where a fault acts: on a network input before anything reads it, or on what a node yields.
enum class Stage : std::uint8_t { input, node };

// How far one cause reaches.
enum class Scope : std::uint8_t { this_node, this_operator, unequal_scales, every_node };

// A place in the lowered graph: a node, or a network input (node == no_id).
struct Site {
  const Executor& reference;
  NodeId node = no_id;
  ValueId input = no_id;
  const Graph& graph() const { return reference.graph(); }
  NodeView view() const { return {graph(), graph().node(node)}; }
};

using Params = std::map<std::string, double, std::less<>>;
struct ParamSpec {
  std::string_view name, meaning;
  double fallback;
};

// What is known at a site, one entry per sample. At a node: `in` as the device had them (pointers
// null where absent), `expected` what the reference makes of those, `observed` what the device yields.
// At a network input: `in[0]` is the input as sent; `observed` may be empty.
struct Evidence {
  struct Item {
    std::vector<const Tensor*> in;
    const Tensor* expected = nullptr;
    const Tensor* observed = nullptr;
    const Tensor* previous = nullptr;  // the device's own output of the run before; null in the first
  };
  std::vector<Item> items;
};

// What replay works on: `out` holds what the reference yields (node) or the input (input stage), and
// is changed into what the faulty device has.
struct Replay {
  const Site& site;
  const Params& params;
  std::span<const Tensor* const> in;  // node stage: the node's inputs
  std::span<Tensor> out;
  const Tensor* previous = nullptr;   // out[0] (or the input) of the run before; null in the first
};

// A changed reference: the same object injects in sim: and explains in diagnose/.
struct FaultDef {
  std::string_view name = {};    // what the device does: "reads-input-as-nhwc"
  std::string_view claim = {};   // one sentence; {k} is replaced by parameter k
  std::string_view advice = {};  // what to do, one line per step
  Stage stage;
  Scope scope = Scope::this_node;
  std::span<const ParamSpec> params = {};
  bool (*applies)(const Site& site);  // false where it could not show
  // Parameter sets worth replaying; continuous ones are fitted from the evidence, then snapped.
  std::vector<Params> (*candidates)(const Site& site, const Evidence& evidence);
  Result<void> (*replay)(Replay& r);
};

std::span<const FaultDef* const> fault_table();
const FaultDef* find_fault(std::string_view name);

// One fault at one place, as written: "FAULT[@NODE][,key=value...]".
struct FaultSpec {
  const FaultDef* fault = nullptr;
  std::string node;  // "" : every site where it applies (input faults: every input)
  Params params;
};
// Parses "A@n,k=0.5+B"; unknown names and parameters are errors with the nearest name as a hint.
Result<std::vector<FaultSpec>> parse_faults(std::string_view text);
// The hooks that make a reference behave so; an error when the node is unknown or the fault does not apply.
Result<RunOptions> inject(const Executor& reference, std::span<const FaultSpec> faults);

}  // namespace lockstep
