#include "run/recording_samples.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <regex>
#include <set>

#include "run/recording_bytes.h"
#include "run/recording_names.h"

namespace lockstep {
namespace {

struct SampleName {
  std::int64_t number = -1;
  std::string rest;  // the tensor's own name
};

std::string trimmed(const std::string& name) {
  constexpr std::string_view separators = "/_.-@# ";
  const std::size_t first = name.find_first_not_of(separators);
  if (first == name.npos) return "";
  // A tensor's name may begin with a slash.
  const std::size_t from = first > 0 && name[first - 1] == '/' && first > 1 ? first - 1 : first;
  return name.substr(from, name.find_last_not_of(separators) - from + 1);
}

// With the word "sample" the rest may be any name; with a number alone it must be one of the
// model's.
std::optional<SampleName> read_name(const std::string& name, const ModelNames& names,
                                    const std::function<bool(const std::string&)>& is_output) {
  static const std::regex worded(
      "(.*?)(?:sample|smp|inference|frame)[ _-]?([0-9]{1,6})(?![0-9])(.*)", std::regex::icase),
      ending("(.+?)[/_.@#\\[-]([0-9]{1,6})\\]?"), beginning("([0-9]{1,6})[/_.-](.+)");
  std::smatch m;
  if (name.size() > 1024) return std::nullopt;
  if (std::regex_match(name, m, worded)) {
    const std::string rest = trimmed(m[1].str() + m[3].str());
    return SampleName{std::stoll(m[2]), rest.empty() ? "sample" : rest};
  }
  const auto of_the_model = [&](const std::string& rest) {
    return names.meant(rest) != no_id || is_output(rest);
  };
  if (std::regex_match(name, m, ending) && of_the_model(m[1]))
    return SampleName{std::stoll(m[2]), m[1]};
  if (std::regex_match(name, m, beginning) && of_the_model(m[2]))
    return SampleName{std::stoll(m[1]), m[2]};
  return std::nullopt;
}

// One sample of that tensor, as far as its size is known.
bool has_size_of(const RecordedArray& a, const Graph& model, ValueId value) {
  return value == no_id || waits_for_type(a) ||
         a.tensor.count() == count_of(model.value(value).shape);
}

// "out_0", "out_1", ... of one size, that of the network's only output: a name of the firmware's
// own and the sample.
bool is_only_output(const Recording& recording, const Graph& model, const std::string& rest) {
  if (model.outputs().size() != 1 || recording.arrays.size() < 2) return false;
  return std::ranges::all_of(recording.arrays, [&](const RecordedArray& a) {
    return a.name.starts_with(rest) && !waits_for_type(a) &&
           has_size_of(a, model, model.outputs()[0]);
  });
}

}  // namespace

Recording with_samples_named(const Recording& recording, const Graph& model) {
  const ModelNames names(model);
  std::map<std::size_t, SampleName> read;
  std::map<std::string, std::set<std::int64_t>> numbers;
  for (std::size_t i = 0; i < recording.arrays.size(); ++i) {
    const RecordedArray& a = recording.arrays[i];
    if (a.sample >= 0 || names.meant(a.name) != no_id) continue;
    const auto name = read_name(a.name, names, [&](const std::string& rest) {
      return is_only_output(recording, model, rest);
    });
    if (!name || !has_size_of(a, model, names.meant(name->rest)) ||
        !numbers[name->rest].insert(name->number).second)
      return recording;
    read.emplace(i, *name);
  }
  if (read.empty() || std::ranges::any_of(numbers, [&](const auto& n) {
        return n.second != numbers.begin()->second;
      }))
    return recording;
  const std::set<std::int64_t>& all = numbers.begin()->second;
  Recording out = recording;
  for (const auto& [index, name] : read) {
    out.arrays[index].name = name.rest;
    out.arrays[index].sample = std::distance(all.begin(), all.find(name.number));
  }
  std::ranges::stable_sort(out.arrays, {}, [](const RecordedArray& a) { return a.sample; });
  out.samples = static_cast<std::int64_t>(all.size());
  const auto& [first, name] = *read.begin();
  out.notes.push_back(
      "'" + recording.arrays[first].name + "' is read as '" + name.rest + "' of sample " +
      std::to_string(out.arrays.empty() ? 0
                                        : std::distance(all.begin(), all.find(name.number)) + 1) +
      " of " + std::to_string(all.size()) +
      (read.size() > 1 ? ", and " + std::to_string(read.size() - 1) + " more alike" : ""));
  return out;
}

}  // namespace lockstep
