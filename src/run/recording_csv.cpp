// ST's form of .csv: one flattened sample a line, numbers apart by commas, semicolons or blanks,
// and optional comments, of which "# dtype=uint8" among the first five names the element type.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "run/recording.h"

namespace lockstep {

namespace {

constexpr std::size_t dtype_comments = 5;

struct Rows {
  std::size_t width = 0, count = 0;
  std::vector<double> numbers;
};

std::string place(const std::string& where, std::size_t line) {
  return where + ": line " + std::to_string(line);
}

Result<void> add_row(std::string_view line, const std::string& where, Rows& rows) {
  constexpr std::string_view between = ",; \t\"";
  std::size_t width = 0;
  for (std::size_t at = line.find_first_not_of(between); at != line.npos;) {
    const std::size_t end = std::min(line.find_first_of(between, at), line.size());
    std::string_view word = line.substr(at, end - at);
    if (word.starts_with('+')) word.remove_prefix(1);
    double number = 0;
    const auto [stop, failure] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (failure != std::errc{} || stop != word.data() + word.size())
      return Error{where,
                   "'" + std::string(line.substr(at, std::min<std::size_t>(end - at, 24))) + "'",
                   "a number", ""};
    rows.numbers.push_back(number);
    ++width;
    at = line.find_first_not_of(between, end);
  }
  if (rows.count > 0 && width != rows.width)
    return Error{where, std::to_string(width) + " numbers",
                 std::to_string(rows.width) + " as in the lines before", ""};
  rows.width = width;
  ++rows.count;
  return {};
}

// A first line of which every field begins with a letter: what a spreadsheet calls its columns.
bool names_columns(std::string_view line) {
  for (const std::string& field : split(line, line.find(';') != line.npos    ? ';'
                                              : line.find('\t') != line.npos ? '\t'
                                                                             : ',')) {
    const std::size_t first = field.find_first_not_of(" \"");
    if (first == field.npos || !std::isalpha(static_cast<unsigned char>(field[first])))
      return false;
    if (lower(field).find("nan") == first || lower(field).find("inf") == first) return false;
  }
  return true;
}

// The type after "dtype=", when the comment has one.
Result<std::optional<DType>> comment_type(std::string_view comment, const std::string& where) {
  const std::size_t at = comment.find("dtype=");
  if (at == comment.npos) return std::optional<DType>{};
  const std::string_view rest = comment.substr(at + 6);
  const std::string_view name = rest.substr(0, rest.find_first_of(" ,;\t"));
  const std::optional<DType> dtype = dtype_named(name);
  if (!dtype || *dtype == DType::f16)
    return Error{where, "dtype=" + std::string(name), "int8, uint8, int16, float32, ...", ""};
  return dtype;
}

Result<void> check_code(double number, DType dtype, const std::string& where) {
  if (is_float(dtype)) return {};
  // A line's numbers are read as doubles: codes of 64 bits must be ones that those tell apart.
  constexpr double exact = 0x1p53 - 1;
  const CodeRange range = code_range(dtype);
  const bool natural = dtype == DType::u64 || dtype == DType::u32;
  const double low = natural ? 0 : std::max(static_cast<double>(range.low), -exact),
               high = dtype == DType::u32 ? 0x1p32 - 1
                                          : std::min(static_cast<double>(range.high), exact);
  if (number >= low && number <= high && std::floor(number) == number) return {};
  return Error{where, std::to_string(number), "codes of " + std::string(name_of(dtype)), ""};
}

}  // namespace

Result<Recording> recording_from_csv(std::string_view text, const std::string& name,
                                     const std::string& where) {
  Rows rows;
  DType dtype = DType::f32;
  bool typed = false, heading = false;
  std::size_t number = 0, comments = 0;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t first = line.find_first_not_of(" \t");
    if (first == line.npos) continue;
    if (line[first] == '#') {
      if (++comments > dtype_comments) continue;
      LOCKSTEP_TRY(const auto named, comment_type(line, place(where, number)));
      if (named) dtype = *named;
      typed = typed || named;
      continue;
    }
    const auto added = add_row(line, place(where, number), rows);
    if (!added.ok() && rows.count == 0 && !heading && names_columns(line)) {
      rows.numbers.clear();
      heading = true;
      continue;
    }
    LOCKSTEP_CHECK(added);
  }
  if (rows.count == 0) return Error{where, "no numbers", "one flattened sample a line", ""};
  Tensor tensor(dtype,
                {static_cast<std::int64_t>(rows.count), static_cast<std::int64_t>(rows.width)});
  for (std::size_t i = 0; i < rows.numbers.size(); ++i) {
    LOCKSTEP_CHECK(
        check_code(rows.numbers[i], dtype, where + ": sample " + std::to_string(i / rows.width)));
    tensor.set_number(static_cast<std::int64_t>(i), rows.numbers[i]);
  }
  Recording recording;
  recording.source = where;
  recording.arrays.push_back({name, std::move(tensor), {}, {}, -1});
  if (!typed)
    recording.notes.push_back("'" + name + ".csv' names no dtype: its numbers are read as float32");
  return recording;
}

}  // namespace lockstep
