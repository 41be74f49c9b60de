#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "diagnose/trial.h"
#include "fault/fault_describe.h"
#include "op/op.h"

namespace lockstep {

// Replays that take sums apart, product by product.
bool sums_term_by_term(const FaultDef& fault) {
  static constexpr std::string_view names[] = {"group-saturation", "pair-saturation", "products-dropped", "accumulator-16bit"};
  return std::ranges::count(names, fault.name) > 0;
}

namespace {

// A parameter that numbers a tensor of the graph is written by the tensor's name.
std::string filled(std::string_view claim, const FaultDef& fault, const Params& params,
                   const Graph& g) {
  std::string text(claim);
  for (const ParamSpec& spec : fault.params) {
    const auto it = params.find(spec.name);
    const std::string mark = "{" + std::string(spec.name) + "}";
    const double number = it == params.end() ? spec.fallback : it->second;
    const bool tensor =
        spec.name == "other" && number >= 0 && number < static_cast<double>(g.values().size());
    const std::string with =
        tensor ? g.value(static_cast<ValueId>(number)).name : number_text(number);
    for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; at += with.size())
      text.replace(at, mark.size(), with);
  }
  return text;
}

// How far one element is from the device's, in LSB; reals in shares of its magnitude. At most 255.
double distance(const Tensor& made, const Tensor& device, std::int64_t i, bool codes) {
  constexpr double most = 255;
  if (codes) return std::min(most, static_cast<double>(std::abs(made.code(i) - device.code(i))));
  if (Trial::same_number(made, device, i)) return 0;
  const double share =
      std::abs(made.number(i) - device.number(i)) / (std::abs(device.number(i)) + 1e-30);
  return std::isfinite(share) ? std::min(most, 64 * share) : most;
}

void count(const Tensor& expected, const Tensor& replayed, const Tensor& device, Explanation& e) {
  const bool codes = !is_float(device.dtype()) && !is_float(replayed.dtype());
  for (std::int64_t i = 0; i < device.count(); ++i) {
    const bool right = Trial::same_number(expected, device, i),
               matches = Trial::same_number(replayed, device, i);
    ++e.values;
    e.differing += !right;
    e.reproduced += !right && matches;
    e.spoiled += right && !matches;
    if (!matches) e.misfit += distance(replayed, device, i, codes);
  }
}

}  // namespace

bool Trial::same_number(const Tensor& a, const Tensor& b, std::int64_t i) {
  if (!is_float(a.dtype()) && !is_float(b.dtype())) return a.code(i) == b.code(i);
  const double x = a.number(i), y = b.number(i);
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
  if (!std::isfinite(x) || !std::isfinite(y)) return x == y;
  return std::abs(x - y) <= 4e-6 * std::max(std::abs(x), std::abs(y));
}

std::string number_text(double x) {
  return fmt::format("{:.6g}", x);
}

std::string spec_text(const FaultDef& fault, const std::string& site, const Params& params) {
  std::string text = std::string(fault.name) + (site.empty() ? "" : "@" + site);
  for (const auto& [name, number] : params) text += "," + name + "=" + number_text(number);
  return text;
}

Replay Trial::replay_of(std::size_t index, const Step& step, std::span<const Tensor* const> in,
                        std::span<Tensor> out) const {
  Past p = past(index, step.site);
  return {step.site, step.params,       in,
          out,       p.previous,        p.shown,
          p.first,   std::move(p.find), static_cast<std::int64_t>(items_[index].sample)};
}

