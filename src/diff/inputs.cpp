#include "diff/inputs.h"

#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/npy.h"
#include "base/text.h"
#include "diff/align.h"
#include "import/import.h"
#include "run/recording.h"

namespace lockstep {

namespace {

std::string shape_and_type(DType dtype, const Shape& shape) {
  return std::string(name_of(dtype)) + shape_text(shape);
}

// What codes of a float input mean: the scale of the quantizer that reads it first.
QuantParams quantizer_after(const Graph& model, ValueId input, DType codes) {
  for (const NodeId n : model.consumers(input)) {
    if (model.node(n).op != "QuantizeLinear") continue;
    const Value& y = model.value(model.node(n).outputs[0]);
    return y.dtype == codes || is_float(codes) ? y.quant : QuantParams{};
  }
  return {};
}

// The name under which the capture holds an input: its own, that of the codes which its quantizer
// makes, or, where both are alone, whatever the array is called.
std::string name_in(const Capture& capture, const Graph& model, ValueId id) {
  const std::string& own = model.value(id).name;
  if (capture.infos.contains(own)) return own;
  for (const NodeId n : model.consumers(id)) {
    const std::string& codes = model.value(model.node(n).outputs[0]).name;
    if (model.node(n).op == "QuantizeLinear" && capture.infos.contains(codes)) return codes;
  }
  return capture.order.size() == 1 && model.inputs().size() == 1 ? capture.order[0] : "";
}

Result<void> check_finite(const Tensor& x, const std::string& where, const std::string& name) {
  if (!is_float(x.dtype())) return {};
  for (std::int64_t i = 0; i < x.count(); ++i)
    if (!std::isfinite(x.number(i)))
      return Error{where,
                   "input '" + name + "' holds " + (std::isnan(x.number(i)) ? "NaN" : "infinity") +
                       " at element " + std::to_string(i),
                   "finite numbers", "the preprocessing divided by zero or read past its data"};
  return {};
}

// One input of every sample in the model's terms.
class Input {
 public:
  Input(const Graph& model, ValueId id, const Capture& capture)
      : model_(model), id_(id), v_(model.value(id)), capture_(capture) {}

  Result<std::vector<Tensor>> read(std::vector<std::string>& notes) const {
    const std::string name = name_in(capture_, model_, id_);
    if (name.empty())
      return Error{capture_.source, "no array for input '" + v_.name + "'",
                   "an array named '" + v_.name + "', " + shape_and_type(v_.dtype, v_.shape),
                   "it holds " + names_held()};
    const TensorInfo& info = capture_.infos.at(name);
    const std::string layout = !v_.origin.layout.empty()     ? v_.origin.layout
                               : model_.format() == "tflite" ? "NHWC"
                                                             : "NCHW";
    const auto change = shape_change(info.shape, info.origin.layout, v_.shape, layout);
    if (!change) return misfit(name, info, "");
    LOCKSTEP_TRY(std::vector<Tensor> tensors, gather(name, info, *change));
    QuantParams quant = info.quant;
    const bool recorded_scale = quant.quantized();
    if (!recorded_scale && is_float(v_.dtype)) quant = quantizer_after(model_, id_, info.dtype);
    const bool guess = is_integer(info.dtype) && is_integer(v_.dtype) && info.dtype != v_.dtype &&
                       size_of(info.dtype) == size_of(v_.dtype) && !quant.quantized();
    if (guess)
      return misfit(name, info,
                    "say which codes they are: the same bytes, or moved by 128? convert the array");
    std::string typed;
    tensors = retype(std::move(tensors), quant, v_, typed);
    for (const Tensor& t : tensors) {
      if (t.dtype() != v_.dtype) return misfit(name, info, in_codes(info.dtype).value_or(typed));
      LOCKSTEP_CHECK(check_finite(t, capture_.source, name));
    }
    if (!recorded_scale && quant.quantized() && is_integer(info.dtype) && is_float(v_.dtype))
      typed = "codes made reals by the scale of the quantizer that reads '" + v_.name + "'";
    const std::string note =
        change->note + (change->note.empty() || typed.empty() ? "" : "; ") + typed;
    if (!note.empty()) notes.push_back("input '" + name + "': " + note);
    return tensors;
  }

