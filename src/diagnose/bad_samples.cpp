// Which input each recorded sample is of.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "diagnose/bad_capture.h"

namespace lockstep {
namespace {

constexpr std::size_t most_samples = 64;
constexpr std::int64_t enough =
    24;  // values that tell two samples from each other; or as many samples as these:
constexpr std::size_t enough_samples = 4;
constexpr std::int64_t least_values =
    4;  // of one sample, that move from input to input: fewer meet another's by chance
constexpr double drift =
    8;  // steps: fewer values than that many stand beside another input's answer by chance
constexpr std::size_t none = static_cast<std::size_t>(-1);

// All tensors that are computed: fewer could agree by chance.
std::vector<const Row*> computed_rows(const Comparison& comparison) {
  std::vector<const Row*> rows;
  for (const Row& row : comparison.rows)
    if (row.node != no_id) rows.push_back(&row);
  return rows;
}

// Of those, the ones that are made from nothing but the network's inputs: no operation before them
// can be wrong.
std::vector<const Row*> rows_at_inputs(const Graph& g, const Comparison& comparison) {
  std::vector<const Row*> rows = computed_rows(comparison);
  std::erase_if(rows, [&](const Row* row) {
    return !std::ranges::all_of(row->segment, [&](NodeId n) {
      return std::ranges::all_of(g.node(n).inputs, [&](ValueId v) {
        const NodeId maker = v == no_id || g.value(v).constant ? no_id : g.value(v).producer;
        return maker == no_id || std::ranges::count(row->segment, maker) > 0 ||
               std::ranges::all_of(g.node(maker).inputs, [&](ValueId w) {
                 return w == no_id || g.value(w).constant != nullptr;
               });
      });
    });
  });
  return rows;
}

class Samples {
 public:
  Samples(const Case& c, const Comparison& comparison) : Samples(c, computed_rows(comparison)) {}
  Samples(const Case& c, std::vector<const Row*> rows)
      : c_(c), rows_(std::move(rows)), n_(c.recorded.device.size()) {}

  bool too_few_to_tell() const {
    std::int64_t differing = 0;
    for (const Row* row : rows_) differing += row->whole.differing;
    return rows_.empty() || n_ < 2 || n_ > most_samples ||
           (differing < enough && n_ < enough_samples);
  }

  // Elements of a sample that move from input to input are few.
  bool few_values() const {
    std::int64_t moving = 0;
    for (const Row* row : rows_) {
      const Tensor* first = recorded_tensor(c_.recorded.expected[0], row->tensor);
      for (std::int64_t i = 0; first && i < first->count() && moving < least_values; ++i)
        moving += std::ranges::any_of(c_.recorded.expected, [&](const Sample& s) {
          const Tensor* t = recorded_tensor(s, row->tensor);
          return t && t->count() == first->count() && t->number(i) != first->number(i);
        });
    }
    return moving < least_values;
  }

  // The device gave one answer to everything.
  bool all_alike() const {
    return std::ranges::all_of(c_.recorded.device, [&](const Sample& s) {
      return std::ranges::all_of(rows_, [&](const Row* row) {
        const Tensor *t = recorded_tensor(s, row->tensor),
                     *first = recorded_tensor(c_.recorded.device[0], row->tensor);
        return t && first && *t == *first;
      });
    });
  }

  // The very answer to the first input: a device that keeps it is wrong by a known fault.
  bool starts_right() const { return shows(0, 0, true); }

  // Device sample i is what the reference makes of input of[i]: the very values where there are
  // such, else within a step; `none` where it is of none or of several. Its own input comes first.
  std::vector<std::size_t> origins(bool exactly) const {
    std::vector<std::size_t> of;
    for (std::size_t i = 0; i < n_; ++i) {
      std::size_t found = none;
      for (const bool exact : {true, false}) {
        if ((exactly && !exact) || found != none) break;
        if (shows(i, i, exact)) found = i;
        int matches = 0;
        for (std::size_t t = 0; found != i && t < n_; ++t)
          if (t != i && shows(i, t, exact)) found = ++matches == 1 ? t : none;
      }
      if (!exactly && found != none && near_its_own(i)) found = i;
      of.push_back(found);
    }
    return of;
  }

