#include "diagnose/trial.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace lockstep {
namespace {

std::string filled(std::string_view claim, const FaultDef& fault, const Params& params) {
  std::string text(claim);
  for (const ParamSpec& spec : fault.params) {
    const auto it = params.find(spec.name);
    const std::string mark = "{" + std::string(spec.name) + "}";
    const std::string with = number_text(it == params.end() ? spec.fallback : it->second);
    for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; at += with.size())
      text.replace(at, mark.size(), with);
  }
  return text;
}

// Equal enough to count as reproduced: codes exactly, floats to the last few bits.
bool same_number(const Tensor& a, const Tensor& b, std::int64_t i) {
  if (!is_float(a.dtype()) && !is_float(b.dtype())) return a.code(i) == b.code(i);
  const double x = a.number(i), y = b.number(i);
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
  return std::abs(x - y) <= 4e-6 * std::max(std::abs(x), std::abs(y)) + 1e-30;
}

void count(const Tensor& expected, const Tensor& replayed, const Tensor& device, Explanation& e) {
  for (std::int64_t i = 0; i < device.count(); ++i) {
    const bool right = same_number(expected, device, i), matches = same_number(replayed, device, i);
    ++e.values;
    e.differing += !right;
    e.reproduced += !right && matches;
    e.spoiled += right && !matches;
  }
}

}  // namespace

std::string number_text(double x) { return fmt::format("{:.6g}", x); }

std::string spec_text(const FaultDef& fault, const std::string& site, const Params& params) {
  std::string text = std::string(fault.name) + (site.empty() ? "" : "@" + site);
  for (const auto& [name, number] : params) text += "," + name + "=" + number_text(number);
  return text;
}

Result<Trial> Trial::make(const LocalTest& test, const Recorded& recorded, const Row& row) {
  Trial trial;
  trial.test_ = &test;
  trial.recorded_ = &recorded;
  trial.row_ = &row;
  for (std::size_t s = 0; s < test.samples(); ++s) {
    Item item;
    item.sample = s;
    item.device = test.device(row.value, s);
    if (!item.device) continue;
    if (item.device->dtype() != test.reference().graph().value(row.value).dtype)
      return Error{row.tensor, "captured as " + std::string(name_of(item.device->dtype())) + ", off the grid of its codes",
                   "the codes themselves", ""};
    item.shown_before = s > 0 ? test.device(row.value, s - 1) : nullptr;
    if (row.node == no_id) {
      const auto sent = recorded.sent[s].find(row.tensor);
      if (sent == recorded.sent[s].end()) continue;
      item.expected = sent->second;
    } else {
      LOCKSTEP_TRY(item.expected, test.recompute(row.value, s));
      if (trial.single_node()) {
        LOCKSTEP_TRY(item.in, test.inputs_of(row.node, s));
        const Node& node = test.reference().graph().node(row.node);
        for (std::size_t i = 0; i < item.in.size(); ++i)
          item.in_pointers.push_back(node.inputs[i] == no_id ? nullptr : &item.in[i]);
        LOCKSTEP_TRY(item.out, test.reference().run_node(row.node, item.in_pointers));
      }
    }
    trial.items_.push_back(std::move(item));
  }
  return trial;
}

std::vector<Site> Trial::sites() const {
  const Graph& g = test_->reference().graph();
  std::vector<Site> sites;
  for (auto it = row_->segment.rbegin(); it != row_->segment.rend(); ++it)
    sites.push_back({test_->reference(), *it, no_id});
  if (row_->node == no_id) sites.push_back({test_->reference(), no_id, row_->value});
  for (const ValueId input : g.inputs()) {
    const bool read = std::ranges::any_of(row_->segment, [&](NodeId n) {
      return std::ranges::count(g.node(n).inputs, input) > 0;
    });
    if (read) sites.push_back({test_->reference(), no_id, input});
  }
  return sites;
}

