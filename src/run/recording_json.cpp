#include "run/recording_json.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace lockstep {

namespace {

using json = nlohmann::json;

constexpr std::size_t most_axes = 32;

Result<json> parse_object(std::string_view text, const std::string& where) {
  if (nests_too_deep(text))
    return Error{where, "lists nested without end", "{\"tensors\": [...]}",
                 "docs/captures.md has an example"};
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded() || !value.is_object())
    return Error{where, "not a JSON object", "{\"tensors\": [...]}",
                 "docs/captures.md has an example"};
  return value;
}

std::string text_at(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

// A whole number of at least `low`; absent: the fallback; anything else: an error.
Result<std::int64_t> integer_at(const json& object, const char* key, std::int64_t fallback,
                                std::int64_t low, const std::string& where) {
  const auto it = object.find(key);
  if (it == object.end()) return fallback;
  if (!it->is_number_integer() || it->get<std::int64_t>() < low ||
      (it->is_number_unsigned() &&
       it->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()))
    return Error{where, std::string("\"") + key + "\": " + it->dump(),
                 "a whole number from " + std::to_string(low) + " on", ""};
  return it->get<std::int64_t>();
}

// A number or a list of numbers under `key`.
Result<std::vector<double>> numbers_at(const json& object, const char* key,
                                       const std::string& where) {
  std::vector<double> numbers;
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return numbers;
  const json list = it->is_array() ? *it : json::array({*it});
  for (const json& item : list) {
    if (!item.is_number())
      return Error{where, std::string("\"") + key + "\" holds " + item.dump(), "numbers", ""};
    numbers.push_back(item.get<double>());
  }
  return numbers;
}

Result<QuantParams> quant_of(const json& object, const std::string& where) {
  QuantParams quant;
  LOCKSTEP_TRY(quant.scale, numbers_at(object, "scale", where));
  LOCKSTEP_TRY(const std::vector<double> zeros, numbers_at(object, "zero", where));
  LOCKSTEP_TRY(const std::int64_t axis, integer_at(object, "axis", -1, -1, where));
  for (const double scale : quant.scale)
    if (!(scale > 0))
      return Error{where, "a scale of " + std::to_string(scale), "scales above 0", ""};
  for (const double zero : zeros) {
    if (!(zero >= -2147483648.0 && zero <= 2147483647.0))
      return Error{where, "a zero point of " + std::to_string(zero), "an int32", ""};
    quant.zero.push_back(static_cast<std::int32_t>(zero));
  }
  if (quant.zero.empty()) quant.zero.assign(quant.scale.size(), 0);
  if (quant.zero.size() != quant.scale.size())
    return Error{where, std::to_string(quant.zero.size()) + " zero points",
                 std::to_string(quant.scale.size()) + " as scales", ""};
  quant.axis = axis < static_cast<std::int64_t>(most_axes) ? static_cast<int>(axis) : -1;
  return quant;
}

Result<const json*> tensor_list(const json& object, const std::string& where) {
  const auto it = object.find("tensors");
  if (it == object.end() || !it->is_array())
    return Error{where, "no list \"tensors\"", "{\"tensors\": [{\"name\": ..., ...}]}",
                 "docs/captures.md has an example"};
  for (const json& entry : *it)
    if (!entry.is_object() || text_at(entry, "name").empty())
      return Error{where, "an entry of \"tensors\" without a name", "{\"name\": ..., ...}", ""};
  return &*it;
}

void add_facts(const json& entry, RecordedArray& array) {
  array.origin.name = array.name;
  array.origin.node = text_at(entry, "node");
  array.origin.layout = text_at(entry, "layout");
}

// The bytes of each raw file, read once.
class RawFiles {
 public:
  explicit RawFiles(const std::string& json_path)
      : folder_(std::filesystem::path(json_path).parent_path()) {}

  Result<const Bytes*> at(const std::string& file, const std::string& where) {
    const std::filesystem::path name(file);
    if (file.empty() || name.is_absolute() || std::ranges::count(name, "..") > 0)
      return Error{where, "\"file\": \"" + file + "\"", "a file in the folder of the description",
                   ""};
    auto it = read_.find(file);
    if (it == read_.end()) {
      LOCKSTEP_TRY(Bytes bytes, read_file((folder_ / name).string()));
      it = read_.emplace(file, std::move(bytes)).first;
    }
    return static_cast<const Bytes*>(&it->second);
  }

 private:
  std::filesystem::path folder_;
  std::map<std::string, Bytes> read_;
};

Result<Shape> shape_of(const json& entry, const std::string& where) {
  Shape shape;
  const auto it = entry.find("shape");
  if (it == entry.end() || !it->is_array() || it->size() > most_axes)
    return Error{where, "no \"shape\"", "a list of extents", ""};
  for (const json& extent : *it) {
    if (!extent.is_number_integer() || extent.get<std::int64_t>() < 0)
      return Error{where, "\"shape\": " + it->dump(), "extents of zero or more", ""};
    shape.push_back(extent.get<std::int64_t>());
  }
  return shape;
}

Result<RecordedArray> raw_tensor(const json& entry, const std::string& json_path, bool big_endian,
                                 RawFiles& files) {
  RecordedArray array;
  array.name = text_at(entry, "name");
  const std::string where = json_path + ": tensor '" + array.name + "'";
  const std::optional<DType> dtype = dtype_named(text_at(entry, "dtype"));
  if (!dtype)
    return Error{where, "\"dtype\": \"" + text_at(entry, "dtype") + "\"",
                 "int8, uint8, int16, float32, ...", ""};
  LOCKSTEP_TRY(const Shape shape, shape_of(entry, where));
  LOCKSTEP_TRY(const std::int64_t count, checked_count(shape, where));
  LOCKSTEP_TRY(const std::int64_t offset, integer_at(entry, "offset", 0, 0, where));
  const std::string own = std::filesystem::path(json_path).stem().string() + ".raw";
  LOCKSTEP_TRY(const Bytes* bytes,
               files.at(entry.contains("file") ? text_at(entry, "file") : own, where));
  const std::uint64_t size = static_cast<std::uint64_t>(count) * size_of(*dtype);
  if (static_cast<std::uint64_t>(offset) > bytes->size() ||
      size > bytes->size() - static_cast<std::uint64_t>(offset))
    return Error{where, std::to_string(size) + " bytes from offset " + std::to_string(offset),
                 "at most the " + std::to_string(bytes->size()) + " bytes of the file",
                 "the dump is cut off, or shape or dtype is wrong"};
  const auto from = bytes->begin() + static_cast<std::ptrdiff_t>(offset);
  NpyArray raw{*dtype, shape, Bytes(from, from + static_cast<std::ptrdiff_t>(size))};
  if (big_endian)
    for (std::size_t i = 0, width = size_of(*dtype); i < raw.bytes.size(); i += width)
      std::reverse(raw.bytes.begin() + static_cast<std::ptrdiff_t>(i),
                   raw.bytes.begin() + static_cast<std::ptrdiff_t>(i + width));
  array.tensor = tensor_of(raw);
  LOCKSTEP_TRY(array.quant, quant_of(entry, where));
  add_facts(entry, array);
  LOCKSTEP_TRY(array.sample, integer_at(entry, "sample", -1, 0, where));
  return array;
}

// {"hash": "...", "stamp": "...", "model": "...", "exposed": ["..."]}
Build build_of(const json& object) {
  Build build;
  const auto it = object.find("build");
  if (it == object.end() || !it->is_object()) return build;
  build.hash = text_at(*it, "hash");
  build.stamp = text_at(*it, "stamp");
  build.model = text_at(*it, "model");
  if (const auto list = it->find("exposed"); list != it->end() && list->is_array())
    for (const json& name : *list)
      if (name.is_string()) build.exposed.push_back(name.get<std::string>());
  return build;
}

}  // namespace

