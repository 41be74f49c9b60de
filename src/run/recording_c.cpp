// Arrays of C source and GDB's prints of arrays.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "run/recording_text.h"

namespace lockstep {
namespace {

// "<repeats N times>" is short for much: so many elements may all of a text's repeats stand for.
constexpr std::size_t most_repeated = std::size_t{1} << 24;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$';
}

// Comments as blanks, so that positions stay.
std::string without_comments(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i + 1 < out.size(); ++i) {
    if (out[i] != '/' || (out[i + 1] != '*' && out[i + 1] != '/')) continue;
    const bool block = out[i + 1] == '*';
    const std::size_t end =
        std::min(block ? out.find("*/", i + 2) : out.find('\n', i), out.size() - (block ? 2 : 0));
    for (std::size_t k = i; k < std::min(end + (block ? 2 : 0), out.size()); ++k)
      if (out[k] != '\n') out[k] = ' ';
    i = std::max(i, end);
  }
  return out;
}

std::optional<DType> type_of(std::string_view words) {
  const auto has = [&](std::string_view word) {
    for (std::size_t at = words.find(word); at != words.npos; at = words.find(word, at + 1))
      if ((at == 0 || !is_word(words[at - 1])) &&
          (at + word.size() >= words.size() || !is_word(words[at + word.size()])))
        return true;
    return false;
  };
  struct Row {
    DType dtype;
    std::vector<std::string_view> words;
  };
  const bool is_unsigned = has("unsigned");
  static const Row rows[] = {{DType::u8, {"uint8_t", "u8", "ai_u8", "stai_uint8"}},
                             {DType::i8, {"int8_t", "s8", "q7_t", "ai_i8", "stai_int8"}},
                             {DType::u16, {"uint16_t", "u16"}},
                             {DType::i16, {"int16_t", "s16", "q15_t"}},
                             {DType::u32, {"uint32_t", "u32"}},
                             {DType::i32, {"int32_t", "s32", "q31_t"}},
                             {DType::f32, {"float", "float32_t", "ai_float"}},
                             {DType::f64, {"double"}}};
  for (const Row& row : rows)
    if (std::ranges::any_of(row.words, has)) return row.dtype;
  if (has("char")) return is_unsigned ? DType::u8 : DType::i8;
  if (has("short")) return is_unsigned ? DType::u16 : DType::i16;
  if (has("int") || has("long")) return is_unsigned ? DType::u32 : DType::i32;
  return std::nullopt;
}

struct Heading {
  std::string name;
  std::optional<DType> dtype;
};

// What stands before "= {": "static const int8_t NAME[2][3]"; of GDB's "(gdb) p NAME", a new line
// and "$1" the name above.
Heading heading_of(std::string_view before) {
  before = before.substr(0, before.find_last_not_of(" \t\r\n=") + 1);
  while (before.ends_with(']')) {
    before = before.substr(0, before.rfind('[') == before.npos ? 0 : before.rfind('['));
    before = before.substr(0, before.find_last_not_of(" \t\r\n") + 1);
  }
  const auto last_word = [](std::string_view text) {
    std::size_t from = text.size();
    while (from > 0 && is_word(text[from - 1])) --from;
    return text.substr(from);
  };
  const std::string_view own = last_word(before);
  before.remove_suffix(own.size());
  if (!own.starts_with('$')) return {std::string(own), type_of(before)};
  before = before.substr(0, before.find_last_not_of(" \t\r\n") + 1);
  const std::string_view line =
      before.substr(before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1);
  return {line.find("(gdb)") == line.npos ? "" : std::string(last_word(line)), std::nullopt};
}

Error unexpected(std::string_view text, std::size_t at, const std::string& where) {
  const auto line = 1 + std::ranges::count(text.substr(0, at), '\n');
  std::string piece(text.substr(at, std::min<std::size_t>(24, text.find('\n', at) - at)));
  const bool cut = piece.starts_with("..");  // a number takes the first point of "3..."
  return {where + ": line " + std::to_string(line),
          cut ? "the list was cut off when it was printed ('...')" : "'" + piece + "'",
          cut ? "every element" : "numbers, commas and a closing brace",
          cut ? "in GDB: set print elements unlimited" : ""};
}

// Reads "12", "-0x1f", "1.5f", "0x80U" at `at` and moves on.
std::optional<double> number_at(std::string_view text, std::size_t& at) {
  std::size_t i = at;
  const bool negative = i < text.size() && text[i] == '-';
  if (i < text.size() && (negative || text[i] == '+')) ++i;
  double value = 0;
  const char* const end = text.data() + text.size();
  const char* stop = nullptr;
  if (text.substr(i).starts_with("0x") || text.substr(i).starts_with("0X")) {
    std::uint64_t whole = 0;
    const auto [to, failure] = std::from_chars(text.data() + i + 2, end, whole, 16);
    if (failure != std::errc{}) return std::nullopt;
    value = static_cast<double>(whole), stop = to;
  } else {
    const auto [to, failure] = std::from_chars(text.data() + i, end, value);
    if (failure != std::errc{}) return std::nullopt;
    stop = to;
  }
  at = static_cast<std::size_t>(stop - text.data());
  while (at < text.size() && std::string_view("uUlLfF").find(text[at]) != std::string_view::npos)
    ++at;
  return negative ? -value : value;
}

