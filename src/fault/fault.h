#pragma once

#include <functional>
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

// What a replay at a sum of products costs: what the node's kernel does, what the operator's own
// meaning does, or sums taken apart product by product.
enum class SumCost : std::uint8_t { kernel, meaning, each_product };

// Which earlier run's output the device shows instead of this one's.
enum class OutputOf : std::uint8_t { this_run, run_before, first_run };

// Which numbers a parameter takes: whole ones, unless it says reals; both ends included.
struct Takes {
  bool whole = true;
  double least = -1e9, most = 1e9;  // counts, places and factors all fit
  static constexpr Takes real() { return {false}; }
  static constexpr Takes share() { return {false, 0, 1}; }
  static constexpr Takes flag() { return {true, 0, 1}; }
  static constexpr Takes up_to(double most) { return {true, 0, most}; }
  static constexpr Takes between(double least, double most) { return {true, least, most}; }
};

using Params = std::map<std::string, double, std::less<>>;
struct ParamSpec {
  std::string_view name, meaning;
  double fallback;
  Takes takes = {};
};

// Another tensor of the same inference by its id; null when it is not at hand.
using Find = std::function<const Tensor*(ValueId)>;

// What is known at a site, one entry per sample, in the order of the runs. At a node: `in` as the
// device had them (pointers null where absent), `expected` what the reference makes of those,
// `observed` what the device yields, each for output 0. At a network input: `in[0]` is the input as
// sent; `observed` may be null. Whatever is not known is null.
struct Evidence {
  struct Item {
    std::vector<const Tensor*> in;
    const Tensor* expected = nullptr;
    const Tensor* observed = nullptr;
    const Tensor* previous =
        nullptr;  // `expected` of the run before (input: as sent then); null in the first
    const Tensor* previous_shown = nullptr;  // `observed` of the run before
    const Tensor* first = nullptr;  // `expected` of the very first run (input: as sent then)
    Find find = {};                 // the device's other tensors of this run
    std::int64_t run = 0;           // which run: its index among the items
    Find find_before = {};          // as `find`, of the run before; empty in the first
    Find find_first = {};           // as `find`, of the very first run
  };
  std::vector<Item> items;
};

// What replay works on: `out` holds what the reference yields (node) or the input (input stage),
// and is changed into what the faulty device has.
struct Replay {
  const Site& site;
  const Params& params;
  std::span<const Tensor* const> in;  // node stage: the node's inputs
  std::span<Tensor> out;
  const Tensor* previous = nullptr;  // as in Evidence::Item
  const Tensor* previous_shown = nullptr;
  const Tensor* first = nullptr;
  Find find = {};
  std::int64_t run = 0;
  Find find_before = {};
  Find find_first = {};
};

// How far a replay with these parameters stays from the evidence; 0 when it is reproduced.
using Misfit = std::function<double(const Params&)>;

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
  // Empty when the evidence speaks against the fault.
  std::vector<Params> (*candidates)(const Site& site, const Evidence& evidence);
  Result<void> (*replay)(Replay& r);
  // Tensors that replay asks `find` for, beside the node's own; null: none.
  std::vector<ValueId> (*reads)(const Site& site, const Params& params) = nullptr;
  // Parameters found by replaying, where what the fault made was not observed itself: `misfit` says
  // how far the replay with some parameters stays from what the device yields further on (0:
  // equal). Null: none.
  std::vector<Params> (*fit)(const Site& site, const Evidence& evidence,
                             const Misfit& misfit) = nullptr;
  // Weights in another order: operands in another order do the same, where those were not captured.
  bool orders_weights = false;
  SumCost cost = SumCost::kernel;
  OutputOf shows = OutputOf::this_run;
};

// The parameter's value: as given, else the fault's fallback.
double param(std::span<const ParamSpec> specs, const Params& params, std::string_view name);
inline double param(const FaultDef& fault, const Params& params, std::string_view name) {
  return param(fault.params, params, name);
}

std::span<const FaultDef* const> fault_table();
const FaultDef* find_fault(std::string_view name);

// One fault at one place, as written: "FAULT[@NODE][,key=value...]".
struct FaultSpec {
  const FaultDef* fault = nullptr;
  std::string node;  // a node, or a tensor that one makes; "": every site where it applies (input
                     // faults: a network input, "" every one)
  Params params;
};
// Parses "A@n,k=0.5+B"; unknown names and parameters are errors with the nearest name as a hint.
Result<std::vector<FaultSpec>> parse_faults(std::string_view text);
// Every site of the reference where the fault applies.
std::vector<Site> sites_of(const Executor& reference, const FaultDef& fault);
// The hooks that make a reference behave so; an error when the node is unknown or the fault does
// not apply.
Result<RunOptions> inject(const Executor& reference, std::span<const FaultSpec> faults);

}  // namespace lockstep
