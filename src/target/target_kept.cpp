#include "target/target_kept.h"

#include <algorithm>

#include <fmt/format.h>

#include "run/recording.h"

namespace lockstep {
namespace {

// A tensor's part for one sample, in its own shape.
Tensor part_of(const RecordedArray& array, std::int64_t sample, std::int64_t samples) {
  Shape shape = array.tensor.shape();
  if (!shape.empty()) shape[0] /= samples;
  Tensor part(array.tensor.dtype(), shape);
  const auto bytes = array.tensor.bytes().subspan(static_cast<std::size_t>(sample) * part.bytes().size(), part.bytes().size());
  std::ranges::copy(bytes, part.bytes().begin());
  return part;
}

}  // namespace

Result<void> keep_capture(const std::string& path, const Capture& capture, std::span<const Sample> inputs) {
  Capture whole = capture;
  for (std::size_t s = 0; s < whole.samples.size(); ++s)
    for (const auto& [name, tensor] : inputs[s]) {
      if (whole.infos.emplace(name, TensorInfo{tensor.dtype(), tensor.shape(), {}, {}}).second) whole.order.push_back(name);
      whole.samples[s].emplace(name, tensor);
    }
  return write_capture(path, whole);
}

Result<Capture> kept_capture(const std::string& path, std::span<const Sample> inputs) {
  LOCKSTEP_TRY(const Recording recording, read_recording(path));
  const auto samples = recording.samples;
  if (samples < 1 || samples > static_cast<std::int64_t>(inputs.size()))
    return Error{path, fmt::format("{} samples", samples), fmt::format("1 .. {}, as the inputs hold", inputs.size()), "was it kept from this validation?"};
  Capture capture;
  capture.source = path;
  capture.samples.resize(static_cast<std::size_t>(samples));
  for (const RecordedArray& array : recording.arrays) {
    const std::int64_t rows = array.tensor.shape().empty() ? 1 : array.tensor.shape()[0];
    if (array.sample >= 0 || rows % samples != 0)
      return Error{path, "'" + array.name + "' is not cut by sample", fmt::format("a first axis of {} samples", samples), ""};
    const std::string& name = array.name;
    const bool is_input = inputs[0].contains(name);
    for (std::int64_t s = 0; s < samples; ++s) {
      Tensor part = part_of(array, s, samples);
      const auto i = static_cast<std::size_t>(s);
      if (!is_input) {
        if (capture.infos.emplace(name, TensorInfo{part.dtype(), part.shape(), array.quant, array.origin}).second) capture.order.push_back(name);
        capture.samples[i].emplace(name, std::move(part));
        continue;
      }
      const auto it = inputs[i].find(name);
      if (it == inputs[i].end() || !std::ranges::equal(it->second.bytes(), part.bytes()))
        return Error{path, fmt::format("sample {} was made from another '{}'", s + 1, name), "the inputs of this validation", "start anew without --resume"};
    }
  }
  return capture;
}

}  // namespace lockstep