// "<repeats N times>" at `at`, which moves behind it: `numbers` gets the last one N - 1 times more,
// taken from `left`.
Result<void> repeat_last(std::string_view text, std::size_t& at, std::size_t& left,
                         std::vector<double>& numbers, const std::string& where) {
  std::size_t times = 0;
  const std::size_t from = at + std::string_view("<repeats ").size(), end = text.find('>', at);
  if (end == text.npos) return unexpected(text, at, where);
  const auto failure = std::from_chars(text.data() + from, text.data() + end, times).ec;
  if (failure == std::errc::result_out_of_range || (failure == std::errc{} && times > left)) {
    Error error = unexpected(text, at, where);
    error.want = "at most " + std::to_string(most_repeated) + " repeated elements in one text";
    return error;
  }
  if (failure != std::errc{}) return unexpected(text, at, where);
  left -= times;
  numbers.insert(numbers.end(), times > 0 ? times - 1 : 0, numbers.back());
  at = end + 1;
  return {};
}

// The numbers of the list whose brace stands at `at`; `at` moves behind its end. `left` is what
// repeats may still add.
Result<std::vector<double>> list_at(std::string_view text, std::size_t& at, std::size_t& left,
                                    const std::string& where) {
  std::vector<double> numbers;
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '{') {
      ++depth, ++at;
    } else if (c == '}') {
      ++at;
      if (--depth == 0) return numbers;
    } else if (c == ',' || std::isspace(static_cast<unsigned char>(c))) {
      ++at;
    } else if (text.substr(at).starts_with("<repeats ") && !numbers.empty()) {
      LOCKSTEP_CHECK(repeat_last(text, at, left, numbers, where));
    } else {
      const auto number = number_at(text, at);
      if (!number) return unexpected(text, at, where);
      // GDB shows chars as 12 '\f': the quoted one is skipped.
      numbers.push_back(*number);
      if (text.substr(at).starts_with(" '")) {
        const bool escaped = at + 2 < text.size() && text[at + 2] == '\\';  // also of '\'' and '\\'
        const std::size_t close = text.find('\'', at + (escaped ? 4 : 3));
        if (close == text.npos) return unexpected(text, at, where);
        at = close + 1;
      }
    }
  }
  return Error{where, "a list in braces does not end", "'}'", "the file is cut off"};
}

Result<RecordedArray> typed(std::string name, const std::vector<double>& numbers,
                            std::optional<DType> dtype, const std::string& where) {
  if (!dtype || is_float(*dtype)) return recorded_numbers(std::move(name), numbers);
  Tensor t(*dtype, {static_cast<std::int64_t>(numbers.size())});
  const bool natural = *dtype == DType::u8 || *dtype == DType::u16 || *dtype == DType::u32;
  const double range = std::ldexp(1.0, static_cast<int>(8 * size_of(*dtype)));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    double n = numbers[i];
    if (!natural && n >= range / 2 && n < range) n -= range;  // 0xff in a signed type
    if (std::floor(n) != n || n < (natural ? 0 : -range / 2) || n >= (natural ? range : range / 2))
      return Error{where + ": '" + name + "'",
                   "element " + std::to_string(i) + " is " + std::to_string(numbers[i]),
                   "codes of " + std::string(name_of(*dtype)), ""};
    t.set_number(static_cast<std::int64_t>(i), n);
  }
  return RecordedArray{std::move(name), std::move(t), {}, {}, -1};
}

}  // namespace

bool has_c_lists(std::string_view text) {
  for (std::size_t at = text.find('{'); at != text.npos; at = text.find('{', at + 1)) {
    const std::size_t before = at == 0 ? text.npos : text.find_last_not_of(" \t\r\n", at - 1);
    if (before != text.npos && text[before] == '=') return true;
  }
  return false;
}

Result<Recording> recording_from_c(std::string_view source, const std::string& name,
                                   const std::string& where) {
  const std::string text = without_comments(source);
  Recording recording;
  recording.source = where;
  std::size_t left = most_repeated;
  std::size_t statement = 0,
              seen = 0;  // where the statement begins; up to where its end was looked for
  for (std::size_t at = text.find('{'); at != text.npos; at = text.find('{', at)) {
    const std::size_t end = std::string_view(text).substr(seen, at - seen).rfind(';');
    if (end != text.npos) statement = seen + end + 1;
    seen = at;
    const std::string_view before = std::string_view(text).substr(statement, at - statement);
    const std::size_t last = before.find_last_not_of(" \t\r\n");
    if (last == before.npos || before[last] != '=') {
      ++at;  // a struct, a function: no list
      continue;
    }
    const Heading heading = heading_of(before);
    LOCKSTEP_TRY(const std::vector<double> numbers, list_at(text, at, left, where));
    if (!numbers.empty()) {
      LOCKSTEP_TRY(RecordedArray array, typed(heading.name.empty() ? name : heading.name, numbers,
                                              heading.dtype, where));
      recording.arrays.push_back(std::move(array));
    }
    statement = seen = at;
  }
  number_repeated(recording);
  return recording;
}

}  // namespace lockstep
