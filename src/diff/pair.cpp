#include "diff/pair.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "base/text.h"
#include "diff/pair_parts.h"

namespace lockstep {

namespace {

// What quantizers and exporters append to a tensor's name.
constexpr std::string_view suffixes[] = {"_QuantizeLinear_Output", "_DequantizeLinear_Output",
                                         "_quantized"};

// Letters and digits only, in lower case, without a quantizer's suffix.
std::string plain(std::string_view name) {
  for (const std::string_view suffix : suffixes)
    if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
  std::string out;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)))
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Activations in the order of execution: inputs first.
std::vector<ValueId> activations(const Graph& g) {
  std::vector<ValueId> ids(g.inputs().begin(), g.inputs().end());
  for (const Node& node : g.nodes())
    for (const ValueId v : node.outputs)
      if (v != no_id) ids.push_back(v);
  return ids;
}

Shape sorted_extents(const Shape& shape) {
  Shape out;
  std::ranges::copy_if(shape, std::back_inserter(out), [](auto extent) { return extent != 1; });
  std::ranges::sort(out);
  return out;
}

// The same extents in some order, or a flat dump of as many elements.
bool same_extents(const Shape& device, const Shape& reference) {
  const Shape extents = sorted_extents(device);
  if (extents == sorted_extents(reference)) return true;
  return extents.size() == 1 && extents[0] == count_of(reference);
}

