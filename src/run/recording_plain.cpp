#include "run/recording_plain.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

namespace lockstep {
namespace {

std::string from_utf16(const Bytes& bytes, bool big_endian) {
  std::string text;
  for (std::size_t i = 2; i + 1 < bytes.size(); i += 2) {
    const auto high = std::to_integer<unsigned>(bytes[big_endian ? i : i + 1]),
               low = std::to_integer<unsigned>(bytes[big_endian ? i + 1 : i]);
    text += high == 0 && low < 0x80 ? static_cast<char>(low) : '?';
  }
  return text;
}

bool begins_with(const Bytes& bytes, std::initializer_list<unsigned> mark) {
  return bytes.size() >= mark.size() &&
         std::ranges::equal(mark, std::span(bytes).first(mark.size()), {}, {},
                            [](std::byte b) { return std::to_integer<unsigned>(b); });
}

struct Element {
  std::string name, value;
  std::size_t index = 0;
};

constexpr std::string_view blanks = " \t";

bool is_in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("_./:-").find(c) != std::string_view::npos;
}

// What stands at the front of `text` as NAME[INDEX] = VALUE, NAME(INDEX): VALUE, NAME INDEX: VALUE;
// taken off it.
std::optional<Element> take_element(std::string_view& text) {
  const auto skip = [](std::string_view& t) {
    t.remove_prefix(std::min(t.find_first_not_of(blanks), t.size()));
  };
  std::string_view rest = text;
  skip(rest);
  const auto name_end =
      static_cast<std::size_t>(std::ranges::find_if_not(rest, is_in_name) - rest.begin());
  Element e;
  e.name = std::string(rest.substr(0, name_end));
  if (e.name.empty() || !std::isalpha(static_cast<unsigned char>(e.name[0]))) return std::nullopt;
  rest.remove_prefix(name_end);
  const char opens = rest.empty() ? '\0' : rest[0];
  if (opens != '[' && opens != '(' && opens != ' ' && opens != '#') return std::nullopt;
  rest.remove_prefix(1);
  if (rest.starts_with('#') || rest.starts_with('[')) rest.remove_prefix(1);
  const auto [index_end, no_index] =
      std::from_chars(rest.data(), rest.data() + rest.size(), e.index);
  if (no_index != std::errc{}) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(index_end - rest.data()));
  if (rest.starts_with(']') || rest.starts_with(')')) rest.remove_prefix(1);
  skip(rest);
  if (!rest.starts_with(':') && !rest.starts_with('=')) return std::nullopt;
  rest.remove_prefix(1);
  skip(rest);
  const std::size_t end = std::min(rest.find_first_of(" \t,;"), rest.size());
  e.value = std::string(rest.substr(0, end));
  double number = 0;
  const char* first = e.value.data() + (e.value.starts_with('+') ? 1 : 0);
  const auto [stop, failure] = std::from_chars(first, e.value.data() + e.value.size(), number);
  if (failure != std::errc{} || stop != e.value.data() + e.value.size()) return std::nullopt;
  rest.remove_prefix(end);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t,;"), rest.size()));
  text = rest;
  return e;
}

// The elements that a line is made of, behind whatever a logger put before them; none where
// anything stands behind.
std::vector<Element> elements_of(std::string_view line) {
  line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
  for (std::size_t from = 0; from < line.size(); from = line.find_first_of(blanks, from)) {
    from = line.find_first_not_of(blanks, from);
    if (from == line.npos) break;
    std::vector<Element> all;
    std::string_view rest = line.substr(from);
    while (auto e = rest.empty() ? std::nullopt : take_element(rest)) all.push_back(std::move(*e));
    if (rest.empty()) return all;
    from = line.size() - rest.size();  // from within these elements it would stop there as well
  }
  return {};
}

// Elements in a row, and the lines that they stood in.
struct Run {
  std::string name, values, lines;
  std::size_t count = 0;

  void end(std::string& out) {
    out += count > 1 ? name + ": " + values + "\n" : lines;
    *this = {};
  }
};

}  // namespace

std::string plain_text(const Bytes& bytes) {
  if (begins_with(bytes, {0xff, 0xfe})) return from_utf16(bytes, false);
  if (begins_with(bytes, {0xfe, 0xff})) return from_utf16(bytes, true);
  const std::size_t mark = begins_with(bytes, {0xef, 0xbb, 0xbf}) ? 3 : 0;
  return std::string(reinterpret_cast<const char*>(bytes.data()) + mark, bytes.size() - mark);
}

std::string joined_elements(std::string_view text) {
  std::string out;
  Run run;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::vector<Element> elements = elements_of(line);
    if (elements.empty()) {
      run.end(out);
      out += std::string(line) + "\n";
      continue;
    }
    bool goes_on = true;
    for (const Element& e : elements) {
      const bool next = run.count > 0 && e.name == run.name && e.index == run.count;
      if (!next) run.end(out);
      goes_on = next || e.index == 0;
      if (!goes_on) break;
      run.name = e.name;
      run.values += (run.count ? " " : "") + e.value;
      ++run.count;
    }
    if (goes_on)
      run.lines += std::string(line) + "\n";
    else
      out += std::string(line) + "\n";
  }
  run.end(out);
  return out;
}

}  // namespace lockstep
