#include <algorithm>
#include <memory>

#include "base/text.h"
#include "fault/fault_places.h"

namespace lockstep {
namespace {

// What a fault remembers of earlier runs, by itself: a reference that runs twice starts anew.
struct Memory {
  Tensor made, first;  // what the node itself made in the run before, and in the very first
  std::map<ValueId, Tensor> before, at_first;  // what it asks for beside its inputs, likewise
  std::int64_t run = 0;
};

Find among(const std::map<ValueId, Tensor>& tensors) {
  return [&tensors](ValueId id) {
    const auto at = tensors.find(id);
    return at == tensors.end() ? nullptr : &at->second;
  };
}

NodeId node_named(const Graph& g, std::string_view name) {
  if (const NodeId node = g.find_node(name); node != no_id) return node;
  if (const ValueId value = g.find_value(name); value != no_id) return g.value(value).producer;
  for (std::size_t n = 0; n < g.nodes().size(); ++n)
    if (g.nodes()[n].origin.name == name) return static_cast<NodeId>(n);
  return no_id;
}

Error unknown_place(const Graph& g, const FaultSpec& spec) {
  std::vector<std::string> names;
  if (spec.fault->stage == Stage::input)
    for (const ValueId id : g.inputs()) names.push_back(g.value(id).name);
  else
    for (const Node& node : g.nodes()) names.push_back(node.name);
  const std::string near = nearest(spec.node, names);
  const std::string kind = spec.fault->stage == Stage::input ? "network input" : "node";
  return Error{g.file(),
               "no " + kind + " '" + spec.node + "' for fault " + std::string(spec.fault->name),
               "the name of a " + kind + " as `lockstep inspect` prints it",
               near.empty() ? "" : "did you mean '" + near + "'?"};
}

std::string place_hint(const Executor& reference, const FaultDef& fault) {
  const auto sites = sites_of(reference, fault);
  if (sites.empty()) return "this model has none";
  const Graph& g = reference.graph();
  const Site& first = sites[0];
  return "for instance '" +
         (first.node == no_id ? g.value(first.input).name : g.node(first.node).name) + "'";
}

Result<std::vector<Site>> sites_for(const Executor& reference, const FaultSpec& spec) {
  const Graph& g = reference.graph();
  if (spec.node.empty()) {
    std::vector<Site> sites = sites_of(reference, *spec.fault);
    if (sites.empty())
      return Error{g.file(),
                   "fault " + std::string(spec.fault->name) + " could show nowhere in this model",
                   "a model with a place for it",
                   "under another arithmetic the nodes may differ: --reference"};
    // An exchange of inputs is one place: at each of three in turn it would be a rotation.
    if (spec.fault->stage == Stage::input && spec.fault->reads) return std::vector<Site>{sites[0]};
    return sites;
  }
  Site site{reference, no_id, no_id};
  if (spec.fault->stage == Stage::input) {
    const ValueId id = g.find_value(spec.node);
    if (std::ranges::find(g.inputs(), id) != g.inputs().end()) site.input = id;
  } else {
    site.node = node_named(g, spec.node);
  }
  if (site.node == no_id && site.input == no_id) return unknown_place(g, spec);
  if (!spec.fault->applies(site))
    return Error{
        site.node != no_id ? g.where(g.node(site.node)) : g.file() + ": input '" + spec.node + "'",
        "fault " + std::string(spec.fault->name) + " could not show here", "a place where it could",
        place_hint(reference, *spec.fault)};
  return std::vector<Site>{site};
}

NodeHook node_hook(std::shared_ptr<const Executor> reference, const FaultSpec& spec, NodeId node) {
  auto memory = std::make_shared<Memory>();
  const Site site{*reference, node, no_id};
  std::vector<ValueId> also;
  if (spec.fault->reads) also = spec.fault->reads(site, spec.params);
  auto change = [reference, spec, node, memory, also](
                    std::span<const Tensor* const> seen, std::span<Tensor> out,
                    std::span<const Tensor> shown) -> Result<void> {
    const Site here{*reference, node, no_id};
    const bool is_first = shown.empty();
    if (is_first) memory->run = 0;
    Tensor made = out[0];
    const auto in = seen.subspan(0, seen.size() - also.size());
    const auto find = [&](ValueId id) -> const Tensor* {
      const auto at = std::ranges::find(also, id);
      return at == also.end() ? nullptr
                              : seen[in.size() + static_cast<std::size_t>(at - also.begin())];
    };
    Replay r{here,
             spec.params,
             in,
             out,
             is_first ? nullptr : &memory->made,
             is_first ? nullptr : &shown[0],
             is_first ? nullptr : &memory->first,
             find,
             memory->run++};
    if (!is_first) r.find_before = among(memory->before), r.find_first = among(memory->at_first);
    LOCKSTEP_CHECK(spec.fault->replay(r));
    for (const ValueId id : also)
      if (const Tensor* t = find(id)) memory->before.insert_or_assign(id, *t);
    if (is_first) memory->first = made, memory->at_first = memory->before;
    memory->made = std::move(made);
    return {};
  };
  return {node, std::move(change), std::move(also)};
}

InputHook input_hook(std::shared_ptr<const Executor> reference, const FaultSpec& spec,
                     ValueId input) {
  auto memory = std::make_shared<Memory>();
  auto change = [reference, spec, input, memory](Tensor& x, const Tensor* previous,
                                                 const Sample& fed) -> Result<void> {
    const Site here{*reference, no_id, input};
    if (!previous) memory->first = x, memory->run = 0;
    const Tensor sent = x;
    const Tensor* in[] = {&sent};
    const auto find = [&](ValueId id) -> const Tensor* {
      const auto at = fed.find(reference->graph().value(id).name);
      return at != fed.end() ? &at->second : nullptr;
    };
    Replay r{here,
             spec.params,
             in,
             std::span<Tensor>(&x, 1),
             previous,
             previous ? &memory->made : nullptr,
             previous ? &memory->first : nullptr,
             find,
             memory->run++};
    LOCKSTEP_CHECK(spec.fault->replay(r));
    memory->made = x;
    return {};
  };
  return {input, std::move(change)};
}

}  // namespace

Result<RunOptions> inject(const Executor& reference, std::span<const FaultSpec> faults) {
  const auto shared = std::make_shared<const Executor>(reference);
  RunOptions options;
  for (const FaultSpec& spec : faults) {
    LOCKSTEP_TRY(const std::vector<Site> sites, sites_for(*shared, spec));
    for (const Site& site : sites)
      if (site.node != no_id)
        options.node_hooks.push_back(node_hook(shared, spec, site.node));
      else if (spec.node.empty() && !spec.fault->reads)
        options.input_hooks.push_back(input_hook(shared, spec, site.input));
      else
        for (FaultPlace& place : places_of(site, *spec.fault, spec.params))
          options.input_hooks.push_back(input_hook(
              shared, {spec.fault, spec.node, std::move(place.params)}, place.site.input));
  }
  return options;
}

}  // namespace lockstep
