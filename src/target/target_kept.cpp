#include "target/target_kept.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/copy_bytes.h"
#include "emit/emit.h"
#include "run/recording.h"

namespace lockstep {
namespace {

// A tensor's part for one sample, in its own shape.
Tensor part_of(const RecordedArray& array, std::int64_t sample, std::int64_t samples) {
  Shape shape = array.tensor.shape();
  if (!shape.empty()) shape[0] /= samples;
  Tensor part(array.tensor.dtype(), shape);
  const auto bytes = array.tensor.bytes().subspan(
      static_cast<std::size_t>(sample) * part.bytes().size(), part.bytes().size());
  copy_bytes(bytes, part.bytes().data());
  return part;
}

constexpr std::string_view of_name = "kept.json";

// The first thing in which a kept file is of something else.
Result<void> check_kept(const NpzFile& npz, const std::string& path, const KeptOf& of,
                        Capture& capture) {
  const auto it =
      std::ranges::find(npz.texts, of_name, &std::pair<std::string, std::string>::first);
  if (it == npz.texts.end()) {
    capture.notes.push_back(path + " does not say of which model and build it is");
    return {};
  }
  const auto json = nlohmann::json::parse(it->second, nullptr, false);
  const auto said = [&](const char* key) {
    return json.is_object() && json.contains(key) && json[key].is_string()
               ? json[key].get<std::string>()
               : std::string();
  };
  const Error other{path, "", "", "start anew without --resume"};
  const auto differs = [&](const char* what, const std::string& kept, const std::string& now) {
    return Error{
        path,
        fmt::format("was kept from {} {}", what, kept.empty() ? "that it does not name" : kept),
        now, other.hint};
  };
  if (said("model") != of.model) return differs("a model of hash", said("model"), of.model);
  if (said("device") != of.device)
    return differs("another device or build:", said("device"), of.device);
  if (said("state") != of.state)
    return differs("a validation with --state", said("state"), of.state);
  return {};
}

// `path`, or the first numbered name beside it that holds no more than so many samples.
std::string name_to_keep(const std::string& path, std::int64_t samples) {
  for (int n = 1; n < 100; ++n) {
    const std::filesystem::path p(path);
    const std::string name = n == 1 ? path
                                    : (p.parent_path() / fmt::format("{}-{}{}", p.stem().string(),
                                                                     n, p.extension().string()))
                                          .string();
    if (!file_exists(name)) return name;
    const auto npz = read_npz_file(name);
    const auto held = npz.ok() ? recording_from_npz(*npz, name) : Result<Recording>(npz.error());
    if (!held.ok() || held->samples <= samples) return name;
  }
  return path;
}

}  // namespace

KeptOf kept_of(const std::string& model_file, const std::string& device, bool keeps_state) {
  const auto file = read_file(model_file);
  return {file.ok() ? content_hash(*file) : "", device, keeps_state ? "keep" : "reset"};
}

Result<void> same_as_kept(const Sample& kept, const Sample& again, std::size_t sample,
                          const std::string& where) {
  for (const auto& [name, tensor] : kept) {
    const auto it = again.find(name);
    if (it != again.end() && std::ranges::equal(it->second.bytes(), tensor.bytes())) continue;
    return Error{
        where,
        fmt::format("sample {} yields other bytes of '{}' than before the interruption", sample + 1,
                    name),
        "what was kept",
        "another build, or a device that does not repeat itself: start anew without --resume",
        Blame::target};
  }
  return {};
}

Result<std::string> keep_capture(const std::string& path, const Capture& capture,
                                 std::span<const Sample> inputs, const KeptOf& of) {
  Capture whole = capture;
  for (std::size_t s = 0; s < whole.samples.size(); ++s)
    for (const auto& [name, tensor] : inputs[s]) {
      if (whole.infos.emplace(name, TensorInfo{tensor.dtype(), tensor.shape(), {}, {}}).second)
        whole.order.push_back(name);
      whole.samples[s].emplace(name, tensor);
    }
  const std::string name = name_to_keep(path, static_cast<std::int64_t>(capture.samples.size())),
                    draft = temporary_beside(name);
  LOCKSTEP_CHECK(write_capture(draft, whole));
  auto npz = read_npz_file(draft);
  std::error_code ignored;
  std::filesystem::remove(draft, ignored);
  if (!npz.ok()) return npz.error();
  npz->texts.emplace_back(
      of_name,
      nlohmann::json{{"model", of.model}, {"device", of.device}, {"state", of.state}}.dump(1) +
          "\n");
  LOCKSTEP_CHECK(write_npz(name, npz->members, npz->texts));
  return name;
}

Error with_kept(Error error, const std::string& path, const Capture& capture,
                std::span<const Sample> inputs, const KeptOf& of) {
  if (error.blame != Blame::target || capture.samples.empty() || path.empty()) return error;
  const auto written = keep_capture(path, capture, inputs.first(capture.samples.size()), of);
  const std::string what =
      written.ok() ? fmt::format("{} of {} samples kept in {}: go on with --resume {}",
                                 capture.samples.size(), inputs.size(), *written, *written)
                   : "what was captured could not be kept: " + written.error().line();
  error.hint += (error.hint.empty() ? "" : "; ") + what;
  return error;
}

Result<Capture> kept_capture(const std::string& path, std::span<const Sample> inputs,
                             const KeptOf& of) {
  LOCKSTEP_TRY(const NpzFile npz, read_npz_file(path));
  Capture capture;
  LOCKSTEP_CHECK(check_kept(npz, path, of, capture));
  LOCKSTEP_TRY(const Recording recording, recording_from_npz(npz, path));
  const auto samples = recording.samples;
  if (samples < 1 || samples > static_cast<std::int64_t>(inputs.size()))
    return Error{path, fmt::format("{} samples", samples),
                 fmt::format("1 .. {}, as the inputs hold", inputs.size()),
                 "was it kept from this validation?"};
  capture.source = path;
  capture.samples.resize(static_cast<std::size_t>(samples));
  for (const RecordedArray& array : recording.arrays) {
    const std::int64_t rows = array.tensor.shape().empty() ? 1 : array.tensor.shape()[0];
    if (array.sample >= 0 || rows % samples != 0)
      return Error{path, "'" + array.name + "' is not cut by sample",
                   fmt::format("a first axis of {} samples", samples), ""};
    const std::string& name = array.name;
    const bool is_input = inputs[0].contains(name);
    for (std::int64_t s = 0; s < samples; ++s) {
      Tensor part = part_of(array, s, samples);
      const auto i = static_cast<std::size_t>(s);
      if (!is_input) {
        if (capture.infos
                .emplace(name, TensorInfo{part.dtype(), part.shape(), array.quant, array.origin})
                .second)
          capture.order.push_back(name);
        capture.samples[i].emplace(name, std::move(part));
        continue;
      }
      const auto it = inputs[i].find(name);
      if (it == inputs[i].end() || !std::ranges::equal(it->second.bytes(), part.bytes()))
        return Error{path, fmt::format("sample {} was made from another '{}'", s + 1, name),
                     "the inputs of this validation", "start anew without --resume"};
    }
  }
  return capture;
}

}  // namespace lockstep
