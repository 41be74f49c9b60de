#include "run/recording.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <set>

#include "base/copy_bytes.h"
#include "base/half.h"
#include "base/text.h"
#include "run/recording_bytes.h"
#include "run/recording_json.h"
#include "run/recording_names.h"
#include "run/recording_plain.h"
#include "run/recording_text.h"

namespace lockstep {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_files = 1 << 16;

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The number at the end of a folder's name ("sample_3" -> 3); -1 when there is none.
std::int64_t trailing_number(const std::string& name) {
  const std::size_t last = name.find_last_not_of("0123456789");
  const std::size_t first = last == name.npos ? 0 : last + 1;
  std::int64_t number = -1;
  std::from_chars(name.data() + first, name.data() + name.size(), number);
  return number;
}

Result<std::vector<fs::path>> entries_of(const std::string& folder) {
  std::vector<fs::path> entries;
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end;
       it.increment(failure)) {
    entries.push_back(it->path());
    if (entries.size() > most_files)
      return Error{folder, "more than 65536 entries", "a folder of recorded tensors", ""};
  }
  if (failure) return Error{folder, failure.message(), "a readable folder", ""};
  std::ranges::sort(entries);
  return entries;
}

void append(Recording& all, Recording part, std::int64_t sample) {
  for (RecordedArray& array : part.arrays) {
    if (sample >= 0) array.sample = sample;
    all.arrays.push_back(std::move(array));
  }
  std::ranges::move(part.notes, std::back_inserter(all.notes));
  if (all.arithmetic.empty()) all.arithmetic = part.arithmetic;
  if (same_build(all.build, part.build) == SameBuild::no)
    all.notes.push_back("one folder holds tensors of two builds: " + all.build.text() + "; " +
                        part.build.text() +
                        ": what one of them shows is no evidence about the other");
  else if (!all.build.known())
    all.build = part.build;
  if (sample < 0) all.samples = std::max(all.samples, part.samples);
}

Result<Recording> read_file_of(const fs::path& path) {
  const std::string ending = lower(path.extension().string()),
                    stem = unescape(path.stem().string());
  const std::string where = path.string();
  LOCKSTEP_TRY(const Bytes bytes, read_file(where));
  if (ending == ".npz") {
    LOCKSTEP_TRY(const NpzFile npz, parse_npz(bytes, where));
    return recording_from_npz(npz, where);
  }
  if (ending == ".csv") return recording_from_csv(plain_text(bytes), stem, where);
  if (ending == ".json") {
    const std::string text = plain_text(bytes);
    return describes_raw(text) ? recording_from_raw(text, where)
                               : recording_from_json_numbers(text, stem, where);
  }
  if (is_text_ending(ending))
    return recording_from_text(joined_elements(plain_text(bytes)), stem, where);
  Recording recording;
  if (is_bytes_ending(ending)) {
    recording.arrays.push_back(recorded_bytes(stem, bytes));
    return recording;
  }
  LOCKSTEP_TRY(const NpyArray array, parse_npy(bytes, where));
  recording.arrays.push_back({stem, tensor_of(array), {}, {}, -1});
  return recording;
}

// Whether a description in the folder is the file's own or names it.
Result<bool> is_described(const fs::path& file, const std::vector<fs::path>& entries) {
  const std::string name = file.filename().string();
  for (const fs::path& e : entries) {
    if (lower(e.extension().string()) != ".json") continue;
    LOCKSTEP_TRY(const Bytes bytes, read_file(e.string()));
    const bool named = e.stem() == file.stem() || e.stem().string() == name ||
                       text_of(bytes).find('"' + name + '"') != std::string_view::npos;
    if (named && describes_raw(text_of(bytes))) return true;
  }
  return false;
}

// Files of one folder. Where the same names stand in numbered files (sample_0.npz, sample_1.npz),
// each file is a sample.
void append_parts(Recording& all, std::vector<std::pair<std::int64_t, Recording>> parts) {
  const auto names_of = [](const Recording& r) {
    std::set<std::string> names;
    for (const RecordedArray& a : r.arrays) names.insert(a.name);
    return names;
  };
  std::set<std::int64_t> numbers;
  for (const auto& [number, part] : parts) numbers.insert(number);
  const bool numbered = parts.size() > 1 && numbers.size() == parts.size() && !numbers.contains(-1);
  if (numbered)
    std::ranges::sort(parts, {},
                      &std::pair<std::int64_t, Recording>::first);  // layer_2 before layer_10
  const bool samples = numbered && std::ranges::all_of(parts, [&](const auto& p) {
                         return names_of(p.second) == names_of(parts[0].second);
                       });
  for (std::size_t i = 0; i < parts.size(); ++i)
    append(all, std::move(parts[i].second), samples ? static_cast<std::int64_t>(i) : -1);
  if (samples) all.samples = static_cast<std::int64_t>(parts.size());
}

// Text beside such files is notes or source, not a recording.
bool holds_arrays(const std::string& ending) {
  return ending == ".npy" || ending == ".csv" || ending == ".npz" || is_bytes_ending(ending);
}

