#include "run/recording_usable.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "run/recording_bytes.h"
#include "run/recording_names.h"

namespace lockstep {
namespace {

constexpr std::size_t notes_of_a_kind = 3;

// Notes of one kind: the first few in full, the rest counted.
class Notes {
 public:
  explicit Notes(std::vector<std::string>& all) : all_(all) {}
  void add(std::string text) {
    if (++count_ <= notes_of_a_kind) all_.push_back(std::move(text));
  }
  void close(const std::string& what) {
    if (count_ > notes_of_a_kind)
      all_.push_back(std::to_string(count_ - notes_of_a_kind) + " more " + what);
  }

 private:
  std::vector<std::string>& all_;
  std::size_t count_ = 0;
};

bool is_constant(const Value& v) {
  return v.constant && !v.folded;
}

// What goes into the network or comes out of it, or the codes that a float there stands for: no
// verdict leaves it out.
bool is_rim(const Graph& g, ValueId id) {
  const auto is = [&](ValueId rim) { return rim == id; };
  if (std::ranges::any_of(g.inputs(), is) || std::ranges::any_of(g.outputs(), is)) return true;
  const NodeId from = g.value(id).producer;
  if (from != no_id && g.node(from).op == "QuantizeLinear" &&
      std::ranges::count(g.inputs(), g.node(from).inputs[0]) > 0)
    return true;
  return std::ranges::any_of(g.consumers(id), [&](NodeId n) {
    return g.node(n).op == "DequantizeLinear" && g.node(n).inputs[0] == id &&
           std::ranges::count(g.outputs(), g.node(n).outputs[0]) > 0;
  });
}

// ST's "m_outputs_1": the original model's answer, which nothing is compared with.
bool is_of_original(const std::string& name) {
  const auto port = st_port(name);
  return port && port->output && !port->device;
}

// Elements in rising order, NaN apart: a tool may hold a constant in another layout.
std::vector<double> sorted_numbers(const Tensor& t, std::int64_t count) {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < count; ++i)
    if (const double x = t.number(i); !std::isnan(x)) numbers.push_back(x);
  std::ranges::sort(numbers);
  return numbers;
}

// Whether an array that bears a constant's name holds other numbers; nothing where sizes or types
// forbid to say.
std::optional<bool> holds_other_numbers(const Tensor& array, const Tensor& constant) {
  if (array.dtype() != constant.dtype() || constant.count() == 0 ||
      array.count() % constant.count() != 0 || array.count() == 0)
    return std::nullopt;
  return sorted_numbers(array, constant.count()) != sorted_numbers(constant, constant.count());
}

bool fits(const RecordedArray& a, const Value& v, std::int64_t samples) {
  const std::int64_t one = count_of(v.shape), all = a.tensor.count();
  if (one <= 0 || waits_for_type(a)) return true;
  if (a.sample >= 0) return all == one;
  if (all == 0 || all % one != 0 || (samples > 0 && all != one * samples)) return false;
  return a.tensor.shape().empty() || a.tensor.shape()[0] % (all / one) == 0;
}

// The tensor that undescribed bytes belong to. A constant only where they have its size: else they
// are what is computed under a shortened name, where that fits, or the constant in another form.
ValueId typed_as(const RecordedArray& a, const Recording& recording, const Graph& model,
                 const ModelNames& names, std::int64_t samples) {
  const ValueId id = names.meant(a.name);
  if (id == no_id && recording.arrays.size() == 1 && model.outputs().size() == 1)
    return model.outputs()[0];
  if (id == no_id || !is_constant(model.value(id)) ||
      typed_bytes(a, model, id, 1, recording.source).ok())
    return id;
  const ValueId other = names.abridged(a.name);
  return other != no_id && typed_bytes(a, model, other, samples, recording.source).ok() ? other
                                                                                        : id;
}

Result<RecordedArray> with_type(const RecordedArray& a, const Recording& recording,
                                const Graph& model, ValueId value, std::int64_t samples) {
  if (value == no_id)
    return Error{recording.source,
                 "the bytes of '" + a.name + "' are of no tensor of " + model.file(),
                 "files named after tensors of the model",
                 "or a .json that describes them (docs/captures.md)"};
  LOCKSTEP_TRY(Tensor typed, typed_bytes(a, model, value, samples, recording.source));
  return RecordedArray{model.value(value).name, std::move(typed), {}, {}, a.sample,
                       TypeFrom::model};
}

// Whether an array holds a constant again and again: a tool that dumps everything at every run does
// so.
bool repeats(const Tensor& array, const Tensor& constant) {
  const std::size_t one = constant.bytes().size();
  if (array.dtype() != constant.dtype() || one == 0 || array.bytes().size() % one != 0)
    return false;
  for (std::size_t at = 0; at < array.bytes().size(); at += one)
    if (!std::ranges::equal(array.bytes().subspan(at, one), constant.bytes())) return false;
  return !array.bytes().empty();
}

// What an array's name means. A converter names a layer's weights and its result alike: where the
// array has not the size of the weights it may be the result, and takes its name.
ValueId computed_instead(RecordedArray& a, const Graph& model, const ModelNames& names,
                         std::int64_t samples) {
  const ValueId id = names.meant(a.name);
  if (id == no_id || !is_constant(model.value(id)) ||
      a.tensor.count() == count_of(model.value(id).shape) ||
      repeats(a.tensor, *model.value(id).constant))
    return id;
  const ValueId other = names.abridged(a.name);
  if (other == no_id || !fits(a, model.value(other), samples)) return id;
  a.name = model.value(other).name;
  return other;
}

std::string misfit(const RecordedArray& a) {
  return "'" + a.name + "' is " + std::string(name_of(a.tensor.dtype())) +
         shape_text(a.tensor.shape());
}
std::string wanted(const RecordedArray& a, const Value& v, std::int64_t samples) {
  const std::int64_t one = count_of(v.shape);
  const std::string elements =
      "the " + std::to_string(one) + " elements of '" + v.name + "' " + shape_text(v.shape);
  if (a.sample >= 0) return elements;
  const std::string count = samples > 0 ? std::to_string(samples) + " " : "";
  if (one > 0 && a.tensor.count() > 0 &&
      (samples > 0 ? a.tensor.count() == one * samples : a.tensor.count() % one == 0))
    return count + "samples of '" + v.name + "' " + shape_text(v.shape) + " along the first axis";
  return (samples > 0 ? count + "samples of " : "a multiple of ") + elements;
}

}  // namespace

