// Recorded arrays -> samples: which tensor of the model each array is, and how many samples it
// holds.
#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "base/text.h"
#include "run/recording.h"
#include "run/recording_names.h"
#include "run/recording_samples.h"
#include "run/recording_usable.h"

namespace lockstep {

namespace {

// An array with the name that it goes by from here on.
struct Named {
  const RecordedArray* array;
  std::string name;
  ValueId value = no_id;
};

std::string shape_and_type(const Tensor& t) {
  return std::string(name_of(t.dtype())) + shape_text(t.shape());
}

// Names every array; drops those that are not the device's, with a note.
std::vector<Named> name_arrays(const Recording& recording, const Graph& model,
                               std::vector<std::string>& notes) {
  const ModelNames names(model);
  std::set<std::size_t> original_inputs;  // ports with an m_inputs_i
  for (const RecordedArray& a : recording.arrays)
    if (const auto port = st_port(a.name); port && !port->device && !port->output)
      original_inputs.insert(port->index);
  std::vector<Named> named;
  std::size_t loose = 0;  // arrays whose names agree but for punctuation
  std::string first_loose;
  for (const RecordedArray& a : recording.arrays) {
    ValueId value = names.find(a.name);
    const auto port = value == no_id ? st_port(a.name) : std::nullopt;
    if (port) {
      value = names.at(*port);
      const std::string meaning =
          std::string(port->output ? "output " : "input ") + std::to_string(port->index + 1);
      if (port->output && !port->device) {
        notes.push_back("'" + a.name +
                        "', the original model's answer on the PC, is not the device's: left out");
        continue;
      }
      if (!port->output && port->device && original_inputs.contains(port->index)) {
        notes.push_back("'" + a.name + "' left out: the original model's inputs are there too");
        continue;
      }
      if (value == no_id)
        notes.push_back("'" + a.name + "': the model has no " + meaning);
      else
        notes.push_back("'" + a.name + "' is read as " + meaning + ", '" + model.value(value).name +
                        "'");
    } else if (value != no_id && model.value(value).name != a.name) {
      if (++loose == 1)
        first_loose = "'" + a.name + "' is read as '" + model.value(value).name + "'";
    }
    named.push_back({&a, value == no_id ? a.name : model.value(value).name, value});
  }
  if (loose > 1) first_loose += ", and " + std::to_string(loose - 1) + " more alike";
  if (loose > 0) notes.push_back(first_loose);
  return named;
}

// Samples along the first axis, from an array whose tensor the model knows; 0 when it says nothing.
std::int64_t samples_by_model(const Named& n, const Graph& model) {
  if (n.value == no_id || n.array->sample >= 0) return 0;
  const std::int64_t one = count_of(model.value(n.value).shape);
  return one <= 0 ? 0 : n.array->tensor.count() / one;
}

Result<std::int64_t> sample_count(const std::vector<Named>& arrays, const Recording& recording,
                                  const Graph& model, std::int64_t expected) {
  if (recording.samples > 0) return recording.samples;
  std::int64_t samples = 0;
  const Named* said_by = nullptr;
  for (const Named& n : arrays) {
    const std::int64_t says = samples_by_model(n, model);
    if (says == 0) continue;
    if (said_by && says != samples)
      return Error{recording.source,
                   "'" + n.array->name + "' holds " + std::to_string(says) + " samples",
                   std::to_string(samples) + " as '" + said_by->array->name + "'",
                   "one array is cut off or of another run"};
    samples = says;
    said_by = &n;
  }
  if (said_by) return samples;
  const auto fits = [&](const Named& n) {
    return n.array->tensor.shape().empty() ? expected == 1
                                           : n.array->tensor.shape()[0] % expected == 0;
  };
  return expected > 0 && std::ranges::all_of(arrays, fits) ? expected : 1;
}

// Sample `index` of `count` along the first axis.
Tensor cut(const Tensor& all, std::int64_t index, std::int64_t count) {
  Shape shape = all.shape();
  shape[0] /= count;
  Tensor one(all.dtype(), std::move(shape));
  const std::size_t bytes = one.bytes().size();
  if (bytes > 0)
    std::memcpy(one.bytes().data(), all.bytes().data() + static_cast<std::size_t>(index) * bytes,
                bytes);
  return one;
}

Result<void> place(const Named& n, const Recording& recording, Capture& capture) {
  const Tensor& all = n.array->tensor;
  const auto samples = static_cast<std::int64_t>(capture.samples.size());
  if (n.array->sample >= samples)
    return Error{recording.source,
                 "'" + n.array->name + "' is of sample " + std::to_string(n.array->sample),
                 "one of the " + std::to_string(samples) + " samples", ""};
  const bool whole = n.array->sample >= 0 || samples == 1;
  if (!whole && (all.shape().empty() || all.shape()[0] % samples != 0))
    return Error{recording.source, "'" + n.array->name + "' is " + shape_and_type(all),
                 "a first axis that " + std::to_string(samples) + " samples divide",
                 "store the samples along the first axis"};
  TensorInfo info{all.dtype(), all.shape(), n.array->quant, n.array->origin,
                  n.array->type_from == TypeFrom::model};
  if (!whole) info.shape[0] /= samples;
  const auto [it, is_new] = capture.infos.emplace(n.name, info);
  if (is_new) capture.order.push_back(n.name);
  for (std::int64_t s = 0; s < samples; ++s) {
    if (n.array->sample >= 0 && n.array->sample != s) continue;
    Sample& sample = capture.samples[static_cast<std::size_t>(s)];
    if (!sample.emplace(n.name, whole ? all : cut(all, s, samples)).second)
      return Error{recording.source, "tensor '" + n.name + "' stands twice",
                   "each tensor once in a sample", "two names that differ only in punctuation?"};
  }
  return {};
}

Result<Capture> capture_of(const Recording& recording, const Graph& model, std::int64_t expected) {
  Capture capture;
  capture.source = recording.source;
  capture.arithmetic = recording.arithmetic;
  capture.notes = recording.notes;
  const std::vector<Named> arrays = name_arrays(recording, model, capture.notes);
  LOCKSTEP_TRY(const std::int64_t samples, sample_count(arrays, recording, model, expected));
  constexpr std::int64_t most_samples = 1 << 20;
  if (samples > most_samples)
    return Error{recording.source, std::to_string(samples) + " samples",
                 "at most " + std::to_string(most_samples), ""};
  capture.samples.resize(static_cast<std::size_t>(samples));
  for (const Named& n : arrays) LOCKSTEP_CHECK(place(n, recording, capture));
  return capture;
}

}  // namespace

Result<Capture> capture_from(const Recording& recording, const Graph& model,
                             std::int64_t expected) {
  Recording by_sample = with_samples_named(recording, model);
  LOCKSTEP_TRY(Recording typed, with_types(std::move(by_sample), model, expected));
  LOCKSTEP_TRY(const Recording usable, usable_part(std::move(typed), model));
  return capture_of(usable, model, expected);
}

}  // namespace lockstep
