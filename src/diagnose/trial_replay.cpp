#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "diagnose/trial.h"
#include "fault/fault_describe.h"

namespace lockstep {
namespace {

// A parameter that numbers a tensor of the graph is written by the tensor's name.
std::string filled(std::string_view claim, const FaultDef& fault, const Params& params, const Graph& g) {
  std::string text(claim);
  for (const ParamSpec& spec : fault.params) {
    const auto it = params.find(spec.name);
    const std::string mark = "{" + std::string(spec.name) + "}";
    const double number = it == params.end() ? spec.fallback : it->second;
    const bool tensor = spec.name == "other" && number >= 0 && number < static_cast<double>(g.values().size());
    const std::string with = tensor ? g.value(static_cast<ValueId>(number)).name : number_text(number);
    for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; at += with.size())
      text.replace(at, mark.size(), with);
  }
  return text;
}

void count(const Tensor& expected, const Tensor& replayed, const Tensor& device, Explanation& e) {
  for (std::int64_t i = 0; i < device.count(); ++i) {
    const bool right = Trial::same_number(expected, device, i), matches = Trial::same_number(replayed, device, i);
    ++e.values;
    e.differing += !right;
    e.reproduced += !right && matches;
    e.spoiled += right && !matches;
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

std::string number_text(double x) { return fmt::format("{:.6g}", x); }

std::string spec_text(const FaultDef& fault, const std::string& site, const Params& params) {
  std::string text = std::string(fault.name) + (site.empty() ? "" : "@" + site);
  for (const auto& [name, number] : params) text += "," + name + "=" + number_text(number);
  return text;
}

Result<Tensor> Trial::replay_input(std::size_t index, const Site& site, const FaultDef& fault,
                                   const Params& params) const {
  const Item& item = items_[index];
  const std::string& name = test_->reference().graph().value(site.input).name;
  const Tensor& sent = recorded_->sent[item.sample].at(name);
  Tensor x = sent;
  const Tensor* in[] = {&sent};
  const Past p = past(index, site);
  Replay r{site, params, in, {&x, 1}, p.previous, p.shown, p.first, p.find,
           static_cast<std::int64_t>(item.sample)};
  LOCKSTEP_CHECK(fault.replay(r));
  if (row_->node == no_id) return x;
  Sample instead;
  instead.emplace(name, std::move(x));
  return test_->recompute(row_->value, item.sample, {}, instead);
}

Result<Tensor> Trial::replay_node(std::size_t index, const Site& site, const FaultDef& fault,
                                  const Params& params) const {
  const Item& item = items_[index];
  const Node& node = site.graph().node(site.node);
  const Past p = past(index, site);
  if (is_row(site)) {
    std::vector<Tensor> out = item.out;
    Replay r{site, params, item.in_pointers, out, p.previous, p.shown, p.first, p.find,
             static_cast<std::int64_t>(item.sample)};
    LOCKSTEP_CHECK(fault.replay(r));
    for (std::size_t i = 0; i < out.size(); ++i)
      if (node.outputs[i] == row_->value) return std::move(out[i]);
  }
  RunOptions options;
  options.node_hooks.push_back({site.node, [&](std::span<const Tensor* const> in, std::span<Tensor> out, auto) {
                                  Replay r{site, params, in, out, p.previous, p.shown, p.first, p.find,
                                           static_cast<std::int64_t>(item.sample)};
                                  return fault.replay(r);
                                }});
  // Only what stands after the node is computed again.
  std::vector<bool> changed(site.graph().values().size(), false);
  Sample known;
  std::vector<NodeId> nodes = row_->segment;
  if (std::ranges::find(nodes, site.node) == nodes.end())
    for (const Site& s : sites())
      if (s.node != no_id && std::ranges::find(nodes, s.node) == nodes.end()) nodes.push_back(s.node);
  std::ranges::sort(nodes);
  for (const NodeId n : nodes) {
    const Node& each = site.graph().node(n);
    const bool again = n == site.node || std::ranges::any_of(each.inputs, [&](ValueId v) {
      return v != no_id && changed[static_cast<std::size_t>(v)];
    });
    if (!again) continue;
    for (const ValueId v : each.outputs)
      if (v != no_id) changed[static_cast<std::size_t>(v)] = true;
    for (const ValueId v : each.inputs)
      if (v != no_id && !changed[static_cast<std::size_t>(v)] && !site.graph().value(v).constant)
        if (const Tensor* t = inside(index, v)) known.emplace(site.graph().value(v).name, *t);
  }
  if (!changed[static_cast<std::size_t>(row_->value)]) return item.expected;
  const std::string wanted[] = {row_->tensor};
  LOCKSTEP_TRY(Sample made, test_->reference().run_from(known, wanted, options));
  return std::move(made.at(row_->tensor));
}

Result<Tensor> Trial::replay(std::size_t index, const Site& site, const FaultDef& fault, const Params& params) const {
  return site.node == no_id ? replay_input(index, site, fault, params) : replay_node(index, site, fault, params);
}

std::int64_t Trial::values() const {
  std::int64_t n = 0;
  for (const Item& item : items_) n += item.device->count();
  return n;
}

// Where the device's codes follow from the right ones by a table, as few right ones lead anywhere else.
double Trial::table_bits() const {
  constexpr double each = 16;  // a code, and what it becomes
  std::map<double, double> table;
  std::size_t changed = 0;
  for (const Item& item : items_)
    for (std::int64_t i = 0; i < item.device->count(); ++i) {
      const double right = item.expected.number(i), device = item.device->number(i);
      const auto [it, fresh] = table.emplace(right, device);
      if (!(it->second == device)) return std::numeric_limits<double>::infinity();
      if (fresh && right != device && ++changed > 256) return std::numeric_limits<double>::infinity();
    }
  return each * static_cast<double>(changed);
}

double Trial::misfit(const Site& site, const FaultDef& fault, const Params& params,
                     std::span<const std::size_t> samples) const {
  constexpr double most = 255;
  const bool codes = !is_float(test_->reference().graph().value(row_->value).dtype);
  double sum = 0;
  for (const std::size_t s : samples) {
    const auto made = replay(s, site, fault, params);
    if (!made.ok()) return std::numeric_limits<double>::infinity();
    const Tensor& device = *items_[s].device;
    for (std::int64_t i = 0; i < device.count(); ++i) {
      if (codes) {
        sum += std::min(most, static_cast<double>(std::abs(made->code(i) - device.code(i))));
      } else if (!same_number(*made, device, i)) {
        const double apart = std::abs(made->number(i) - device.number(i));
        const double share = apart / (std::abs(device.number(i)) + 1e-30);
        sum += std::isfinite(share) ? std::min(most, 64 * share) : most;
      }
    }
  }
  return sum;
}

Result<Explanation> Trial::test(const Site& site, const FaultDef& fault, const Params& params,
                                std::span<const std::size_t> samples) const {
  const Graph& g = test_->reference().graph();
  Explanation e;
  e.fault = &fault;
  e.params = params;
  e.site = site.node == no_id ? g.value(site.input).name : g.node(site.node).name;
  e.spec = spec_text(fault, e.site, params);
  e.claim = filled(fault.claim, fault, params, g);
  const QuantParams step = step_of(g, row_->value);
  Meter rest;
  for (const std::size_t i : samples) {
    LOCKSTEP_TRY(const Tensor made, replay(i, site, fault, params));
    count(items_[i].expected, made, *items_[i].device, e);
    LOCKSTEP_CHECK(rest.add(made, step, *items_[i].device, step));
  }
  e.bits = description_bits(site, fault, params);
  e.listed = lists_places(params);
  const Metrics m = rest.metrics();
  e.rest_lsb = m.has_lsb ? m.max_lsb : std::numeric_limits<double>::quiet_NaN();
  return e;
}

}  // namespace lockstep