 private:
  bool shows(std::size_t device, std::size_t expected, bool exact) const {
    return std::ranges::all_of(rows_, [&](const Row* row) {
      const Tensor* d = recorded_tensor(c_.recorded.device[device], row->tensor);
      const Tensor* e = recorded_tensor(c_.recorded.expected[expected], row->tensor);
      return d && e && (exact ? *d == *e : within_a_step(c_.reference.graph(), *row, *e, *d));
    });
  }

  // A handful of values that drifted from the answer to its own input may meet another input's
  // answer.
  bool near_its_own(std::size_t i) const {
    std::int64_t values = 0;
    for (const Row* row : rows_) {
      const Tensor* d = recorded_tensor(c_.recorded.device[i], row->tensor);
      const Tensor* e = recorded_tensor(c_.recorded.expected[i], row->tensor);
      if (!d || !e || (values += d->count()) >= enough) return false;
      const auto m = measure(*e, *d, step_of(c_.reference.graph(), row->value));
      if (!m.ok() || !m->has_lsb || m->not_finite > 0 || m->max_lsb > drift) return false;
    }
    return true;
  }

  const Case& c_;
  std::vector<const Row*> rows_;
  std::size_t n_;
};

std::string numbers(const std::vector<std::size_t>& of) {
  std::string list;
  for (const std::size_t i : of) list += (list.empty() ? "" : ", ") + std::to_string(i + 1);
  return list;
}

bool is_permutation(const std::vector<std::size_t>& of) {
  std::vector<std::size_t> sorted = of;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != i) return false;
  return true;
}

// A device that lags behind or keeps its first answer is a fault of the device, run after run.
bool is_lag(const std::vector<std::size_t>& of) {
  bool one_behind = true, first = true;
  for (std::size_t i = 1; i < of.size(); ++i)
    one_behind = one_behind && of[i] == i - 1, first = first && of[i] == 0;
  return one_behind || first;
}

// Each answer that of the input before, the first that of the last: inputs that go round.
bool one_late(const std::vector<std::size_t>& of) {
  for (std::size_t i = 0; i < of.size(); ++i)
    if (of[i] != (i + of.size() - 1) % of.size()) return false;
  return of.size() > 2;
}

// Each answer that of the input after, the last of none.
bool one_early(const std::vector<std::size_t>& of) {
  for (std::size_t i = 0; i < of.size(); ++i)
    if (of[i] != (i + 1 < of.size() ? i + 1 : none)) return false;
  return of.size() > 2;
}

// Each answer that of the input before, the first of none.
bool one_late_from_elsewhere(const std::vector<std::size_t>& of) {
  for (std::size_t i = 0; i < of.size(); ++i)
    if (of[i] != (i == 0 ? none : i - 1)) return false;
  return of.size() > 2;
}

std::string other_order(const std::vector<std::size_t>& of) {
  return "the samples stand in another order than the inputs: the device's are the reference's "
         "samples " +
         numbers(of) +
         (one_late(of) ? "; where the device goes through these inputs again and again, it answers "
                         "one run late"
                       : "");
}

// The input of which most samples are the answer.
std::size_t most_frequent(const std::vector<std::size_t>& of) {
  return *std::ranges::max_element(of, {},
                                   [&](std::size_t i) { return std::ranges::count(of, i); });
}

}  // namespace

std::optional<std::string> reordered_exactly(const Case& c, const Comparison& comparison) {
  const Samples samples(c, comparison);
  if (comparison.identical() || samples.too_few_to_tell()) return std::nullopt;
  const auto of = samples.origins(true);
  if (one_early(of))
    return fmt::format(
        "each sample is of the input after its own, the last of none that was sent: the first "
        "inference is not in the recording ({} samples from input 2 on)",
        of.size() - 1);
  if (std::ranges::count(of, none) || !is_permutation(of) || std::ranges::is_sorted(of))
    return std::nullopt;
  return other_order(of);
}

