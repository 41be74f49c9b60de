// JSON that holds the numbers themselves.
#include <algorithm>
#include <cctype>
#include <limits>
#include <nlohmann/json.hpp>

#include "run/recording_json.h"
#include "run/recording_text.h"

namespace lockstep {
namespace {

using json = nlohmann::json;

// Words that Python's json.dumps writes for numbers that JSON has not.
constexpr std::pair<std::string_view, double> not_finite[] = {
    {"NaN", std::numeric_limits<double>::quiet_NaN()},
    {"-Infinity", -std::numeric_limits<double>::infinity()},
    {"Infinity", std::numeric_limits<double>::infinity()}};

// Such a word outside quotes becomes a string, which gather() takes for the number.
std::string with_words_quoted(std::string_view text) {
  std::string out;
  bool quoted = false, in_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto word = std::ranges::find_if(
        not_finite, [&](const auto& w) { return text.substr(i).starts_with(w.first); });
    if (!quoted && !in_word && word != std::end(not_finite)) {
      out.append(1, '"').append(word->first).append(1, '"');
      i += word->first.size() - 1;
      in_word = true;
      continue;
    }
    out += text[i];
    if (quoted && text[i] == '\\' && i + 1 < text.size())
      out += text[++i];
    else if (text[i] == '"')
      quoted = !quoted;
    in_word = std::isalnum(static_cast<unsigned char>(text[i])) != 0;
  }
  return out;
}

const double* not_finite_number(const json& value) {
  if (!value.is_string()) return nullptr;
  const auto word = std::ranges::find(not_finite, value.get_ref<const std::string&>(),
                                      [](const auto& w) { return w.first; });
  return word == std::end(not_finite) ? nullptr : &word->second;
}

// What nests deeper than tensors do is no JSON of numbers: the functions below go down by
// themselves.
json parsed(std::string_view text) {
  constexpr int deepest = 64;
  bool too_deep = false;
  json value = json::parse(
      with_words_quoted(text),
      [&](int depth, json::parse_event_t, json&) {
        too_deep |= depth > deepest;
        return !too_deep;
      },
      false);
  return too_deep ? json(json::value_t::discarded) : value;
}

Error no_numbers(const std::string& where, const json& found) {
  const std::string text = found.dump(-1, ' ', false, json::error_handler_t::replace);
  return {where, text.substr(0, 40),
          "numbers, {\"NAME\": [numbers], ...}, or {\"tensors\": [{\"name\": ..., ...}]} beside "
          "raw bytes",
          "docs/captures.md has examples"};
}

// Every number of nested lists, in order, also "NaN"; true and false are 1 and 0.
bool gather(const json& value, std::vector<double>& numbers) {
  if (value.is_number() || value.is_boolean()) {
    numbers.push_back(value.is_boolean() ? value.get<bool>() : value.get<double>());
    return true;
  }
  if (const double* number = not_finite_number(value)) {
    numbers.push_back(*number);
    return true;
  }
  if (!value.is_array()) return false;
  for (const json& item : value)
    if (!gather(item, numbers)) return false;
  return true;
}

// {"name": "logits", "data": [...]}: under which key such an object holds its numbers; nullptr: it
// is none.
const char* data_of_named(const json& value) {
  if (!value.is_object() || !value.contains("name") || !value["name"].is_string()) return nullptr;
  for (const char* key : {"data", "values"})
    if (value.contains(key)) return key;
  return nullptr;
}

bool lists_numbers(const json& value) {
  if (!value.is_array() || value.empty()) return false;
  return value.front().is_number() || not_finite_number(value.front()) ||
         lists_numbers(value.front());
}

// The numbers under `key` are the tensor's: beside them may stand what describes it, but no other
// list of numbers.
Result<void> check_alone(const json& object, const std::string& key, const std::string& where) {
  static constexpr std::string_view facts[] = {
      "shape", "dims",  "dimensions", "size",        "strides",      "scale", "scales",
      "zero",  "zeros", "zero_point", "zero_points", "quantization", "range"};
  for (const auto& [other, item] : object.items())
    if (other != key && std::ranges::count(facts, other) == 0 && lists_numbers(item))
      return Error{where, "\"" + other + "\" holds numbers beside \"" + key + "\"",
                   "one list of numbers beside a tensor's facts",
                   "of two tensors: [{\"name\": ..., \"data\": [...]}, ...]"};
  return {};
}

Result<void> add_numbers(const json& value, const std::string& name, std::int64_t sample,
                         const std::string& where, Recording& out) {
  std::vector<double> numbers;
  if (!gather(value, numbers) || numbers.empty())
    return no_numbers(where + ": \"" + name + "\"", value);
  out.arrays.push_back(recorded_numbers(name, numbers));
  out.arrays.back().sample = sample;
  return {};
}

// The tensors of a value that stands under `name`.
Result<void> add(const json& value, const std::string& name, std::int64_t sample,
                 const std::string& where, Recording& out) {
  if ((value.is_string() && !not_finite_number(value)) || value.is_null())
    return {};  // what is said beside the tensors
  if (value.is_array() && std::ranges::any_of(value, data_of_named)) {
    for (const json& item : value) {
      if (!data_of_named(item)) return no_numbers(where + ": among tensors with names", item);
      LOCKSTEP_CHECK(add(item, name, sample, where, out));
    }
    return {};
  }
  if (!value.is_object()) return add_numbers(value, name, sample, where, out);
  const char* const named = data_of_named(value);
  if (const char* key = named ? named : value.contains("data") ? "data" : nullptr) {
    const std::string own = named ? value["name"].get<std::string>() : name;
    LOCKSTEP_CHECK(check_alone(value, key, where + ": \"" + own + "\""));
    return named ? add_numbers(value[key], own, sample, where, out)
                 : add(value[key], own, sample, where, out);
  }
  for (const auto& [key, item] : value.items()) LOCKSTEP_CHECK(add(item, key, sample, where, out));
  return {};
}

}  // namespace

bool describes_raw(std::string_view text) {
  if (nests_too_deep(text)) return false;
  const json value = parsed(text);
  return value.is_object() && value.contains("tensors") && value["tensors"].is_array();
}

Result<Recording> recording_from_json_numbers(std::string_view text, const std::string& name,
                                              const std::string& where) {
  const json value = parsed(text);
  if (value.is_discarded())
    return Error{where, "not JSON, or nested more than 64 deep",
                 "{\"NAME\": [numbers], ...} or {\"tensors\": [...]}",
                 "docs/captures.md has an example"};
  Recording recording;
  recording.source = where;
  const bool samples = value.is_array() && !value.empty() && value.front().is_object() &&
                       std::ranges::none_of(value, data_of_named);
  if (!samples) {
    LOCKSTEP_CHECK(add(value, name, -1, where, recording));
    if (value.is_array()) number_repeated(recording);  // keys of objects have no order
    return recording;
  }
  for (std::size_t i = 0; i < value.size(); ++i)
    LOCKSTEP_CHECK(add(value[i], name, static_cast<std::int64_t>(i), where, recording));
  recording.samples = static_cast<std::int64_t>(value.size());
  return recording;
}

}  // namespace lockstep
