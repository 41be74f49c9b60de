#include "run/recording_line.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/text.h"

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
PrintedLine named_by_words(std::string_view line) {
  PrintedLine l;
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

}  // namespace

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

PrintedLine read_line(std::string_view line) {
  PrintedLine l;
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

bool cuts_off(std::string_view line, bool after_data) {
  const std::size_t dots = line.find("...");
  if (dots == line.npos) return false;
  if (line == "...") return after_data;
  return numbers_of(line.substr(0, dots)) && numbers_of(line.substr(dots + 3));
}

}  // namespace lockstep