Trial::Past Trial::past(std::size_t index, const Site& site) const {
  const Graph& g = test_->reference().graph();
  const std::size_t sample = items_[index].sample;
  Past p;
  p.find = [this, sample](ValueId v) { return test_->given(v, sample); };
  if (site.node == no_id) {
    const std::string& name = g.value(site.input).name;
    if (sample > 0) p.previous = &recorded_->sent[sample - 1].at(name);
    p.first = &recorded_->sent[0].at(name);
    return p;
  }
  const ValueId y = g.node(site.node).outputs[0];
  if (single_node() && y == row_->value) {
    if (index > 0) p.previous = &items_[index - 1].expected;
    p.shown = items_[index].shown_before;
    p.first = &items_[0].expected;
  } else if (sample > 0) {
    // Not captured: what the reference made of the run before stands in.
    const auto& before = recorded_->expected[sample - 1];
    const auto it = before.find(g.value(y).name);
    p.previous = it == before.end() ? nullptr : &it->second;
    p.shown = test_->device(y, sample - 1);
    const auto start = recorded_->expected[0].find(g.value(y).name);
    p.first = start == recorded_->expected[0].end() ? nullptr : &start->second;
  }
  return p;
}

Evidence Trial::evidence(const Site& site) const {
  Evidence evidence;
  const Graph& g = test_->reference().graph();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    Evidence::Item known;
    if (site.node == no_id) {
      const auto sent = recorded_->sent[item.sample].find(g.value(site.input).name);
      if (sent == recorded_->sent[item.sample].end()) return {};
      known.in = {&sent->second};
      known.expected = &sent->second;
      known.observed = row_->node == no_id ? item.device : nullptr;
    } else {
      if (!single_node() || site.node != row_->node) return {};
      known.in = item.in_pointers;
      known.expected = &item.expected;
      known.observed = item.device;
    }
    Past p = past(i, site);
    known.previous = p.previous;
    known.previous_shown = p.shown;
    known.first = p.first;
    known.find = std::move(p.find);
    evidence.items.push_back(std::move(known));
  }
  return evidence;
}

Result<Tensor> Trial::replay_input(std::size_t index, const Site& site, const FaultDef& fault,
                                   const Params& params) const {
  const Item& item = items_[index];
  const std::string& name = test_->reference().graph().value(site.input).name;
  const Tensor& sent = recorded_->sent[item.sample].at(name);
  Tensor x = sent;
  const Tensor* in[] = {&sent};
  const Past p = past(index, site);
  Replay r{site, params, in, {&x, 1}, p.previous, p.shown, p.first, p.find};
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
  if (single_node()) {
    std::vector<Tensor> out = item.out;
    Replay r{site, params, item.in_pointers, out, p.previous, p.shown, p.first, p.find};
    LOCKSTEP_CHECK(fault.replay(r));
    for (std::size_t i = 0; i < out.size(); ++i)
      if (node.outputs[i] == row_->value) return std::move(out[i]);
  }
  RunOptions options;
  options.node_hooks.push_back({site.node, [&](std::span<const Tensor* const> in, std::span<Tensor> out, auto) {
                                  Replay r{site, params, in, out, p.previous, p.shown, p.first, p.find};
                                  return fault.replay(r);
                                }});
  return test_->recompute(row_->value, item.sample, options);
}

Result<Tensor> Trial::replay(std::size_t index, const Site& site, const FaultDef& fault, const Params& params) const {
  return site.node == no_id ? replay_input(index, site, fault, params) : replay_node(index, site, fault, params);
}

Result<Explanation> Trial::test(const Site& site, const FaultDef& fault, const Params& params,
                                std::size_t samples) const {
  const Graph& g = test_->reference().graph();
  Explanation e;
  e.fault = &fault;
  e.params = params;
  e.site = site.node == no_id ? g.value(site.input).name : g.node(site.node).name;
  e.spec = spec_text(fault, e.site, params);
  e.claim = filled(fault.claim, fault, params);
  const QuantParams step = step_of(g, row_->value);
  Meter rest;
  for (std::size_t i = 0; i < std::min(samples, items_.size()); ++i) {
    LOCKSTEP_TRY(const Tensor made, replay(i, site, fault, params));
    count(items_[i].expected, made, *items_[i].device, e);
    LOCKSTEP_CHECK(rest.add(made, step, *items_[i].device, step));
  }
  const Metrics m = rest.metrics();
  e.rest_lsb = m.has_lsb ? m.max_lsb : std::numeric_limits<double>::quiet_NaN();
  return e;
}

}  // namespace lockstep