class Pairer {
 public:
  Pairer(const Graph& g, const Capture& device) : g_(g), device_(device), order_(activations(g)) {
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const Value& v = g_.value(order_[i]);
      by_plain_[plain(v.name)].push_back(order_[i]);
      if (!v.origin.name.empty() && v.origin.name != v.name)
        by_plain_[plain(v.origin.name)].push_back(order_[i]);
    }
  }

  Result<Pairing> run() {
    for (const std::string& name : device_.order) by_name(name);
    for (const std::string& name : device_.order) by_origin(name);
    names_are_gone_ = taken_.empty();
    in_order(true);
    if (names_are_gone_) rim_by_shape();
    if (names_are_gone_ && found_.empty()) all_by_shape();
    return finish();
  }

 private:
  const TensorInfo& info(const std::string& name) const { return device_.infos.at(name); }
  bool paired(const std::string& name) const { return found_.contains(name); }

  void take(const std::string& device, ValueId value, std::string how) {
    taken_.insert(value);
    found_.emplace(device, std::pair(value, std::move(how)));
  }

  void by_name(const std::string& device) {
    const ValueId exact = g_.find_value(device);
    if (exact == no_id || (g_.value(exact).constant && !g_.value(exact).folded)) return;
    ValueId id = at_the_rim(exact, device);
    if (id != exact && device_.infos.contains(g_.value(id).name))
      id = exact;  // they are there themselves
    if (id == exact) id = codes_of_reals(g_, exact, device_, device);
    if (!taken_.contains(id)) take(device, id, "name");
  }

  // Of tensors that share an origin, the one of the device's kind (codes or floats), then the only
  // one.
  void by_origin(const std::string& device) {
    if (paired(device)) return;
    std::set<ValueId> open;
    for (const std::string& name : {device, info(device).origin.name}) {
      const auto it = by_plain_.find(plain(name));
      if (name.empty() || it == by_plain_.end()) continue;
      for (const ValueId id : it->second)
        if (!taken_.contains(id)) open.insert(id);
    }
    // A tensor of the file that the reference no longer has was fused away: what stands under its
    // node's name now is another one.
    if (open.empty() && info(device).origin.name.empty())
      add_outputs_of(info(device).origin.node, open);
    const bool codes = is_integer(info(device).dtype);
    std::vector<ValueId> kind;
    for (const ValueId id : open)
      if (is_integer(g_.value(id).dtype) == codes &&
          count_of(g_.value(id).shape) == count_of(info(device).shape))
        kind.push_back(id);
    if (kind.size() == 1)
      take(device, kind[0], "origin");
    else if (kind.empty() && open.size() == 1)
      take(device, at_the_rim(*open.begin(), device), "origin");
  }

  // The codes beside a float tensor where the device's numbers are codes.
  ValueId at_the_rim(ValueId id, const std::string& device) const {
    const ValueId codes = codes_beside(g_, id, info(device));
    return codes == id ? codes_as_text(g_, id, device_, device) : codes;
  }

  void add_outputs_of(const std::string& node, std::set<ValueId>& open) const {
    if (node.empty()) return;
    for (const Node& n : g_.nodes())
      if (n.name == node || n.origin.name == node)
        for (const ValueId v : n.outputs)
          if (v != no_id && !taken_.contains(v)) open.insert(v);
  }

  // Reference tensors that an unnamed device tensor could be.
  std::vector<ValueId> candidates(const std::string& device, bool with_scale) const {
    const TensorInfo& d = info(device);
    std::vector<ValueId> out;
    for (const ValueId id : order_) {
      const Value& v = g_.value(id);
      if (taken_.contains(id) || std::ranges::count(out, id) > 0) continue;
      if (!same_extents(d.shape, v.shape)) continue;
      if (with_scale ? d.quant.quantized() && v.quant.quantized() && same_scale(d.quant, v.quant)
                     : is_integer(v.dtype) == is_integer(d.dtype) && !d.quant.quantized())
        out.push_back(id);
    }
    return out;
  }

  // As many device tensors as reference tensors of one kind: they are the same, in order.
  void in_order(bool with_scale) {
    std::map<std::vector<ValueId>, std::vector<std::string>> groups;
    for (const std::string& name : device_.order)
      if (!paired(name))
        if (auto set = candidates(name, with_scale); !set.empty())
          groups[std::move(set)].push_back(name);
    for (const auto& [values, names] : groups) {
      if (std::ranges::any_of(values, [&](ValueId id) { return taken_.contains(id); })) continue;
      if (values.size() == names.size()) {
        for (std::size_t i = 0; i < names.size(); ++i)
          take(names[i], values[i], with_scale ? "scale, shape and order" : "shape and order");
      } else {
        notes_.push_back(std::to_string(names.size()) + " tensors of the device ('" + names[0] +
                         "'" + (names.size() > 1 ? ", ..." : "") + ") could be any of " +
                         std::to_string(values.size()) + " of the reference ('" +
                         g_.value(values[0]).name + "', ...)");
      }
    }
  }

  // Shapes alone convince only when they place every tensor.
  void all_by_shape() {
    const auto before = found_;
    const auto taken_before = taken_;
    in_order(false);
    if (found_.size() == device_.order.size()) return;
    found_ = before;
    taken_ = taken_before;
  }

  // As many arrays as the network has outputs, each of its output's size, in order: what a device
  // answered.
  bool outputs_in_order() {
    const auto outputs = g_.outputs();
    if (device_.order.size() != outputs.size()) return false;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const TensorInfo& d = info(device_.order[i]);
      if (!same_extents(d.shape, g_.value(outputs[i]).shape) || !fits_type(d, outputs[i]))
        return false;
    }
    for (std::size_t i = 0; i < outputs.size(); ++i)
      take(device_.order[i], at_the_rim(outputs[i], device_.order[i]),
           outputs.size() == 1 ? "its size at the network's rim"
                               : "its size and order at the network's rim");
    return true;
  }

  // A foreign file of what went in and came out: as many arrays of one size as the network has
  // inputs or outputs of it, in their order.
  void rim_by_shape() {
    if (outputs_in_order()) return;
    std::vector<ValueId> rim(g_.inputs().begin(), g_.inputs().end());
    rim.insert(rim.end(), g_.outputs().begin(), g_.outputs().end());
    std::map<std::vector<ValueId>, std::vector<std::string>> groups;
    for (const std::string& name : device_.order) {
      std::vector<ValueId> could;
      for (const ValueId id : rim)
        if (same_extents(info(name).shape, g_.value(id).shape) && fits_type(info(name), id))
          could.push_back(id);
      if (could.empty()) return;
      groups[std::move(could)].push_back(name);
    }
    for (const auto& [values, names] : groups)
      if (values.size() != names.size()) return;
    for (const auto& [values, names] : groups)
      for (std::size_t i = 0; i < names.size(); ++i)
        take(names[i], at_the_rim(values[i], names[i]),
             values.size() == 1 ? "its size at the network's rim"
                                : "its size and order at the network's rim");
  }

  // Text files hold every type as reals; codes stand for a float tensor only where the model has
  // such codes beside it.
  bool fits_type(const TensorInfo& device, ValueId id) const {
    return is_float(device.dtype) || is_integer(device.dtype) == is_integer(g_.value(id).dtype) ||
           (found_.empty() && codes_beside(g_, id, device) != id);
  }

  // A few equal scales (1/256 of a softmax) do not make captures of this model.
  bool of_another_model(const Pairing& out) const {
    return out.pairs.empty() || (names_are_gone_ && out.pairs.size() * 4 < device_.order.size());
  }

  Result<Pairing> finish() {
    Pairing out;
    out.samples.resize(device_.samples.size());
    std::map<ValueId, std::string> by_value;
    for (const auto& [name, pair] : found_) by_value.emplace(pair.first, name);
    for (const ValueId id : order_) {
      const auto it = by_value.find(id);
      if (it == by_value.end())
        out.left_reference.push_back(g_.value(id).name);
      else
        LOCKSTEP_CHECK(add_pair(g_, device_, id, it->second, found_.at(it->second).second, out));
    }
    for (const std::string& name : device_.order)
      if (!paired(name)) out.left_device.push_back(name);
    if (of_another_model(out))
      return Error{
          device_.source,
          (out.pairs.empty() ? std::string("no tensor of it is one of ")
                             : std::to_string(out.pairs.size()) + " of its " +
                                   std::to_string(device_.order.size()) + " tensors could be of ") +
              g_.file() + (notes_.empty() ? "" : ": " + notes_[0]),
          "names of the model's tensors, or scales and shapes that tell them apart",
          "captures of another model? lockstep inspect lists the model's tensors"};
    out.notes.insert(out.notes.end(), notes_.begin(), notes_.end());
    return out;
  }

  const Graph& g_;
  const Capture& device_;
  std::vector<ValueId> order_;
  std::map<std::string, std::vector<ValueId>> by_plain_;
  std::map<std::string, std::pair<ValueId, std::string>> found_;
  std::set<ValueId> taken_;
  bool names_are_gone_ = false;
  std::vector<std::string> notes_;
};

}  // namespace

Result<Pairing> pair_tensors(const Graph& reference, const Capture& device) {
  return Pairer(reference, device).run();
}

}  // namespace lockstep