namespace {

// What is made from the inputs alone stands in another order, value by value: whatever else is
// wrong comes after it.
std::optional<std::string> reordered_at_inputs(const Case& c, const Comparison& comparison) {
  const Samples samples(c, rows_at_inputs(c.reference.graph(), comparison));
  if (samples.too_few_to_tell()) return std::nullopt;
  const auto of = samples.origins(true);
  if (std::ranges::count(of, none) || !is_permutation(of) || std::ranges::is_sorted(of) ||
      is_lag(of))
    return std::nullopt;
  return other_order(of) +
         " (read from what is made of the inputs alone; further on something else is wrong too)";
}

std::optional<std::string> misplaced_throughout(const Case& c, const Comparison& comparison,
                                                bool of_few_values) {
  const Samples samples(c, comparison);
  if (samples.too_few_to_tell() || samples.few_values() != of_few_values) return std::nullopt;
  const auto of = samples.origins(false);
  if (std::ranges::count(of, none) || std::ranges::is_sorted(of, std::less_equal<>{}))
    return std::nullopt;
  if (is_permutation(of))
    return std::ranges::is_sorted(of) ? std::nullopt : std::optional(other_order(of));
  if (is_lag(of) || (samples.all_alike() && samples.starts_right())) return std::nullopt;
  if (samples.all_alike() || std::ranges::all_of(of, [&](std::size_t i) { return i == of[0]; }))
    return fmt::format(
        "all {} samples are what the reference makes of input {}: one inference recorded {} times, "
        "or an output that is not written again",
        of.size(), most_frequent(of) + 1, of.size());
  std::string copies;
  for (std::size_t i = 0; i < of.size(); ++i)
    if (of[i] != i)
      copies +=
          fmt::format("{}sample {} is of input {}", copies.empty() ? "" : ", ", i + 1, of[i] + 1);
  return copies +
         ", the others are of their own: recorded twice, or in those runs the input was not "
         "renewed";
}

}  // namespace

std::optional<std::string> misplaced_samples(const Case& c, const Comparison& comparison) {
  if (auto found = misplaced_throughout(c, comparison, false)) return found;
  return reordered_at_inputs(c, comparison);
}

std::optional<std::string> one_stream(const Case& c, const Comparison& comparison) {
  if (c.reference.graph().states().empty() || c.recorded.state == StateMode::keep ||
      c.recorded.device.size() < 2 || comparison.identical())
    return std::nullopt;
  std::vector<std::string> wanted;
  for (const Row* row : computed_rows(comparison)) wanted.push_back(row->tensor);
  RunOptions options;
  options.state = StateMode::keep;
  const auto kept = c.reference.run(c.recorded.sent, wanted, options);
  if (!kept.ok() || wanted.empty()) return std::nullopt;
  for (std::size_t s = 0; s < kept->samples.size(); ++s)
    for (const std::string& name : wanted) {
      const Tensor *device = recorded_tensor(c.recorded.device[s], name),
                   *made = recorded_tensor(kept->samples[s], name);
      if (device && (!made || !(*device == *made))) return std::nullopt;
    }
  return "they are of one stream: the device keeps its state from sample to sample, as the "
         "reference does with --state keep";
}

std::optional<std::string> begun_early(const Case& c, const Comparison& comparison) {
  const Samples samples(c, comparison);
  if (samples.too_few_to_tell() || !one_late_from_elsewhere(samples.origins(true)))
    return std::nullopt;
  return "each sample is of the input before its own, the first of none that was sent: a run came "
         "before these inputs, or the device answers one run late";
}

std::optional<std::string> perhaps_misplaced(const Case& c, const Comparison& comparison) {
  return misplaced_throughout(c, comparison, true);
}

}  // namespace lockstep
