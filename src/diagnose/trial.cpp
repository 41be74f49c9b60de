#include "diagnose/trial.h"

#include <algorithm>
#include <functional>

namespace lockstep {

// Tensors inside a long cone are kept for every sample up to this much memory; samples beyond are
// left out of the trial.
constexpr std::size_t most_inside = std::size_t{256} << 20;

Result<void> Trial::fill(Item& item) const {
  const Graph& g = test_->reference().graph();
  if (row_->node == no_id) {
    item.expected = recorded_->sent[item.sample].at(row_->tensor);
    return {};
  }
  if (single_node()) {
    LOCKSTEP_TRY(item.in, test_->inputs_of(row_->node, item.sample));
    const Node& node = g.node(row_->node);
    for (std::size_t i = 0; i < item.in.size(); ++i)
      item.in_pointers.push_back(node.inputs[i] == no_id ? nullptr : &item.in[i]);
    LOCKSTEP_TRY(item.out, test_->reference().run_node(row_->node, item.in_pointers));
    for (std::size_t i = 0; i < item.out.size(); ++i)
      if (node.outputs[i] == row_->value) item.expected = item.out[i];
    return {};
  }
  Sample known;
  const Cone cone = test_->cone(row_->value, item.sample);
  for (const ValueId v : cone.frontier)
    known.emplace(g.value(v).name, *test_->given(v, item.sample));
  std::vector<std::string> wanted;
  for (const NodeId n : cone.nodes)
    for (const ValueId v : g.node(n).outputs)
      if (v != no_id && !g.value(v).constant) wanted.push_back(g.value(v).name);
  LOCKSTEP_TRY(item.inside, test_->reference().run_from(known, wanted));
  item.expected = item.inside.at(row_->tensor);
  return {};
}

Result<Trial> Trial::make(const LocalTest& test, const Recorded& recorded, const Row& row) {
  Trial trial;
  trial.test_ = &test;
  trial.recorded_ = &recorded;
  trial.row_ = &row;
  std::size_t bytes = 0;
  for (std::size_t s = 0; s < test.samples() && bytes < most_inside; ++s) {
    Item item;
    item.sample = s;
    item.device = test.device(row.value, s);
    if (!item.device) continue;
    if (item.device->dtype() != test.reference().graph().value(row.value).dtype)
      return Error{row.tensor,
                   "captured as " + std::string(name_of(item.device->dtype())) +
                       ", off the grid of its codes",
                   "the codes themselves", ""};
    item.shown_before = s > 0 ? test.device(row.value, s - 1) : nullptr;
    LOCKSTEP_CHECK(trial.fill(item));
    trial.read_back(item);
    for (const auto& [name, tensor] : item.inside) bytes += tensor.bytes().size();
    for (std::int64_t i = 0; i < item.device->count(); ++i)
      item.differing += !same_number(item.expected, *item.device, i);
    trial.items_.push_back(std::move(item));
  }
  trial.choose_telling();
  trial.find_sites();
  return trial;
}

bool Trial::reads_first(ValueId input) const {
  const Graph& g = test_->reference().graph();
  return single_node() && row_->op == "QuantizeLinear" && g.node(row_->node).inputs[0] == input;
}

// What a quantizer of a network input yields says what it read, to half a step.
void Trial::read_back(Item& item) const {
  const Graph& g = test_->reference().graph();
  const Value& y = g.value(row_->value);
  if (std::ranges::none_of(g.inputs(), [&](ValueId id) { return reads_first(id); })) return;
  if (!y.quant.quantized() || y.quant.per_channel() ||
      g.value(g.node(row_->node).inputs[0]).dtype != DType::f32)
    return;
  Tensor x(DType::f32, g.value(g.node(row_->node).inputs[0]).shape);
  const float scale = static_cast<float>(y.quant.scale_at(0));
  for (std::int64_t i = 0; i < x.count(); ++i)
    x.set_number(i, static_cast<double>(
                        static_cast<float>(item.device->code(i) - y.quant.zero_at(0)) * scale));
  item.read = std::move(x);
}

void Trial::choose_telling() {
  for (std::size_t i = 0; i < items_.size(); ++i) every_.push_back(i);
  telling_ = every_;
  std::ranges::stable_sort(telling_, std::greater<>{},
                           [&](std::size_t i) { return items_[i].differing; });
  telling_.resize(std::min<std::size_t>(3, telling_.size()));
}

bool Trial::answers_alike() const {
  return std::ranges::all_of(items_,
                             [&](const Item& item) { return *item.device == *items_[0].device; });
}

bool Trial::saturates() const {
  const DType type = items_[0].device->dtype();
  if (!is_integer(type)) return false;
  const CodeRange range = code_range(type);
  bool blank = true;
  for (const Item& item : items_)
    for (std::int64_t i = 0; i < item.device->count(); ++i) {
      const std::int64_t code = item.device->code(i);
      if (code != range.low && code != range.high) return false;
      blank = blank && code == 0;
    }
  return !blank;
}

const Tensor* Trial::inside(std::size_t index, ValueId id) const {
  const Value& v = test_->reference().graph().value(id);
  if (v.constant) return v.constant.get();
  const auto it = items_[index].inside.find(v.name);
  return it == items_[index].inside.end() ? test_->given(id, items_[index].sample) : &it->second;
}

void Trial::find_sites() {
  const Graph& g = test_->reference().graph();
  std::vector<Site>& sites = sites_;
  for (auto it = row_->segment.rbegin(); it != row_->segment.rend(); ++it)
    sites.push_back({test_->reference(), *it, no_id});
  for (std::size_t i = 0; i < sites.size();
       ++i)  // grows: what makes weights may read what makes weights
    for (const ValueId v : g.node(sites[i].node).inputs)
      if (v != no_id && test_->is_fixed(v) &&
          std::ranges::none_of(sites, [&](const Site& s) { return s.node == g.value(v).producer; }))
        sites.push_back({test_->reference(), g.value(v).producer, no_id});
  if (row_->node == no_id) sites.push_back({test_->reference(), no_id, row_->value});
  for (const ValueId input : g.inputs()) {
    const bool read = std::ranges::any_of(
        row_->segment, [&](NodeId n) { return std::ranges::count(g.node(n).inputs, input) > 0; });
    if (read) sites.push_back({test_->reference(), no_id, input});
  }
}

// Tensors of the earlier run `sample`: the device's own, or, inside a cone, what the reference
// makes there.
Find Trial::earlier(std::size_t index, const Site& site, std::size_t sample) const {
  if (is_row(site)) return [this, sample](ValueId v) { return test_->given(v, sample); };
  const auto at = std::ranges::find(items_, sample, &Item::sample);
  if (at == items_.end() || index == 0) return {};
  return [this, of = static_cast<std::size_t>(at - items_.begin())](ValueId v) {
    return inside(of, v);
  };
}

const Tensor& Trial::first_made(const Item& item) const {
  const bool alike =
      item.out[0].dtype() == item.expected.dtype() && item.out[0].shape() == item.expected.shape();
  return alike ? item.expected : item.out[0];
}

Trial::Past Trial::past(std::size_t index, const Site& site) const {
  const Graph& g = test_->reference().graph();
  const std::size_t sample = items_[index].sample;
  Past p;
  p.find = [this, sample](ValueId v) { return test_->given(v, sample); };
  if (site.node == no_id) {
    const std::string& name = g.value(site.input).name;
    p.find = [this, sample, &g](ValueId v) {
      const auto sent = recorded_->sent[sample].find(g.value(v).name);
      return sent != recorded_->sent[sample].end() ? &sent->second : test_->given(v, sample);
    };
    if (sample > 0) p.previous = &recorded_->sent[sample - 1].at(name);
    p.first = &recorded_->sent[0].at(name);
    return p;
  }
  if (sample > 0) {
    p.find_before = earlier(index, site, sample - 1);
    p.find_first = earlier(index, site, 0);
  }
  const ValueId y = g.node(site.node).outputs[0];
  if (is_row(site)) {
    if (index > 0) p.previous = &first_made(items_[index - 1]);
    p.first = &first_made(items_[0]);
    if (p.first == &items_[0].expected) p.shown = items_[index].shown_before;
  } else {
    if (index > 0) p.previous = inside(index - 1, y);
    p.shown = sample > 0 ? test_->device(y, sample - 1) : nullptr;
    p.first = inside(0, y);
  }
  return p;
}

Evidence Trial::evidence(const Site& site, std::span<const Tensor> before) const {
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
      known.observed = row_->node == no_id                    ? item.device
                       : item.read && reads_first(site.input) ? &*item.read
                                                              : nullptr;
    } else if (is_row(site)) {
      known.in = item.in_pointers;
      // Faults read their first output's type and shape: a row of another output of another form
      // (a state beside the result) is no evidence of what befell it.
      known.expected = &first_made(item);
      known.observed = known.expected == &item.expected ? item.device : nullptr;
    } else {
      for (const ValueId v : g.node(site.node).inputs)
        known.in.push_back(v == no_id ? nullptr : inside(i, v));
      known.expected = inside(i, g.node(site.node).outputs[0]);
      known.observed = g.node(site.node).outputs[0] == row_->value ? item.device : nullptr;
    }
    Past p = past(i, site);
    if (i < before.size()) {
      known.expected = &before[i];
      p.previous = i > 0 ? &before[i - 1] : nullptr;
      p.first = &before[0];
    }
    known.previous = p.previous;
    known.previous_shown = p.shown;
    known.first = p.first;
    known.find = std::move(p.find);
    known.find_before = std::move(p.find_before);
    known.find_first = std::move(p.find_first);
    known.run = static_cast<std::int64_t>(item.sample);
    evidence.items.push_back(std::move(known));
  }
  return evidence;
}

}  // namespace lockstep
