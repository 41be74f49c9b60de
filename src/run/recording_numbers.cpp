// JSON that holds the numbers themselves.
#include <nlohmann/json.hpp>

#include "run/recording_json.h"
#include "run/recording_text.h"

namespace lockstep {
namespace {

using json = nlohmann::json;

// What nests deeper than tensors do is no JSON of numbers: the functions below go down by themselves.
json parsed(std::string_view text) {
  constexpr int deepest = 64;
  bool too_deep = false;
  json value = json::parse(text, [&](int depth, json::parse_event_t, json&) {
    too_deep |= depth > deepest;
    return !too_deep;
  }, false);
  return too_deep ? json(json::value_t::discarded) : value;
}

Error no_numbers(const std::string& where, const json& found) {
  const std::string text = found.dump(-1, ' ', false, json::error_handler_t::replace);
  return {where, text.substr(0, 40), "numbers, {\"NAME\": [numbers], ...}, or {\"tensors\": [{\"name\": ..., ...}]} beside raw bytes", "docs/captures.md has examples"};
}

// Every number of nested lists, in order; true and false are 1 and 0.
bool gather(const json& value, std::vector<double>& numbers) {
  if (value.is_number() || value.is_boolean()) {
    numbers.push_back(value.is_boolean() ? value.get<bool>() : value.get<double>());
    return true;
  }
  if (!value.is_array()) return false;
  for (const json& item : value)
    if (!gather(item, numbers)) return false;
  return true;
}

Result<void> add(const json& value, const std::string& name, std::int64_t sample, const std::string& where, Recording& out) {
  if (value.is_string() || value.is_null()) return {};  // what is said beside the tensors
  if (value.is_object() && value.contains("data")) return add(value["data"], name, sample, where, out);
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) LOCKSTEP_CHECK(add(item, key, sample, where, out));
    return {};
  }
  std::vector<double> numbers;
  if (!gather(value, numbers) || numbers.empty()) return no_numbers(where + ": \"" + name + "\"", value);
  out.arrays.push_back(recorded_numbers(name, numbers));
  out.arrays.back().sample = sample;
  return {};
}

}  // namespace

bool describes_raw(std::string_view text) {
  if (nests_too_deep(text)) return false;
  const json value = parsed(text);
  return value.is_object() && value.contains("tensors") && value["tensors"].is_array();
}

Result<Recording> recording_from_json_numbers(std::string_view text, const std::string& name, const std::string& where) {
  const json value = parsed(text);
  if (value.is_discarded()) return Error{where, "not JSON, or nested more than 64 deep", "{\"NAME\": [numbers], ...} or {\"tensors\": [...]}", "docs/captures.md has an example"};
  Recording recording;
  recording.source = where;
  const bool samples = value.is_array() && !value.empty() && value.front().is_object();
  if (!samples) {
    LOCKSTEP_CHECK(add(value, name, -1, where, recording));
    return recording;
  }
  for (std::size_t i = 0; i < value.size(); ++i) LOCKSTEP_CHECK(add(value[i], name, static_cast<std::int64_t>(i), where, recording));
  recording.samples = static_cast<std::int64_t>(value.size());
  return recording;
}

}  // namespace lockstep