Result<Recording> read_folder(const std::string& folder, bool samples_below) {
  LOCKSTEP_TRY(const std::vector<fs::path> entries, entries_of(folder));
  std::vector<std::pair<std::int64_t, fs::path>> samples;
  std::vector<std::pair<std::int64_t, Recording>> parts;
  Recording all;
  std::size_t other = 0;
  const bool arrays = std::ranges::any_of(
      entries, [](const fs::path& e) { return holds_arrays(lower(e.extension().string())); });
  for (const fs::path& entry : entries) {
    const std::string ending = lower(entry.extension().string());
    if (samples_below && folder_exists(entry.string())) {
      samples.emplace_back(trailing_number(entry.filename().string()), entry);
      continue;
    }
    bool taken = holds_arrays(ending) || ending == ".json" || (!arrays && is_text_ending(ending));
    if (is_bytes_ending(ending)) {
      LOCKSTEP_TRY(const bool described, is_described(entry, entries));
      if (described) continue;
      taken = true;
    }
    if (taken) {
      LOCKSTEP_TRY(Recording part, read_file_of(entry));
      if (is_text_ending(ending) && part.arrays.empty())
        ++other;
      else
        parts.emplace_back(trailing_number(entry.stem().string()), std::move(part));
    } else {
      ++other;
    }
  }
  append_parts(all, std::move(parts));
  std::ranges::sort(samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    LOCKSTEP_TRY(Recording part, read_folder(samples[i].second.string(), false));
    append(all, std::move(part), static_cast<std::int64_t>(i));
  }
  if (!samples.empty()) all.samples = static_cast<std::int64_t>(samples.size());
  if (other > 0)
    all.notes.push_back(folder + ": " + std::to_string(other) + " files of other kinds left out");
  return all;
}

// x.raw is described by x.json or x.raw.json; without either it is the bytes of one tensor.
std::string description_of(const std::string& raw) {
  for (const std::string& path : {fs::path(raw).replace_extension(".json").string(), raw + ".json"})
    if (const auto bytes = read_file(path); bytes.ok() && describes_raw(text_of(*bytes)))
      return path;
  return raw;
}

}  // namespace

Tensor tensor_of(const NpyArray& array) {
  if (array.dtype == DType::f16) {
    Tensor wide(DType::f32, array.shape);
    for (std::size_t i = 0; i < wide.as<float>().size(); ++i) {
      std::uint16_t half = 0;
      std::memcpy(&half, array.bytes.data() + 2 * i, 2);
      wide.as<float>()[i] = widen_half(half);
    }
    return wide;
  }
  Tensor tensor(array.dtype, array.shape);
  copy_bytes(array.bytes, tensor.bytes().data());
  return tensor;
}

NpyArray array_of(const Tensor& tensor) {
  return {tensor.dtype(), tensor.shape(), Bytes(tensor.bytes().begin(), tensor.bytes().end())};
}

bool is_recording(std::string_view path) {
  const std::string ending = lower(fs::path(path).extension().string());
  static constexpr std::string_view endings[] = {".npz", ".npy", ".csv", ".json",
                                                 ".raw", ".bin", ".dat"};
  return std::ranges::count(endings, ending) > 0 || is_text_ending(ending) ||
         folder_exists(std::string(path));
}

Result<Recording> read_recording(const std::string& path) {
  Recording recording;
  if (folder_exists(path)) {
    LOCKSTEP_TRY(recording, read_folder(path, true));
  } else {
    const bool bytes = is_bytes_ending(lower(fs::path(path).extension().string()));
    LOCKSTEP_TRY(recording, read_file_of(bytes ? description_of(path) : path));
  }
  recording.source = path;
  if (recording.arrays.empty())
    return Error{path, "no recorded tensors", "numbers: docs/captures.md has the forms",
                 path.ends_with(".c") ? "a compiled Neural-ART program is npu:" + path : ""};
  return recording;
}

Result<Recording> recording_from_npz(const NpzFile& npz, const std::string& where) {
  Recording recording;
  recording.source = where;
  for (const auto& [name, array] : npz.members)
    recording.arrays.push_back({name, tensor_of(array), {}, {}, -1});
  for (const auto& [name, text] : npz.texts) {
    if (name == capture_json_name)
      LOCKSTEP_CHECK(describe_arrays(text, where + ": " + name, recording));
    else
      recording.notes.push_back(where + ": member '" + name + "' is no array and was left out");
  }
  return recording;
}

Result<void> write_capture(const std::string& path, const Capture& capture, const Build& build) {
  NpzMembers members;
  for (const std::string& name : capture.order) {
    NpyArray all;
    for (const Sample& sample : capture.samples) {
      const auto it = sample.find(name);
      if (it == sample.end())
        return Error{path, "tensor '" + name + "' is missing in some samples",
                     "every tensor in every sample", ""};
      const NpyArray one = array_of(it->second);
      if (all.bytes.empty() && all.shape.empty()) {
        all = {one.dtype, one.shape, {}};
        if (all.shape.empty() && capture.samples.size() > 1) all.shape = {1};
        if (!all.shape.empty()) all.shape[0] *= static_cast<std::int64_t>(capture.samples.size());
      }
      all.bytes.insert(all.bytes.end(), one.bytes.begin(), one.bytes.end());
    }
    if (!capture.samples.empty()) members.emplace_back(name, std::move(all));
  }
  return write_npz(path, members, {{std::string(capture_json_name), capture_json(capture, build)}});
}

}  // namespace lockstep
