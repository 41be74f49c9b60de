// Tensors that were never recorded, or whose recording holds other bytes than the device computed
// with.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "diagnose/bad_capture.h"

namespace lockstep {
namespace {

constexpr std::size_t several = 3;   // tensors alike are no fault of one operation
constexpr std::int64_t enough = 24;  // differing values that are no chance

// Whether a tensor of several elements holds one value everywhere.
bool one_value(const Tensor& t) {
  const std::size_t width = size_of(t.dtype());
  const auto bytes = t.bytes();
  for (std::size_t i = width; i + width <= bytes.size(); i += width)
    if (!std::ranges::equal(bytes.subspan(i, width), bytes.first(width))) return false;
  return t.count() > 1;
}

// The tensors of the network's own work, of which the reference makes something.
std::vector<const Row*> computed(const Case& c, const Comparison& comparison) {
  std::vector<const Row*> rows;
  for (const Row& row : comparison.rows)
    if (row.node != no_id && row.whole.count && !c.recorded.expected.empty()) rows.push_back(&row);
  return rows;
}

// Every tensor holds one and the same value everywhere, in every sample, and the reference's do
// not.
std::optional<std::string> nothing_recorded(const Case& c, const Comparison& comparison) {
  std::size_t tensors = 0, lively = 0;
  double value = 0;
  for (const Row* row : computed(c, comparison)) {
    const Tensor* right = recorded_tensor(c.recorded.expected[0], row->tensor);
    for (std::size_t s = 0; s < c.recorded.device.size(); ++s) {
      const Tensor* t = recorded_tensor(c.recorded.device[s], row->tensor);
      if (!t || t->count() < 2) continue;
      if (!one_value(*t) || (tensors && t->number(0) != value)) return std::nullopt;
      value = t->number(0);
      if (s == 0) ++tensors, lively += right && !one_value(*right);
    }
  }
  const bool inputs_right = std::ranges::any_of(comparison.rows, [](const Row& r) {
    return r.node == no_id && r.whole.count && r.whole.identical();
  });
  if (lively < several || inputs_right)
    return std::nullopt;  // what was recorded arrived: then the device's memory is at fault
  return fmt::format(
      "every one of {} tensors holds {} and nothing else: nothing was recorded, or the memory that "
      "was read is asleep or was never "
      "written (lockstep preflight asks a board)",
      tensors, value);
}

// `change` makes of the device's tensor what the reference has.
template <class F>
bool in_other_form(const Case& c, const Row& row, F&& change) {
  bool some = false;
  for (std::size_t s = 0; s < c.recorded.device.size(); ++s) {
    const Tensor *d = recorded_tensor(c.recorded.device[s], row.tensor),
                 *e = recorded_tensor(c.recorded.expected[s], row.tensor);
    if (!d || !e) continue;
    if (d->dtype() != e->dtype() || d->count() != e->count()) return false;
    if (!within_a_step(c.reference.graph(), row, *e, change(*d))) return false;
    some = true;
  }
  return some;
}

Tensor bytes_reversed(const Tensor& t) {
  Tensor out = t;
  const std::size_t width = size_of(t.dtype());
  for (std::size_t i = 0; i + width <= out.bytes().size(); i += width)
    std::reverse(out.bytes().begin() + static_cast<std::ptrdiff_t>(i),
                 out.bytes().begin() + static_cast<std::ptrdiff_t>(i + width));
  return out;
}

Tensor moved_by_128(const Tensor& t) {
  Tensor out = t;
  for (std::byte& b : out.bytes()) b ^= std::byte{0x80};
  return out;
}

// All wrong tensors of some kind are right once their bytes are read otherwise. One alone may be
// the device's fault.
std::optional<std::string> other_form(const Case& c, const Comparison& comparison) {
  std::size_t swapped = 0, moved = 0, wide = 0, narrow = 0;
  std::string first_swapped, first_moved;
  for (const Row* row : computed(c, comparison)) {
    const DType type = c.reference.graph().value(row->value).dtype;
    const bool is_wide = size_of(type) > 1, is_byte = type == DType::i8 || type == DType::u8;
    if (is_wide) ++wide;
    if (is_byte) ++narrow;
    if (row->whole.identical()) continue;
    if (is_wide && in_other_form(c, *row, bytes_reversed) && ++swapped == 1)
      first_swapped = row->tensor;
    if (is_byte && in_other_form(c, *row, moved_by_128) && ++moved == 1) first_moved = row->tensor;
  }
  if (swapped >= 2 && swapped * 10 >= wide * 8)
    return fmt::format(
        "the elements of {} tensors ('{}', ...) stand with their bytes in reverse: the recording "
        "is big-endian (\"byte_order\" in a "
        "description says so, numpy's byteswap turns an array)",
        swapped, first_swapped);
  if (moved >= 2 && moved * 10 >= narrow * 8)
    return fmt::format(
        "the codes of {} tensors ('{}', ...) are 128 away from the model's: uint8 recorded as int8 "
        "or the other way round; convert "
        "them, or record the zero points",
        moved, first_moved);
  return std::nullopt;
}

// A tensor is wrong as recorded, and whatever reads it is what the right one makes and not what the
// recorded one would make: the device had it right.
std::optional<std::string> wrong_as_recorded(const Case& c, const Comparison& comparison) {
  const Graph& g = c.reference.graph();
  std::vector<const Row*> row_of(g.values().size(), nullptr);
  for (const Row& row : comparison.rows) row_of[static_cast<std::size_t>(row.value)] = &row;
  std::vector<std::string> names;
  std::set<const Row*> accounted;  // rows whose being wrong this explains
  for (const Row& row : comparison.rows) {
    if (row.state != Judgement::wrong || row.whole.differing < 1 || row.inherited) continue;
    int readers = 0, contradict = 0;
    std::vector<const Row*> wrong_readers;
    for (const NodeId n : g.consumers(row.value))
      for (const ValueId y : g.node(n).outputs) {
        const Row* reader = y == no_id ? nullptr : row_of[static_cast<std::size_t>(y)];
        if (!reader || reader->segment.size() != 1) continue;
        ++readers;
        if (reader->whole.identical() && reader->state == Judgement::wrong)
          ++contradict, wrong_readers.push_back(reader);
      }
    if (readers == 0 || contradict != readers) continue;
    names.push_back(row.tensor);
    accounted.insert(&row);
    accounted.insert(wrong_readers.begin(), wrong_readers.end());
  }
  if (names.empty()) return std::nullopt;
  const bool all = std::ranges::all_of(comparison.rows, [&](const Row& r) {
    return r.state != Judgement::wrong || accounted.contains(&r);
  });
  if (!all) return std::nullopt;
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, names.size()); ++i)
    list += (i ? "', '" : "'") + names[i];
  return fmt::format(
      "{}{} {} wrong as recorded only: what the device made of {} is what the right one makes, so "
      "it was cut off, overwritten or read "
      "at another time by the recording",
      list + "'", names.size() > 3 ? fmt::format(" and {} more", names.size() - 3) : "",
      names.size() > 1 ? "are" : "is", names.size() > 1 ? "them" : "it");
}

}  // namespace

