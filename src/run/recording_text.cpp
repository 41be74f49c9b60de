// Lines that a firmware printed over its UART, a debugger's dumps of memory, NumPy's prints.
#include "run/recording_text.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/text.h"
#include "run/recording_bytes.h"
#include "run/recording_line.h"

namespace lockstep {
namespace {

// Lines in a row that belong to one tensor. All are numbers, or all are bytes; "02 11" is both
// until another line says which. takes() keeps one of the two true, so that no block is neither.
struct Block {
  std::string name;
  std::vector<double> front;  // behind the name's words: a shape, or the tensor's first line
  std::vector<double> numbers;
  Bytes bytes;
  bool numeric = true, hexadecimal = true, surely = false;

  bool empty() const { return front.empty() && numbers.empty() && bytes.empty(); }
  bool takes(const PrintedLine& l) const {
    return (numeric && l.numbers) || (hexadecimal && l.bytes);
  }
  void add(const PrintedLine& l) {
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
    const PrintedLine l = read_line(line);
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
