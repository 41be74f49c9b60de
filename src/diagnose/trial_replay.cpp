#include <algorithm>

#include "diagnose/trial.h"
#include "fault/fault_places.h"
#include "fault/fault_work.h"

namespace lockstep {

Replay Trial::replay_of(std::size_t index, const Step& step, std::span<const Tensor* const> in,
                        std::span<Tensor> out) const {
  Past p = past(index, step.site);
  return {step.site,
          step.params,
          in,
          out,
          p.previous,
          p.shown,
          p.first,
          std::move(p.find),
          static_cast<std::int64_t>(items_[index].sample),
          std::move(p.find_before),
          std::move(p.find_first)};
}

// A network input after all steps that act on it.
Result<Tensor> Trial::changed_input(std::size_t index, ValueId input,
                                    std::span<const Step> steps) const {
  const Sample& sample = recorded_->sent[items_[index].sample];
  const auto sent = sample.find(test_->reference().graph().value(input).name);
  if (sent == sample.end())
    return Error{test_->reference().graph().value(input).name, "what was sent is not known",
                 "--input with what was fed to the device", ""};
  Tensor x = sent->second;
  for (const Step& step : steps) {
    if (step.site.node != no_id) continue;
    for (const FaultPlace& place : places_of(step.site, *step.fault, step.params)) {
      if (place.site.input != input) continue;
      const Step here{place.site, step.fault, place.params};
      const Tensor* in[] = {&sent->second};
      Replay r = replay_of(index, here, in, {&x, 1});
      LOCKSTEP_CHECK(step.fault->replay(r));
    }
  }
  return x;
}

Result<Tensor> Trial::replay_row(std::size_t index, std::span<const Step> steps) const {
  const Item& item = items_[index];
  std::vector<Tensor> out = item.out;
  for (std::size_t k = 0; k < steps.size(); ++k) {
    Replay r = replay_of(index, steps[k], item.in_pointers, out);
    // What a later step finds in earlier runs is what the steps before it had made there.
    Tensor previous, first;
    if (k > 0) r.previous = r.first = nullptr;
    if (k > 0 && index > 0) {
      LOCKSTEP_TRY(previous, replay_row(index - 1, steps.first(k)));
      LOCKSTEP_TRY(first, replay_row(0, steps.first(k)));
      r.previous = &previous;
      r.first = &first;
    }
    LOCKSTEP_CHECK(steps[k].fault->replay(r));
  }
  const Node& node = test_->reference().graph().node(row_->node);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (node.outputs[i] == row_->value) return std::move(out[i]);
  return item.expected;
}

bool Trial::changes_output(std::size_t index, const Step& step) const {
  const Item& item = items_[index];
  std::vector<Tensor> as_made = item.out, otherwise = item.out;
  for (Tensor& t : otherwise)
    for (std::byte& b : t.bytes()) b ^= std::byte{1};
  Replay one = replay_of(index, step, item.in_pointers, as_made),
         two = replay_of(index, step, item.in_pointers, otherwise);
  std::vector<Tensor> earlier;  // what the run before made counts as made as well
  earlier.reserve(2);
  for (const Tensor** t : {&two.previous, &two.first}) {
    if (!*t) continue;
    earlier.push_back(**t);
    for (std::byte& b : earlier.back().bytes()) b ^= std::byte{1};
    *t = &earlier.back();
  }
  return step.fault->replay(one).ok() && step.fault->replay(two).ok() && !(as_made == otherwise);
}

// Only what stands after a step is computed again.
Result<Tensor> Trial::replay_cone(std::size_t index, std::span<const Step> steps) const {
  const Graph& g = test_->reference().graph();
  RunOptions options;
  Sample instead;
  for (const Step& step : steps) {
    if (step.site.node == no_id) {
      for (const FaultPlace& place : places_of(step.site, *step.fault, step.params)) {
        LOCKSTEP_TRY(Tensor x, changed_input(index, place.site.input, steps));
        instead.insert_or_assign(g.value(place.site.input).name, std::move(x));
      }
      continue;
    }
    options.node_hooks.push_back(
        {step.site.node,
         [this, index, &step](std::span<const Tensor* const> in, std::span<Tensor> out, auto) {
           Replay r = replay_of(index, step, in, out);
           return step.fault->replay(r);
         }});
  }
  if (!instead.empty())
    return test_->recompute(row_->value, items_[index].sample, options, instead);
  std::vector<bool> changed(g.values().size(), false);
  Sample known;
  std::vector<NodeId> nodes = row_->segment;
  for (const Site& s : sites_)
    if (s.node != no_id && std::ranges::find(nodes, s.node) == nodes.end()) nodes.push_back(s.node);
  std::ranges::sort(nodes);
  for (const NodeId n : nodes) {
    const Node& each = g.node(n);
    const bool again =
        std::ranges::any_of(steps, [&](const Step& s) { return s.site.node == n; }) ||
        std::ranges::any_of(each.inputs, [&](ValueId v) {
          return v != no_id && changed[static_cast<std::size_t>(v)];
        });
    if (!again) continue;
    for (const ValueId v : each.outputs)
      if (v != no_id) changed[static_cast<std::size_t>(v)] = true;
    for (const ValueId v : each.inputs)
      if (v != no_id && !changed[static_cast<std::size_t>(v)] && !g.value(v).constant)
        if (const Tensor* t = inside(index, v)) known.emplace(g.value(v).name, *t);
  }
  if (!changed[static_cast<std::size_t>(row_->value)]) return items_[index].expected;
  const std::string wanted[] = {row_->tensor};
  LOCKSTEP_TRY(Sample made, test_->reference().run_from(known, wanted, options));
  return std::move(made.at(row_->tensor));
}

Result<Tensor> Trial::replay(std::size_t index, std::span<const Step> steps) const {
  if (row_->node == no_id) return changed_input(index, row_->value, steps);
  if (std::ranges::all_of(steps, [&](const Step& s) { return is_row(s.site); }))
    return replay_row(index, steps);
  return replay_cone(index, steps);
}

// A replay that computes little still takes some time.
double Trial::work(const Site& site, const FaultDef* fault) const {
  constexpr double each = 20000;
  const Graph& g = test_->reference().graph();
  const auto of_node = [&](NodeId n, double mac) { return node_work({g, g.node(n)}, mac); };
  // A layer computed in pieces has no kernel for what is changed.
  const bool pieces = fault && test_->reference().arithmetic().numerics->product;
  // Sums of reals in a runtime's own order take as long by any way.
  const bool reals = site.node != no_id && is_float(site.view().output(0).dtype);
  const double own =
      fault && (pieces || reals || fault->cost != SumCost::kernel) ? 1 : products_by_kernel;
  double sum = each + work_of_element * static_cast<double>(count_of(g.value(row_->value).shape));
  if (is_row(site)) return sum + of_node(site.node, own);
  std::vector<bool> after(g.values().size(), false);
  if (site.node == no_id) {
    constexpr double input_element = 16;  // decoded, changed and coded again
    after[static_cast<std::size_t>(site.input)] = true;
    sum += input_element * static_cast<double>(count_of(g.value(site.input).shape));
  }
  std::vector<NodeId> nodes = row_->segment;
  if (site.node != no_id && std::ranges::find(nodes, site.node) == nodes.end())
    nodes.push_back(site.node);
  std::ranges::sort(nodes);
  for (const NodeId n : nodes) {
    const Node& node = g.node(n);
    if (n != site.node && std::ranges::none_of(node.inputs, [&](ValueId v) {
          return v != no_id && after[static_cast<std::size_t>(v)];
        }))
      continue;
    sum += of_node(n, n == site.node ? own : products_by_kernel);
    for (const ValueId v : node.outputs)
      if (v != no_id) after[static_cast<std::size_t>(v)] = true;
  }
  return sum;
}

}  // namespace lockstep