 private:
  Error misfit(const std::string& name, const TensorInfo& info, std::string hint) const {
    return {capture_.source,
            "array '" + name + "' is " + shape_and_type(info.dtype, info.shape) + " a sample",
            shape_and_type(v_.dtype, v_.shape), std::move(hint)};
  }

  // How reals become the codes that the network takes; nothing where that is not the question.
  std::optional<std::string> in_codes(DType held) const {
    if (!is_float(held) || !is_integer(v_.dtype) || v_.quant.scale.size() != 1) return std::nullopt;
    return fmt::format(
        "the network takes codes: x / {:.9g} + {}, rounded and held to the type, as the "
        "application does",
        v_.quant.scale_at(0), v_.quant.zero_at(0));
  }

  std::string names_held() const {
    std::string text;
    for (std::size_t i = 0; i < capture_.order.size() && i < 4; ++i)
      text += (i ? ", '" : "'") + capture_.order[i] + "'";
    return text + (capture_.order.size() > 4 ? ", ..." : "");
  }

  Result<std::vector<Tensor>> gather(const std::string& name, const TensorInfo& info,
                                     const ShapeChange& change) const {
    std::vector<Tensor> tensors;
    for (std::size_t s = 0; s < capture_.samples.size(); ++s) {
      const auto it = capture_.samples[s].find(name);
      if (it == capture_.samples[s].end() || it->second.dtype() != info.dtype ||
          it->second.count() != count_of(v_.shape))
        return Error{capture_.source,
                     "array '" + name + "' is missing or other in sample " + std::to_string(s),
                     shape_and_type(info.dtype, info.shape) + " in every sample", ""};
      tensors.push_back(reshape(it->second, change, v_.shape));
    }
    return tensors;
  }

  const Graph& model_;
  ValueId id_;
  const Value& v_;
  const Capture& capture_;
};

}  // namespace

Result<std::vector<Sample>> inputs_from(const Graph& model, const Capture& capture,
                                        std::vector<std::string>& notes) {
  std::vector<Sample> samples(capture.samples.size());
  for (const ValueId id : model.inputs()) {
    LOCKSTEP_TRY(std::vector<Tensor> tensors, Input(model, id, capture).read(notes));
    for (std::size_t s = 0; s < samples.size(); ++s)
      samples[s].emplace(model.value(id).name, std::move(tensors[s]));
  }
  return samples;
}

Result<Graph> import_for_inputs(const std::string& model, const std::string& input,
                                const std::map<std::string, std::int64_t>& dimensions) {
  ImportOptions options;
  options.dimensions = dimensions;
  if (input.ends_with(".npz")) {
    // A file that cannot be read is refused where its arrays are wanted; a model without inputs
    // wants none.
    const Result<NpzMembers> members = read_npz(input);
    for (const auto& [name, array] : members.ok() ? members.value() : NpzMembers{})
      for (std::size_t axis = 0; axis < array.shape.size(); ++axis)
        options.suggested.emplace(name + "[" + std::to_string(axis) + "]", array.shape[axis]);
  }
  return import_model(model, options);
}

Result<std::vector<Sample>> read_inputs(const std::string& path, const Graph& model,
                                        std::vector<std::string>& notes) {
  if (model.inputs().empty()) {
    notes.push_back("the model takes no inputs, so nothing is read");
    return std::vector<Sample>(1);
  }
  LOCKSTEP_TRY(Recording recording, read_recording(path));
  if (recording.arrays.size() == 1 && model.inputs().size() == 1)
    recording.arrays[0].name = model.value(model.inputs()[0]).name;
  LOCKSTEP_TRY(const Capture capture, capture_from(recording, model));
  return inputs_from(model, capture, notes);
}

}  // namespace lockstep
