#include "npu/map_choose.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include <fmt/core.h>

#include "npu/map.h"

namespace lockstep {
namespace {

// "Conv2D_16_off_bias_out_25" -> "Conv2D" and 16.
struct Label {
  std::string_view kind;
  std::int64_t number = -1;
};
Label label_of(std::string_view name) {
  for (std::size_t i = 0; i + 1 < name.size(); ++i) {
    if (name[i] != '_' || !std::isdigit(static_cast<unsigned char>(name[i + 1]))) continue;
    Label l{name.substr(0, i), -1};
    std::from_chars(name.data() + i + 1, name.data() + name.size(), l.number);
    return l;
  }
  return {};
}

bool has_weights(const Graph& g, const Node& n) {
  const bool product = n.op == "Conv" || n.op == "Gemm" || n.op == "MatMul" ||
                       n.op == "ConvTranspose" || n.op == "FullyConnected";
  return product && n.inputs.size() > 1 && n.inputs[1] != no_id &&
         (g.value(n.inputs[1]).constant || g.value(n.inputs[1]).folded ||
          g.value(n.inputs[1]).producer != no_id);
}

// Buffers that only their order tells apart.
std::string group_of(const NpuBuffer& b, const Label& label) {
  return fmt::format("{} {} {:.6g}", label.kind, b.count(), b.scale.empty() ? 0.0 : b.scale[0]);
}

// Whether the compiler's kind of node computes the model's operation.
bool same_kind(std::string_view kind, std::string_view op) {
  if (kind.starts_with("Conv") || kind.starts_with("Gemm"))
    return op == "Conv" || op == "Gemm" || op == "MatMul" || op == "ConvTranspose" ||
           op == "FullyConnected";
  if (kind.find("Pool") != std::string_view::npos)
    return op.find("Pool") != std::string_view::npos || op == "ReduceMean";
  if (kind.starts_with("Quantize") || kind.starts_with("Dequantize"))
    return op == "QuantizeLinear" || op == "Requantize";
  return op.starts_with(kind);
}

}  // namespace

NpuTensorChooser::NpuTensorChooser(const NpuProgram& program,
                                   const std::vector<const NpuBuffer*>& buffers, const Graph& model)
    : model_(model) {
  for (const NpuBuffer* b : buffers) {
    const std::string stem = without_copies(b->name);
    auto& group = groups_[group_of(*b, label_of(stem))];
    if (std::ranges::find(group, label_of(stem).number) == group.end())
      group.push_back(label_of(stem).number);
  }
  for (auto& [key, group] : groups_) std::ranges::sort(group);
  std::set<std::int64_t> numbers;
  for (const NpuBuffer& b : program.buffers)
    if (b.is_param && b.name.find("_weights") != std::string::npos)
      if (const Label l = label_of(b.name); l.number >= 0) numbers.insert(l.number);
  std::vector<std::size_t> nodes;
  for (std::size_t n = 0; n < model.nodes().size(); ++n)
    if (has_weights(model, model.nodes()[n])) nodes.push_back(n);
  if (numbers.size() != nodes.size()) return;
  std::size_t k = 0;
  for (const std::int64_t n : numbers) layers_.emplace(n, nodes[k++]);
}

std::size_t NpuTensorChooser::rank(const NpuBuffer& b, std::string_view stem) const {
  const Label label = label_of(stem);
  const auto group = groups_.find(group_of(b, label));
  if (group == groups_.end()) return 0;
  return static_cast<std::size_t>(std::ranges::find(group->second, label.number) -
                                  group->second.begin());
}

// Steps back from v to each source, together; far for one that is no ancestor.
int NpuTensorChooser::distance(const Value& v, const std::vector<ValueId>& sources) const {
  constexpr int far = 64;
  std::map<ValueId, int> steps;
  std::vector<ValueId> open;
  const auto reach = [&](const Node& n, int at) {
    for (const ValueId in : n.inputs)
      if (in != no_id && !model_.value(in).constant && at < far && steps.emplace(in, at).second)
        open.push_back(in);
  };
  if (v.producer != no_id) reach(model_.node(v.producer), 1);
  for (std::size_t i = 0; i < open.size() && open.size() < 4096; ++i)
    if (const Value& x = model_.value(open[i]); x.producer != no_id)
      reach(model_.node(x.producer), steps.at(open[i]) + 1);
  int total = 0,
      nearest = far;  // an epoch may read for several outputs: the nearest source counts first
  for (const ValueId s : sources) {
    const int at = steps.contains(s) ? steps.at(s) : far;
    nearest = std::min(nearest, at), total += at;
  }
  return nearest * far * 64 + total;
}

std::size_t NpuTensorChooser::position(const Value& v) const {
  return v.producer == no_id ? 0 : static_cast<std::size_t>(v.producer) + 1;
}

// The operation behind quantization and changes of shape; null for an input.
const Node* NpuTensorChooser::maker(const Value& v) const {
  const Value* at = &v;
  for (int steps = 0; steps < 8 && at->producer != no_id; ++steps) {
    const Node& n = model_.node(at->producer);
    const bool through = n.op == "QuantizeLinear" || n.op == "DequantizeLinear" || n.op == "Relu" ||
                         n.op == "Reshape" || n.op == "Clip";
    if (!through || n.inputs.empty() || n.inputs[0] == no_id ||
        (n.op == "QuantizeLinear" && model_.value(n.inputs[0]).producer == no_id))
      return &n;
    at = &model_.value(n.inputs[0]);
  }
  return nullptr;
}

std::string_view NpuTensorChooser::operation(const Value& v) const {
  const Node* n = maker(v);
  return n ? std::string_view(n->op) : "";
}

void NpuTensorChooser::learn(std::string_view stem, const Value& v) {
  const Label label = label_of(stem);
  const auto it = layers_.find(label.number);
  const Node* n = maker(v);
  if (it == layers_.end() || !n || stem.find("_zero_off_") != std::string_view::npos ||
      !label.kind.starts_with("Conv") || !has_weights(model_, *n))
    return;
  ++(n == &model_.nodes()[it->second] ? agreements_ : contradictions_);
}

const Value* NpuTensorChooser::choose(const NpuBuffer& b, std::string_view stem,
                                      std::vector<const Value*> all, const NpuOrigin& origin,
                                      std::string& how) const {
  const std::vector<ValueId>& sources = origin.sources;
  how = "scale and shape";
  if (all.size() == 1) return all[0];
  if (origin.moved && sources.size() == 1)
    for (const Value* v : all)
      if (v == &model_.value(sources[0])) return how = "moved", v;
  // Leaves those that fit, unless none does.
  const auto keep = [&](auto fits) {
    std::vector<const Value*> some;
    std::ranges::copy_if(all, std::back_inserter(some), fits);
    if (!some.empty()) all = std::move(some);
  };
  // What stands before the first epoch is fed: an input, not what the network makes of it.
  if (b.epoch == 0) keep([](const Value* v) { return v->producer == no_id; });
  if (all.size() == 1) return how = "the network's input", all[0];
  const Label label = label_of(stem);
  const bool enters = stem.find("_zero_off_") != std::string_view::npos;
  if (!layers_.empty() && ordered() && label.number >= 0) {
    // "zero_off": what enters the layer, its zero point removed; all else is what the node makes.
    const auto next =
        enters ? layers_.lower_bound(label.number) : layers_.upper_bound(label.number);
    const std::size_t low = next == layers_.begin() ? 0 : std::prev(next)->second + 1;
    const std::size_t high = next == layers_.end() ? model_.nodes().size() + 1 : next->second + 1;
    keep([&](const Value* v) { return position(*v) >= low && position(*v) < high; });
    how = "scale, shape and number";
    if (all.size() == 1) return all[0];
  }
  const bool moved = b.zero.size() == 1 && b.zero[0] == 0;
  if (!moved) keep([&](const Value* v) { return v->quant.zero_at(0) == b.zero.at(0); });
  if (all.size() == 1) return all[0];
  if (!label.kind.empty() && !enters)
    keep([&](const Value* v) { return same_kind(label.kind, operation(*v)); });
  if (all.size() == 1) return all[0];
  if (const std::size_t out = stem.rfind("_out_");
      out != std::string_view::npos && label.kind == "Split") {
    std::size_t k = 0;
    std::from_chars(stem.data() + out + 5, stem.data() + stem.size(), k);
    keep([&](const Value* v) {
      return v->producer != no_id && k < model_.node(v->producer).outputs.size() &&
             &model_.value(model_.node(v->producer).outputs[k]) == v;
    });
    if (all.size() == 1) return all[0];
  }
  if (!enters && origin.claimed) keep([&](const Value* v) { return !origin.claimed->contains(v); });
  if (all.size() == 1) return how = "scale, shape and what is left", all[0];
  if (!sources.empty()) {
    int least = distance(*all[0], sources);
    for (const Value* v : all) least = std::min(least, distance(*v, sources));
    keep([&](const Value* v) { return distance(*v, sources) == least; });
    how = "scale, shape and sources";
    if (all.size() == 1) return all[0];
  }
  how = "scale, shape and order";
  return all[std::min(rank(b, stem), all.size() - 1)];
}

}  // namespace lockstep
