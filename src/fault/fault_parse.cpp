#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "fault/fault_claim.h"

namespace lockstep {
namespace {

constexpr std::string_view kWhere = "--fault";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

// The length of "name=number" ahead, up to ',' or '+' or the end; 0 when `text` does not start so.
bool starts_with_assignment(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && (is_name_character(text[i]) || text[i] == '_')) ++i;
  return i > 0 && i < text.size() && text[i] == '=';
}

// Whether a new fault begins here: a name followed by '@', ',', '+' or the end. Node names may
// contain '+' and ','.
bool starts_with_fault(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && is_name_character(text[i])) ++i;
  return i > 0 && (i == text.size() || text[i] == '@' || text[i] == ',' || text[i] == '+') &&
         (find_fault(text.substr(0, i)) || (i < text.size() && text[i] == '@') || i == text.size());
}

std::vector<std::string> split_faults(std::string_view text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '+' && i > start && text[i - 1] != 'e' &&
        starts_with_fault(text.substr(i + 1))) {
      parts.emplace_back(text.substr(start, i - start));
      start = i + 1;
    }
  parts.emplace_back(text.substr(start));
  return parts;
}

// "0 or 1", "a whole number from 0 to 6", "a number of at most 1e9 in magnitude".
std::string wanted(const Takes& takes) {
  const std::string kind = takes.whole ? "a whole number" : "a number";
  if (takes.most >= Takes{}.most) return kind + " of at most 1e9 in magnitude";
  if (takes.whole && takes.most - takes.least == 1)
    return number_text(takes.least) + " or " + number_text(takes.most);
  return kind + " from " + number_text(takes.least) + " to " + number_text(takes.most);
}

Result<double> parse_number(std::string_view text, const ParamSpec& spec,
                            const std::string& where) {
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool number = status == std::errc() && end == text.data() + text.size();
  const bool taken = number && value >= spec.takes.least && value <= spec.takes.most &&
                     (!spec.takes.whole || value == std::nearbyint(value));
  if (!taken)
    return Error{where, "'" + std::string(text) + "'", wanted(spec.takes),
                 std::string(spec.meaning)};
  return value;
}

std::string hint_for(std::string_view wanted, const std::vector<std::string>& names) {
  const std::string near = nearest(wanted, names);
  return near.empty() ? "" : "did you mean '" + near + "'?";
}

// "c3.k", "r0.2.first": what causes found in a capture name channel by channel, or place by place.
constexpr ParamSpec kNumbered[] = {{"k", "a channel's factor", 1, Takes::real()},
                                   {"add", "what is added in a channel", 0, Takes::real()},
                                   {"first", "the first byte of a stretch", 0},
                                   {"count", "the bytes of a stretch", 0}};
const ParamSpec* numbered(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  if (dot == key.npos || dot < 2 || (key[0] != 'c' && key[0] != 'r')) return nullptr;
  if (key.substr(1, dot - 1).find_first_not_of("0123456789.") != key.npos) return nullptr;
  const auto* const found = std::ranges::find(kNumbered, key.substr(dot + 1), &ParamSpec::name);
  return found == std::end(kNumbered) ? nullptr : found;
}

Result<void> parse_assignment(std::string_view text, FaultSpec& spec) {
  const std::string where = std::string(kWhere) + " " + std::string(spec.fault->name);
  const std::size_t equal = text.find('=');
  const std::string key(text.substr(0, equal));
  const ParamSpec* known = numbered(key);
  std::vector<std::string> names;
  for (const ParamSpec& p : spec.fault->params) {
    names.emplace_back(p.name);
    if (p.name == key) known = &p;
  }
  if (equal == std::string_view::npos || !known)
    return Error{
        where, "parameter '" + key + "'",
        names.empty() ? "no parameter: this fault has none" : "one of " + join(names, ", "),
        hint_for(key, names)};
  LOCKSTEP_TRY(spec.params[key], parse_number(text.substr(equal + 1), *known, where + " " + key));
  return {};
}

Result<FaultSpec> parse_fault(std::string_view text) {
  const std::size_t end = std::min(text.find_first_of("@,"), text.size());
  const std::string name(text.substr(0, end));
  FaultSpec spec;
  spec.fault = find_fault(name);
  if (!spec.fault) {
    std::vector<std::string> names;
    for (const FaultDef* f : fault_table()) names.emplace_back(f->name);
    return Error{std::string(kWhere), "no fault '" + name + "'", "a fault of `lockstep faults`",
                 hint_for(name, names)};
  }
  std::string_view rest = text.substr(end);
  if (rest.starts_with('@')) {
    std::size_t stop = rest.size();
    for (std::size_t i = 1; i < rest.size() && stop == rest.size(); ++i)
      if (rest[i] == ',' && starts_with_assignment(rest.substr(i + 1))) stop = i;
    spec.node = rest.substr(1, stop - 1);
    if (spec.node.empty())
      return Error{std::string(kWhere), "no name after '@'",
                   "a node, e.g. " + name + "@/block0/add", ""};
    rest = rest.substr(stop);
  }
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t stop = std::min(rest.find(','), rest.size());
    LOCKSTEP_CHECK(parse_assignment(rest.substr(0, stop), spec));
    rest = rest.substr(stop);
  }
  return spec;
}

}  // namespace

Result<std::vector<FaultSpec>> parse_faults(std::string_view text) {
  std::vector<FaultSpec> specs;
  for (const std::string& part : split_faults(text)) {
    LOCKSTEP_TRY(FaultSpec spec, parse_fault(part));
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace lockstep