Result<Recording> with_types(Recording recording, const Graph& model, std::int64_t expected) {
  std::vector<RecordedArray> kept;
  std::vector<std::string> notes;
  const ModelNames names(model);
  std::size_t typed = 0, misfits = 0;
  std::optional<Error> first;
  for (const RecordedArray& a : recording.arrays) {
    if (!waits_for_type(a)) {
      kept.push_back(a);
      continue;
    }
    const std::int64_t samples = a.sample >= 0 ? 1 : expected;
    const ValueId value = typed_as(a, recording, model, names, samples);
    const bool constant = value != no_id && is_constant(model.value(value));
    auto array = with_type(a, recording, model, value, constant ? 1 : samples);
    if (array.ok()) {
      ++typed;
      notes.push_back("'" + a.name + "': bytes without a description, read as " +
                      std::string(name_of(array->tensor.dtype())) + " of '" + array->name + "'");
      kept.push_back(std::move(array).value());
      continue;
    }
    if (value != no_id && is_rim(model, value) && !is_of_original(a.name)) return array.error();
    if (!constant) {
      ++misfits;
      if (!first) first = array.error();
    }
    notes.push_back(array.error().what + ", not " + array.error().want + ": left out");
  }
  if (first && misfits >= typed) return *first;
  recording.arrays = std::move(kept);
  recording.notes.insert(recording.notes.end(), notes.begin(), notes.end());
  return recording;
}

Result<Recording> usable_part(Recording recording, const Graph& model) {
  const ModelNames names(model);
  std::vector<RecordedArray> kept;
  std::size_t fitting = 0, misfits = 0, constants = 0;
  std::optional<Error> first;
  Notes misfit_notes(recording.notes), constant_notes(recording.notes);
  for (RecordedArray& a : recording.arrays) {
    const ValueId id = computed_instead(a, model, names, recording.samples);
    if (id != no_id && is_constant(model.value(id))) {
      ++constants;
      if (holds_other_numbers(a.tensor, *model.value(id).constant).value_or(false))
        constant_notes.add("'" + a.name + "' holds other numbers than this constant of " +
                           model.file() + ": is it the file that was compiled?");
      continue;
    }
    if (id == no_id || fits(a, model.value(id), recording.samples)) {
      fitting += id != no_id;
      kept.push_back(std::move(a));
      continue;
    }
    ++misfits;
    const std::string want = wanted(a, model.value(id), recording.samples);
    Error error{recording.source, misfit(a), want,
                "are these captures of another model, or padded?"};
    if (is_rim(model, id) && !is_of_original(a.name)) return error;
    if (!first) first = std::move(error);
    misfit_notes.add(misfit(a) + ", not " + want + ": left out");
  }
  if (first && misfits >= fitting) return *first;
  misfit_notes.close("tensors of another size than the model's were left out");
  constant_notes.close("constants hold other numbers than the model's");
  if (constants > 0)
    recording.notes.push_back(
        std::to_string(constants) +
        " arrays are constants of the model, which no device computes: left out");
  recording.arrays = std::move(kept);
  return recording;
}

}  // namespace lockstep
