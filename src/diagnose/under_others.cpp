#include "diagnose/under_others.h"

#include <algorithm>
#include <map>

#include "diagnose/hypotheses.h"

namespace lockstep {
namespace {

constexpr std::size_t most_arithmetics = 4;
constexpr double arithmetic_bits = 6;  // that it is another one, and which
constexpr double share = 0.25;         // of the work of one search, for all of them

struct Likely {
  const Executor* executor;
  int rows;  // of the comparison that are like it
};

std::vector<Likely> likely(const Case& c, const Comparison& comparison) {
  std::vector<Likely> found;
  for (const Executor& other : c.others()) {
    if (other.arithmetic().name == "float") continue;
    const auto rows = std::ranges::count(comparison.rows, other.arithmetic().name, &Row::like);
    found.push_back({&other, static_cast<int>(rows)});
  }
  std::ranges::stable_sort(found, std::greater<>{}, &Likely::rows);
  if (found.size() > most_arithmetics) found.resize(most_arithmetics);
  return found;
}

// Both make the same of the device's own inputs: what explains nothing in one explains nothing in
// the other.
bool alike(const LocalTest& a, const Row& in_a, const LocalTest& b, const Row& in_b) {
  for (std::size_t s = 0; s < a.samples(); ++s) {
    if (!a.device(in_a.value, s)) continue;
    const auto x = a.recompute(in_a.value, s), y = b.recompute(in_b.value, s);
    if (!x.ok() || !y.ok() || !(*x == *y)) return false;
  }
  return true;
}

}  // namespace

std::optional<Row> row_in(const LocalTest& test, const Row& row) {
  const Graph& g = test.reference().graph();
  Row there = row;
  there.value = g.find_value(row.tensor);
  there.segment.clear();
  if (there.value == no_id) return std::nullopt;
  there.node = g.value(there.value).producer;
  if (there.node == no_id) return std::nullopt;
  for (std::size_t s = 0; s < test.samples(); ++s) {
    const Cone cone = test.cone(there.value, s);
    if (!cone.known || cone.nodes.empty()) return std::nullopt;
    if (cone.nodes.size() > there.segment.size()) there.segment = cone.nodes;
  }
  there.name = g.node(there.node).name;
  there.op = g.node(there.node).op;
  return there;
}

Suspect search_under_others(const Case& c, const Comparison& comparison, const Row& row,
                            std::size_t index, const SearchOptions& options, const Suspect& here) {
  const Explanation* cause = here.cause();
  if (!c.others || row.node == no_id || (cause && cause->exact() && cause->also.empty())) return {};
  const LocalTest own(c.reference, c.recorded);
  const std::vector<Likely> arithmetics = likely(c, comparison);
  SearchOptions each = options;
  each.work *= share / static_cast<double>(std::max<std::size_t>(1, arithmetics.size()));
  each.fits = each.pairs = false;
  std::optional<Suspect> best;
  int tried = 0;
  double work = 0;
  for (const Likely& l : arithmetics) {
    const LocalTest test(*l.executor, c.recorded);
    const auto there = row_in(test, row);
    if (!there || alike(own, row, test, *there)) continue;
    const auto trial = Trial::make(test, c.recorded, *there);
    if (!trial.ok()) continue;
    Suspect found = search(*trial, index, {}, each);
    tried += found.tried;
    work += found.work;
    if (!found.cause() || !found.cause()->exact()) continue;
    for (Explanation& e : found.ranked) {
      e.arithmetic = l.executor->arithmetic().name;
      e.bits += arithmetic_bits;
      e.certain = e.certain && l.rows > 0;
    }
    if (cause && cause->exact() && length(*cause) <= length(*found.cause())) continue;
    if (!best || length(*found.cause()) < length(*best->cause())) best = std::move(found);
  }
  Suspect told = best ? std::move(*best) : Suspect{};
  told.tried = tried;
  told.work = work;
  return told;
}

}  // namespace lockstep