std::optional<std::string> bad_contents(const Case& c, const Comparison& comparison) {
  if (auto found = nothing_recorded(c, comparison)) return found;
  if (auto found = other_form(c, comparison)) return found;
  return wrong_as_recorded(c, comparison);
}

std::optional<std::string> unexplained_capture(const Case& c, const Verdict& v) {
  if (v.suspects.empty() || v.suspects[0].cause()) return std::nullopt;
  if (auto early = begun_early(c, v.comparison)) return early;
  for (const Suspect& s : v.suspects) {
    const Row& row = v.comparison.rows[s.row];
    if (row.whole.not_finite > 0 && !s.cause())
      return fmt::format(
          "'{}' holds {} NaN or infinite, which this network cannot yield: recorded before it was "
          "written, or its "
          "bytes are not of type {}",
          row.tensor,
          row.whole.not_finite == 1 ? "a value that is"
                                    : std::to_string(row.whole.not_finite) + " values that are",
          name_of(c.reference.graph().value(row.value).dtype));
  }
  // Only network inputs are wrong, and everything computed follows from the inputs that the
  // recording holds.
  const bool inputs_only = std::ranges::all_of(v.comparison.rows, [](const Row& r) {
    return r.state != Judgement::wrong || r.node == no_id;
  });
  const Row& first = v.comparison.rows[v.suspects[0].row];
  if (inputs_only && first.node == no_id && first.whole.differing >= enough)
    return "they are of other inputs than those given: with the inputs that they hold themselves "
           "every operation is right; leave --input away, or "
           "record again";
  return std::nullopt;
}

}  // namespace lockstep
