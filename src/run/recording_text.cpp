// Lines that a firmware printed over its UART, a debugger's dumps of memory, NumPy's prints.
#include "run/recording_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "run/recording_bytes.h"

namespace lockstep {
namespace {

bool is_hex(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789abcdefABCDEF") == word.npos;
}
bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

std::vector<std::string_view> words_of(std::string_view line, std::string_view between) {
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(between); at != line.npos;) {
    const std::size_t end = std::min(line.find_first_of(between, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(between, end);
  }
  return words;
}

// "[00:01:02.345] " of a terminal program.
std::string_view without_time(std::string_view line) {
  if (!line.starts_with('[')) return line;
  const std::size_t end = line.find(']');
  if (end == line.npos || end < 5 ||
      line.substr(1, end - 1).find_first_not_of("0123456789:. -T") != line.npos ||
      line.find(':') > end)
    return line;
  line.remove_prefix(end + 1);
  return line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
}

// What a line is: bytes, numbers, or words; with its own name where it has one.
struct Line {
  std::string name;
  std::optional<Bytes> bytes;
  bool surely_bytes = false;  // bytes by an address, "0x", a letter among the digits, or "05"
  std::optional<std::vector<double>> numbers;
  bool may_be_shape = false;  // numbers behind words: the tensor, or its shape
};

// "0000: 01 02", "0x20000010 <buf+16>:\t0x01", "00000000  00 01 ... |..|": what stands behind the
// address.
std::optional<std::string_view> behind_address(std::string_view line) {
  std::string_view rest = line.starts_with("0x") ? line.substr(2) : line;
  const std::size_t digits =
      std::min(rest.find_first_not_of("0123456789abcdefABCDEF"), rest.size());
  if (digits < 4 || digits > 16) return std::nullopt;
  rest.remove_prefix(digits);
  if (rest.empty()) return digits >= 7 ? std::optional(rest) : std::nullopt;  // hexdump's last line
  if (digits == 8 && rest.starts_with("  "))
    return rest.substr(2, rest.find('|') == rest.npos ? rest.npos : rest.find('|') - 2);
  if (const std::size_t symbol = rest.find('<');
      symbol != rest.npos && rest.find_first_not_of(" \t") == symbol) {
    if (rest.find('>') == rest.npos) return std::nullopt;
    rest = rest.substr(rest.find('>') + 1);
  }
  if (!rest.starts_with(':')) return std::nullopt;
  rest.remove_prefix(1);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  // Characters stand two blanks behind the bytes.
  return rest.substr(0, std::min(rest.find("  "), rest.find('|')));
}

// Words of bytes: "7f", "0001", and with "0x" words of up to 8 bytes, the least first. `surely`
// speaks of a line that is bytes to its end: "02 -49" is none.
std::optional<Bytes> bytes_of(std::string_view text, bool& surely) {
  Bytes bytes;
  bool said = false;
  for (std::string_view word : words_of(text, ",; \t")) {
    const bool prefixed = word.starts_with("0x") || word.starts_with("0X");
    if (prefixed) word.remove_prefix(2);
    if (!is_hex(word) || word.size() % 2 != 0 || word.size() > (prefixed ? 16u : 64u))
      return std::nullopt;
    said |=
        prefixed || std::ranges::any_of(word, is_letter) || (word.size() == 2 && word[0] == '0');
    Bytes own;
    for (std::size_t i = 0; i < word.size(); i += 2) {
      unsigned byte = 0;
      std::from_chars(word.data() + i, word.data() + i + 2, byte, 16);
      own.push_back(static_cast<std::byte>(byte));
    }
    if (prefixed) std::ranges::reverse(own);
    bytes.insert(bytes.end(), own.begin(), own.end());
  }
  if (bytes.empty()) return std::nullopt;
  surely |= said;
  return bytes;
}

std::optional<std::vector<double>> numbers_of(std::string_view text) {
  std::vector<double> numbers;
  for (std::string_view word : words_of(text, ",; \t[]()")) {
    if (word.starts_with('+')) word.remove_prefix(1);
    double number = 0;
    const auto [stop, failure] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (failure != std::errc{} || stop != word.data() + word.size()) return std::nullopt;
    numbers.push_back(number);
  }
  return numbers.empty() ? std::nullopt : std::optional(std::move(numbers));
}

// The word of a line that is likeliest a tensor's name: the longest with a letter that no log uses
// of itself.
std::string name_in(std::string_view line) {
  static const std::set<std::string, std::less<>> common = {
      "tensor",   "tensors", "layer", "dump",    "dumping", "bytes",  "values",
      "elements", "buffer",  "begin", "start",   "shape",   "size",   "int8",
      "uint8",    "int16",   "int32", "float32", "float",   "sample", "samples"};
  std::string_view best;
  for (std::string_view word : words_of(line, " \t[](){}<>\"'=,|*#")) {
    while (word.ends_with(':')) word.remove_suffix(1);
    if (std::ranges::any_of(word, is_letter) && word.size() > best.size() &&
        !common.contains(lower(word)))
      best = word;
  }
  return std::string(best);
}

// "logits 25 15 -9": words, then numbers. Where a dump of so many elements follows, they were its
// shape.
Line named_by_words(std::string_view line) {
  Line l;
  l.name = name_in(line);
  const std::vector<std::string_view> words = words_of(line, " \t");
  auto first = std::ranges::find_if(words, [](std::string_view w) {
    return numbers_of(w).has_value() && w.find_first_of("[(") == w.npos;
  });
  // "(4, 1, 48)" and "torch.Size([4, 48])" are shapes; "[4, 1, 48]" may be the numbers, with the
  // one behind its bracket.
  if (first != words.begin() && first != words.end() &&
      (first - 1)->find_first_of("[(") != std::string_view::npos &&
      (first - 1)->find_first_of("])") == std::string_view::npos) {
    --first;
    if (!first->starts_with('[') || !numbers_of(*first)) return l;
  }
  if (words.end() - first < 2 || first == words.begin()) return l;
  l.numbers = numbers_of(line.substr(static_cast<std::size_t>(first->data() - line.data())));
  l.may_be_shape = l.numbers.has_value();
  if (l.numbers)
    l.name = name_in(line.substr(0, static_cast<std::size_t>(first->data() - line.data())));
  return l;
}

Line read_line(std::string_view line) {
  Line l;
  if (const auto rest = behind_address(line)) {
    l.surely_bytes = true;
    l.bytes = bytes_of(*rest, l.surely_bytes);
    if (l.bytes || rest->empty()) return l;
    l.surely_bytes = false;
  }
  l.bytes = bytes_of(line, l.surely_bytes);
  l.numbers = numbers_of(line);
  if (l.bytes || l.numbers) return l;
  const std::size_t at = line.find_last_of(":=");
  if (at == line.npos) return named_by_words(line);
  l.name = name_in(line.substr(0, at));
  l.bytes = bytes_of(line.substr(at + 1), l.surely_bytes);
  l.numbers = numbers_of(line.substr(at + 1));
  if (!l.bytes && !l.numbers) l.name = name_in(line);
  return l;
}

// "[1 2 3 ... 7 8]", or "..." between rows of numbers.
bool cuts_off(std::string_view line, bool after_data) {
  const std::size_t dots = line.find("...");
  if (dots == line.npos) return false;
  if (line == "...") return after_data;
  return numbers_of(line.substr(0, dots)) && numbers_of(line.substr(dots + 3));
}

// Lines in a row that belong to one tensor. All are numbers, or all are bytes; "02 11" is both
// until another line says which. takes() keeps one of the two true, so that no block is neither.
struct Block {
  std::string name;
  std::vector<double> front;  // behind the name's words: a shape, or the tensor's first line
  std::vector<double> numbers;
  Bytes bytes;
  bool numeric = true, hexadecimal = true, surely = false;

  bool empty() const { return front.empty() && numbers.empty() && bytes.empty(); }
  bool takes(const Line& l) const { return (numeric && l.numbers) || (hexadecimal && l.bytes); }
  void add(const Line& l) {
    if (l.may_be_shape && empty()) {
      front = *l.numbers;
      return;
    }
    numeric = numeric && l.numbers;
    hexadecimal = hexadecimal && l.bytes;
    surely = surely || l.surely_bytes;
    if (numeric) numbers.insert(numbers.end(), l.numbers->begin(), l.numbers->end());
    if (hexadecimal) bytes.insert(bytes.end(), l.bytes->begin(), l.bytes->end());
  }
};

// Whether `numbers` are extents whose product is `count` elements of `width` bytes.
bool is_shape(const std::vector<double>& numbers, std::size_t count, double width = 1) {
  double product = width;
  for (const double n : numbers) {
    if (!(n >= 1) || std::floor(n) != n) return false;
    product *= n;
  }
  return product == static_cast<double>(count);
}

void close(Block& block, Recording& recording) {
  const Block b = std::exchange(block, {});
  if (b.empty()) return;
  if (!b.bytes.empty() && b.hexadecimal && (b.surely || !b.numeric)) {
    const auto fits = [&](double width) { return is_shape(b.front, b.bytes.size(), width); };
    if (!b.front.empty() && !fits(1) && !fits(2) && !fits(4) && !fits(8))
      recording.notes.push_back(
          "'" + b.name + "': the numbers behind the name are no shape of the " +
          std::to_string(b.bytes.size()) + " bytes below it, and were left out");
    recording.arrays.push_back(recorded_bytes(b.name, b.bytes));
    return;
  }
  std::vector<double> numbers = b.front;
  if (!b.numbers.empty() && is_shape(b.front, b.numbers.size())) numbers.clear();
  numbers.insert(numbers.end(), b.numbers.begin(), b.numbers.end());
  recording.arrays.push_back(recorded_numbers(b.name, numbers));
}

}  // namespace

bool is_text_ending(std::string_view ending) {
  static constexpr std::string_view endings[] = {".h", ".c", ".inc", ".txt", ".log"};
  return std::ranges::count(endings, ending) > 0;
}

RecordedArray recorded_numbers(std::string name, const std::vector<double>& numbers) {
  constexpr double exact = 0x1p24;
  const bool wide = std::ranges::any_of(numbers,
                                        [](double n) {
                                          return std::abs(n) > exact && std::abs(n) < 0x1p53 &&
                                                 std::floor(n) == n;
                                        }) &&
                    std::ranges::all_of(numbers, [](double n) {
                      return std::abs(n) < 0x1p53 && std::floor(n) == n;
                    });
  Tensor t(wide ? DType::i64 : DType::f32, {static_cast<std::int64_t>(numbers.size())});
  for (std::size_t i = 0; i < numbers.size(); ++i)
    t.set_number(static_cast<std::int64_t>(i), numbers[i]);
  return {std::move(name), std::move(t), {}, {}, -1};
}

void number_repeated(Recording& recording) {
  std::map<std::string, std::int64_t> seen;
  for (const RecordedArray& a : recording.arrays) ++seen[a.name];
  const std::int64_t times = seen.empty() ? 0 : seen.begin()->second;
  if (times < 2 || std::ranges::any_of(seen, [&](const auto& s) { return s.second != times; }))
    return;
  seen.clear();
  for (RecordedArray& a : recording.arrays) a.sample = seen[a.name]++;
  std::ranges::stable_sort(recording.arrays, {}, [](const RecordedArray& a) { return a.sample; });
  recording.samples = times;
  recording.notes.push_back("each tensor stands " + std::to_string(times) + " times in " +
                            recording.source + ": read as so many samples");
}

Result<Recording> recording_from_text(std::string_view text, const std::string& name,
                                      const std::string& where) {
  if (has_c_lists(text)) return recording_from_c(text, name, where);
  Recording recording;
  recording.source = where;
  Block block;
  std::string heading;
  std::size_t number = 0;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    line = without_time(line.substr(std::min(line.find_first_not_of(" \t\r"), line.size())));
    if (line.empty()) continue;
    if (line == "*" && !block.empty())
      return Error{where + ": line " + std::to_string(number),
                   "'*' stands for lines that were left out as equal", "every line",
                   "hexdump -v, or xxd without -a"};
    const Line l = read_line(line);
    const bool data = l.bytes || l.numbers;
    if (!data && cuts_off(line, !block.empty()))
      return Error{where + ": line " + std::to_string(number),
                   "the tensor was cut off when it was printed ('...')", "every element",
                   "in NumPy: set_printoptions(threshold=sys.maxsize)"};
    if (!data && l.surely_bytes) continue;  // an address alone
    if (!data || !l.name.empty() || !block.takes(l)) close(block, recording);
    if (!data) {
      heading = l.name;
      continue;
    }
    if (block.empty()) block.name = !l.name.empty() ? l.name : heading.empty() ? name : heading;
    block.add(l);
  }
  close(block, recording);
  number_repeated(recording);
  return recording;
}

}  // namespace lockstep