bool nests_too_deep(std::string_view text) {
  constexpr int most = 64;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text[i] == '[' || text[i] == '{') && ++depth > most)
      return true;
    else if (!quoted && (text[i] == ']' || text[i] == '}'))
      --depth;
  }
  return false;
}

std::string capture_json(const Capture& capture, const Build& build) {
  json tensors = json::array();
  for (const std::string& name : capture.order) {
    const auto it = capture.infos.find(name);
    if (it == capture.infos.end()) continue;
    json entry = {{"name", name}};
    if (it->second.quant.quantized()) {
      entry["scale"] = it->second.quant.scale;
      entry["zero"] = it->second.quant.zero;
      if (it->second.quant.per_channel()) entry["axis"] = it->second.quant.axis;
    }
    if (!it->second.origin.node.empty()) entry["node"] = it->second.origin.node;
    if (!it->second.origin.layout.empty()) entry["layout"] = it->second.origin.layout;
    tensors.push_back(std::move(entry));
  }
  json whole = {{"format", "lockstep-capture"},
                {"version", 1},
                {"samples", capture.samples.size()},
                {"arithmetic", capture.arithmetic},
                {"tensors", tensors}};
  if (build.known())
    for (const auto& [key, value] : {std::pair("hash", build.hash), std::pair("stamp", build.stamp),
                                     std::pair("model", build.model)})
      if (!value.empty()) whole["build"][key] = value;
  if (!build.exposed.empty()) whole["build"]["exposed"] = build.exposed;
  return whole.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<void> describe_arrays(std::string_view text, const std::string& where,
                             Recording& recording) {
  LOCKSTEP_TRY(const json object, parse_object(text, where));
  LOCKSTEP_TRY(recording.samples, integer_at(object, "samples", 0, 0, where));
  recording.arithmetic = text_at(object, "arithmetic");
  recording.build = build_of(object);
  LOCKSTEP_TRY(const json* tensors, tensor_list(object, where));
  std::map<std::string, const json*> by_name;
  for (const json& entry : *tensors) by_name[text_at(entry, "name")] = &entry;
  for (RecordedArray& array : recording.arrays) {
    const auto it = by_name.find(array.name);
    if (it == by_name.end()) continue;
    LOCKSTEP_TRY(array.quant, quant_of(*it->second, where + ": tensor '" + array.name + "'"));
    add_facts(*it->second, array);
  }
  return {};
}

Result<Recording> recording_from_raw(std::string_view text, const std::string& json_path) {
  LOCKSTEP_TRY(const json object, parse_object(text, json_path));
  Recording recording;
  recording.source = json_path;
  LOCKSTEP_TRY(recording.samples, integer_at(object, "samples", 0, 0, json_path));
  recording.arithmetic = text_at(object, "arithmetic");
  recording.build = build_of(object);
  const std::string order = text_at(object, "byte_order");
  if (!order.empty() && order != "little" && order != "big")
    return Error{json_path, "\"byte_order\": \"" + order + "\"", "little or big", ""};
  LOCKSTEP_TRY(const json* tensors, tensor_list(object, json_path));
  RawFiles files(json_path);
  for (const json& entry : *tensors) {
    LOCKSTEP_TRY(RecordedArray array, raw_tensor(entry, json_path, order == "big", files));
    recording.arrays.push_back(std::move(array));
  }
  return recording;
}

}  // namespace lockstep