// A network input after all steps that act on it.
Result<Tensor> Trial::changed_input(std::size_t index, ValueId input,
                                    std::span<const Step> steps) const {
  const Tensor& sent =
      recorded_->sent[items_[index].sample].at(test_->reference().graph().value(input).name);
  Tensor x = sent;
  for (const Step& step : steps) {
    if (step.site.node != no_id || step.site.input != input) continue;
    const Tensor* in[] = {&sent};
    Replay r = replay_of(index, step, in, {&x, 1});
    LOCKSTEP_CHECK(step.fault->replay(r));
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
      LOCKSTEP_TRY(Tensor x, changed_input(index, step.site.input, steps));
      instead.insert_or_assign(g.value(step.site.input).name, std::move(x));
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
  constexpr double each = 20000, of_each_node = 4000, element = 4, by_kernel = 0.15;
  const Graph& g = test_->reference().graph();
  const auto of_node = [&](NodeId n, double mac) {
    const NodeView view{g, g.node(n)};
    const OpDef* op = find_op(view.node.op);
    double sum = of_each_node + (op && op->cost ? mac * static_cast<double>(op->cost(view).macs) : 0);
    for (const ValueId v : view.node.outputs)
      if (v != no_id) sum += element * static_cast<double>(count_of(g.value(v).shape));
    return sum;
  };
  const double own = fault && sums_term_by_term(*fault) ? 1 : by_kernel;
  double sum = each + element * static_cast<double>(count_of(g.value(row_->value).shape));
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
    sum += of_node(n, n == site.node ? own : by_kernel);
    for (const ValueId v : node.outputs)
      if (v != no_id) after[static_cast<std::size_t>(v)] = true;
  }
  return sum;
}

std::int64_t Trial::values() const {
  std::int64_t n = 0;
  for (const Item& item : items_) n += item.device->count();
  return n;
}

// Where the device's codes follow from the right ones by a table, as few right ones lead anywhere
// else.
double Trial::table_bits() const {
  constexpr double each = 16;  // a code, and what it becomes
  std::map<double, double> table;
  std::size_t changed = 0;
  for (const Item& item : items_)
    for (std::int64_t i = 0; i < item.device->count(); ++i) {
      const double right = item.expected.number(i), device = item.device->number(i);
      const auto [it, fresh] = table.emplace(right, device);
      if (!(it->second == device)) return std::numeric_limits<double>::infinity();
      if (fresh && right != device && ++changed > 256)
        return std::numeric_limits<double>::infinity();
    }
  // That it is a table is said as well, among all faults.
  return each * static_cast<double>(changed) + std::log2(static_cast<double>(fault_table().size()));
}

double Trial::misfit(const Step& step, std::span<const std::size_t> samples) const {
  const bool codes = !is_float(test_->reference().graph().value(row_->value).dtype);
  double sum = 0;
  for (const std::size_t s : samples) {
    const auto made = replay(s, std::span(&step, 1));
    if (!made.ok()) return std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < items_[s].device->count(); ++i)
      sum += distance(*made, *items_[s].device, i, codes);
  }
  return sum;
}

Result<Explanation> Trial::test(std::span<const Step> steps,
                                std::span<const std::size_t> samples) const {
  const Graph& g = test_->reference().graph();
  Explanation e;
  for (const Step& step : steps) {
    const std::string site =
        step.site.node == no_id ? g.value(step.site.input).name : g.node(step.site.node).name;
    const std::string more = &step == &steps.front() ? "" : "+";
    e.spec += more + spec_text(*step.fault, site, step.params);
    e.claim +=
        (more.empty() ? "" : "; and ") + filled(step.fault->claim, *step.fault, step.params, g);
    if (more.empty())
      e.fault = step.fault, e.params = step.params, e.site = site;
    else
      e.also.push_back({step.fault, site, step.params});
    e.bits += description_bits(step.site, *step.fault, step.params);
    e.listed = e.listed || lists_places(step.params);
  }
  const QuantParams step_size = step_of(g, row_->value);
  Meter rest;
  for (const std::size_t i : samples) {
    LOCKSTEP_TRY(const Tensor made, replay(i, steps));
    count(items_[i].expected, made, *items_[i].device, e);
    LOCKSTEP_CHECK(rest.add(made, step_size, *items_[i].device, step_size));
  }
  const Metrics m = rest.metrics();
  e.rest_lsb = m.has_lsb ? m.max_lsb : std::numeric_limits<double>::quiet_NaN();
  return e;
}

}  // namespace lockstep
