#include "diff/pair_parts.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "diff/align.h"

namespace lockstep {

bool same_scale(const QuantParams& a, const QuantParams& b) {
  if (a.scale.size() != b.scale.size()) return false;
  for (std::size_t i = 0; i < a.scale.size(); ++i)
    if (std::abs(a.scale[i] - b.scale[i]) > 1e-6 * b.scale[i] || a.zero_at(i) != b.zero_at(i))
      return false;
  return true;
}

ValueId codes_beside(const Graph& g, ValueId id, const TensorInfo& device) {
  const Value& v = g.value(id);
  if (!is_float(v.dtype) || !is_integer(device.dtype)) return id;
  const auto same = [&](ValueId codes) {
    return !device.quant.quantized() || same_scale(device.quant, g.value(codes).quant);
  };
  if (v.producer != no_id && g.node(v.producer).op == "DequantizeLinear") {
    const ValueId codes = g.node(v.producer).inputs[0];
    if (same(codes)) return codes;
  }
  for (const NodeId n : g.consumers(id))
    if (g.node(n).op == "QuantizeLinear" && same(g.node(n).outputs[0])) return g.node(n).outputs[0];
  return id;
}

ValueId codes_of_reals(const Graph& g, ValueId id, const Capture& capture,
                       const std::string& device) {
  if (!is_float(g.value(id).dtype) || !is_float(capture.infos.at(device).dtype)) return id;
  for (const NodeId n : g.consumers(id)) {
    if (g.node(n).op != "QuantizeLinear") continue;
    const ValueId codes = g.node(n).outputs[0];
    const Value& y = g.value(codes);
    if (y.quant.scale.size() != 1 || capture.infos.contains(y.name)) continue;
    // A Relu that the quantizer stands for: nothing below its least code, which is zero, and many a
    // zero.
    const bool clamps = y.quant.zero_at(0) == code_range(y.dtype).low;
    bool on_grid = true, moves = false, clamped = clamps;
    std::int64_t zeros = 0, count = 0;
    for (const Sample& sample : capture.samples) {
      const auto it = sample.find(device);
      if (it == sample.end()) continue;
      on_grid = on_grid && lies_on_grid(it->second, y);
      for (std::int64_t i = 0; i < it->second.count(); ++i) {
        const double x = it->second.number(i);
        moves = moves || x != it->second.number(0);
        clamped = clamped && x >= 0;
        zeros += x == 0;
      }
      count += it->second.count();
    }
    if (moves && (on_grid || (clamped && zeros * 20 >= count))) return codes;
  }
  return id;
}

ValueId codes_as_text(const Graph& g, ValueId id, const Capture& capture,
                      const std::string& device) {
  const TensorInfo& d = capture.infos.at(device);
  if (!is_float(d.dtype)) return id;
  const ValueId codes = codes_beside(g, id, {DType::i8, d.shape, {}, {}});
  if (codes == id || g.value(codes).quant.scale.size() != 1 ||
      capture.infos.contains(g.value(codes).name))
    return id;
  const Value& y = g.value(codes);
  const CodeRange range = code_range(y.dtype);
  bool reals = true;
  for (const Sample& sample : capture.samples) {
    const auto it = sample.find(device);
    if (it == sample.end()) continue;
    for (std::int64_t i = 0; i < it->second.count(); ++i) {
      const double x = it->second.number(i);
      if (!(std::floor(x) == x && x >= static_cast<double>(range.low) &&
            x <= static_cast<double>(range.high)))
        return id;
    }
    reals = reals && lies_on_grid(it->second, y);
  }
  return reals ? id : codes;
}

Result<void> add_pair(const Graph& g, const Capture& capture, ValueId id, const std::string& device,
                      const std::string& how, Pairing& out) {
  const Value& v = g.value(id);
  const TensorInfo& d = capture.infos.at(device);
  const std::string layout = !v.origin.layout.empty() ? v.origin.layout
                             : g.format() == "tflite" ? "NHWC"
                                                      : "NCHW";
  const auto change = shape_change(d.shape, d.origin.layout, v.shape, layout);
  if (!change)
    return Error{capture.source,
                 "'" + device + "' is " + std::string(name_of(d.dtype)) + shape_text(d.shape),
                 "the " + std::to_string(count_of(v.shape)) + " elements of '" + v.name + "' " +
                     shape_text(v.shape),
                 "captures of another model, or of another batch?"};
  std::vector<Tensor> tensors;
  std::vector<std::size_t> at;
  for (std::size_t s = 0; s < capture.samples.size(); ++s) {
    const auto it = capture.samples[s].find(device);
    if (it == capture.samples[s].end()) continue;
    if (it->second.count() != count_of(v.shape) || it->second.dtype() != d.dtype)
      return Error{capture.source,
                   "'" + device + "' changes its shape or type at sample " + std::to_string(s),
                   "one shape and type in all samples", ""};
    tensors.push_back(reshape(it->second, *change, v.shape));
    at.push_back(s);
  }
  std::string typed;
  tensors = retype(std::move(tensors), d.quant, v, typed);
  for (std::size_t i = 0; i < tensors.size(); ++i)
    out.samples[at[i]].emplace(v.name, std::move(tensors[i]));
  std::string note = change->note + (change->note.empty() || typed.empty() ? "" : "; ") + typed;
  if (d.quant.quantized() && v.quant.quantized() && is_integer(d.dtype) && d.dtype == v.dtype &&
      !same_scale(d.quant, v.quant))
    note += (note.empty() ? "" : "; ") + std::string("the device says another scale or zero point");
  const auto is_byte = [](DType t) { return t == DType::i8 || t == DType::u8; };
  const bool sign_unsaid = d.dtype != v.dtype || d.typed_by_model;
  const bool other_sign =
      is_byte(d.dtype) && is_byte(v.dtype) && sign_unsaid && !d.quant.quantized();
  out.pairs.push_back({v.name, device, how, note, other_sign});
  return {};
}

}  // namespace lockstep
