#include "diagnose/judge.h"

#include <algorithm>

#include "base/text.h"
#include "diagnose/bad_capture.h"
#include "diagnose/drift.h"
#include "diagnose/gate.h"
#include "diagnose/hypotheses.h"
#include "diagnose/on_codes.h"
#include "diagnose/rewrites.h"
#include "diagnose/scope.h"
#include "diagnose/under_others.h"
#include "diff/local.h"
#include "diff/pair.h"

namespace lockstep {
namespace {

constexpr std::size_t most_suspects = 64;

// End to end every tensor lies inside the simulated spread of the whole network.
Result<bool> inside_envelope(const Case& c, const Comparison& comparison) {
  std::vector<Sample> inputs(c.recorded.sent.begin(), c.recorded.sent.end());
  std::vector<Sample> nothing(inputs.size());
  Recorded only_sent{c.recorded.sent, c.recorded.expected, nothing, c.recorded.state};
  const LocalTest test(c.reference, only_sent);
  for (const Row& row : comparison.rows) {
    if (row.node == no_id || row.whole.identical()) continue;
    if (row.whole.not_finite > 0) return false;
    if (row.whole.has_lsb && row.whole.max_lsb <= 1) continue;
    std::vector<double> distance(inputs.size(), 0);
    for (std::size_t s = 0; s < inputs.size(); ++s) {
      const auto device = c.recorded.device[s].find(row.tensor);
      const auto expected = c.recorded.expected[s].find(row.tensor);
      if (device == c.recorded.device[s].end() || expected == c.recorded.expected[s].end())
        continue;
      LOCKSTEP_TRY(const Metrics m, measure(expected->second, device->second,
                                            step_of(c.reference.graph(), row.value)));
      distance[s] = m.max_abs;
    }
    LOCKSTEP_TRY(const auto spread, spread_of(test, row.value, distance));
    if (!spread || row.whole.max_abs > 1.25 * spread->max_abs ||
        row.whole.rmse > 1.5 * spread->rmse)
      return false;
  }
  return true;
}

// The shorter of what was found in the reference's graph and what is found on codes.
void on_codes_instead(const Case& c, const Row& row, std::size_t index,
                      const SearchOptions& options, Suspect& found) {
  SearchOptions rest = options;  // less where the search before it took all
  rest.work = std::clamp(options.work - found.work, options.work / 2, options.work);
  Suspect other = search_on_codes(c, row, index, rest);
  found.tried += other.tried;
  found.work += other.work;
  const Explanation *here = found.cause(), *there = other.cause();
  if (!there) {
    found.cut_short = found.cut_short || other.cut_short;
    return;
  }
  const NodeId at = here ? c.reference.graph().find_node(here->site) : no_id;
  const bool at_quantizer = at != no_id && c.reference.graph().node(at).op == "DequantizeLinear";
  const bool keep = here && here->exact() >= there->exact() &&
                    length(*here) < length(*there) + (at_quantizer ? -4 : 4);
  const int tried = found.tried;
  const double work = found.work;
  if (!keep) std::swap(found, other);
  found.tried = tried;
  found.work = work;
  set_beside(c, row, found, other);
}

// A single cause in another named arithmetic, where the reference's leaves something or takes
// several.
void under_others_instead(const Case& c, const Comparison& comparison, const Row& row,
                          std::size_t index, const SearchOptions& options, Suspect& found) {
  Suspect other = search_under_others(c, comparison, row, index, options, found);
  const int tried = found.tried + other.tried;
  const double work = found.work + other.work;
  if (other.cause()) found = std::move(other);
  found.tried = tried;
  found.work = work;
}

Result<void> find_causes(const Case& c, Verdict& v) {
  const LocalTest test(c.reference, c.recorded);
  std::vector<Explanation> known;
  SearchOptions options = c.search;
  double left = c.search.work;
  for (std::size_t i = 0; i < v.comparison.rows.size(); ++i) {
    const Row& row = v.comparison.rows[i];
    if (row.state != Judgement::wrong) continue;
    if (c.search.first_only && !v.suspects.empty()) break;
    if (std::ranges::any_of(v.suspects, [&](const Suspect& s) { return s.row == i; })) continue;
    if (v.suspects.size() == most_suspects ||
        (left < c.search.work / 1000 && !v.suspects.empty())) {
      ++v.not_examined;
      continue;
    }
    // The first is worth the whole search; the others share as much again.
    options.work = v.suspects.empty() ? c.search.work : left / 2;
    const auto trial = Trial::make(test, c.recorded, row);
    if (!trial.ok()) {
      v.notes.push_back("'" + row.tensor + "' is not replayed: " + trial.error().what);
      v.suspects.push_back({i, {}, 0, false});
      continue;
    }
    v.suspects.push_back(search(*trial, i, known, options));
    if (Suspect& s = v.suspects.back(); !s.cause() && !c.search.first_only)
      if (auto found = search_families(*trial, options, s))
        s.ranked.insert(s.ranked.begin(), std::move(*found));
    if (row.segment.size() > 1 || row.op == "QuantizeLinear")
      on_codes_instead(c, row, i, options, v.suspects.back());
    under_others_instead(c, v.comparison, row, i, options, v.suspects.back());
    if (v.suspects.size() > 1) left -= v.suspects.back().work;
    if (const Explanation* cause = v.suspects.back().cause()) known.push_back(*cause);
  }
  return {};
}

std::vector<std::string> advice_of(const Explanation& e) {
  std::vector<std::string> lines = split(e.fault->advice, '\n');
  for (const FaultSpec& f : e.also)
    for (std::string& line : split(f.fault->advice, '\n')) lines.push_back(std::move(line));
  return lines;
}

void advise(Verdict& v) {
  for (const Suspect& suspect : v.suspects)
    if (const Explanation* cause = suspect.cause())
      for (const std::string& line : advice_of(*cause))
        if (!line.empty() && std::ranges::find(v.advice, line) == v.advice.end())
          v.advice.push_back(line);
}

// Within rounding, and yet as no named arithmetic computes: the first operation that does so, when
// one cause makes all of its codes.
void find_departure(const Case& c, Verdict& v) {
  for (std::size_t i = 0; i < v.comparison.rows.size(); ++i) {
    const Row& row = v.comparison.rows[i];
    if (row.node == no_id || row.in_spread || !row.like.empty() || row.state != Judgement::rounding)
      continue;
    const LocalTest test(c.reference, c.recorded);
    const auto trial = Trial::make(test, c.recorded, row);
    if (!trial.ok()) return;
    SearchOptions options = c.search;
    options.work /= 4;
    options.fits = false;
    Suspect suspect = search(*trial, i, {}, options);
    if (const Explanation* cause = suspect.cause(); cause && cause->exact())
      v.departure = std::move(suspect);
    return;
  }
}

std::string healthy_summary(const Verdict& v) {
  if (v.comparison.identical()) return "healthy, equal to the reference on every value compared";
  if (!v.computes_as.empty()) return "healthy, computes as " + v.computes_as;
  const bool spread = std::ranges::any_of(v.comparison.rows, &Row::in_spread);
  const bool tested = std::ranges::any_of(v.comparison.rows, [](const Row& r) {
    return r.node != no_id && r.state != Judgement::unknown;
  });
  if (!tested) return "";
  return spread ? "healthy, inside the spread that rounding alone makes"
                : "healthy, within rounding";
}

// All that is wrong has one and the same cause at one place, or at the inputs.
bool one_cause_makes_all(const Verdict& v) {
  return !v.suspects.empty() && v.not_examined == 0 &&
         std::ranges::all_of(v.suspects, [&](const Suspect& s) {
           const Explanation *own = s.cause(), *first = v.suspects[0].cause();
           return own && first && own->exact() && own->fault == first->fault &&
                  (own->site == first->site || own->fault->stage == Stage::input);
         });
}

// A recording that is wrong itself: said, not explained.
Verdict refused(Verdict v, const Case& c, const std::string& why) {
  v.healthy = false;
  v.suspects.clear();
  v.notes = capture_notes(c, v.comparison);
  v.summary = "the captures do not belong to this run: " + why;
  v.next = {"put the recording right and ask again; nothing in it is explained as it is"};
  return v;
}

}  // namespace

Result<std::string> computes_as(const Case& c, const Comparison& comparison) {
  std::string names;
  if (!c.others) return names;
  std::vector<std::string> wanted;
  for (const Row& row : comparison.rows)
    if (row.node != no_id) wanted.push_back(row.tensor);
  for (const Executor& other : c.others()) {
    RunOptions options;
    options.state = c.recorded.state;
    std::vector<std::string> shared;
    for (const std::string& name : wanted)
      if (other.graph().find_value(name) != no_id) shared.push_back(name);
    if (shared.size() != wanted.size() || shared.empty()) continue;
    auto run = other.run(c.recorded.sent, shared, options);
    if (!run.ok())
      continue;  // an operator that this arithmetic has no meaning for: no device computes so
    const Capture made = std::move(*run);
    // In the reference's types, as the device's tensors are: codes stand against reals where only
    // one side quantizes.
    const auto paired = pair_tensors(c.reference.graph(), made);
    bool equal = paired.ok() && paired->samples.size() == c.recorded.device.size();
    for (std::size_t s = 0; equal && s < paired->samples.size(); ++s)
      for (const std::string& name : wanted) {
        const auto device = c.recorded.device[s].find(name), own = paired->samples[s].find(name);
        equal = equal && (device == c.recorded.device[s].end() ||
                          (own != paired->samples[s].end() && own->second == device->second));
      }
    if (equal) names += (names.empty() ? "" : " or ") + std::string(other.arithmetic().name);
  }
  return names;
}

Result<Verdict> judge(const Case& c, const std::vector<std::string>& left_device) {
  Verdict v;
  LOCKSTEP_TRY(v.comparison, compare(c.reference, c.recorded, c.tolerance, c.others));
  v.comparison.left_device = left_device;
  if (!v.comparison.identical()) {
    LOCKSTEP_TRY(v.computes_as, computes_as(c, v.comparison));
  }
  for (const auto& other_runs : {one_stream, reordered_exactly})
    if (const auto why = other_runs(c, v.comparison)) return refused(std::move(v), c, *why);
  if (c.tolerance.kind == Tolerance::Kind::cosine) {
    LOCKSTEP_CHECK(judge_gate(c.reference.graph(), c.tolerance, v));
    return v;
  }
  if (c.tolerance.kind == Tolerance::Kind::envelope) {
    LOCKSTEP_TRY(v.healthy, inside_envelope(c, v.comparison));
    if (v.healthy)
      v.summary = "healthy, inside the end-to-end envelope (asked by --tolerance envelope)";
  } else if (!v.computes_as.empty() && c.tolerance.kind != Tolerance::Kind::exact) {
    v.healthy = true;
  } else {
    v.healthy = v.comparison.first_wrong() < 0;
    if (v.healthy && c.tolerance.kind == Tolerance::Kind::standard) settle_drift(c, v);
    if (v.undecided) return v;
  }
  if (v.healthy) {
    if (v.computes_as.empty() && c.tolerance.kind == Tolerance::Kind::standard)
      find_departure(c, v);
    if (v.summary.empty()) v.summary = healthy_summary(v);
    if (const Explanation* e = v.departure ? v.departure->cause() : nullptr)
      v.notes.push_back(v.comparison.rows[v.departure->row].name +
                        " rounds as no named arithmetic does: " + e->claim + " (" + e->spec +
                        " makes all of its codes)");
    if (v.summary.empty())
      return Error{c.target, "nothing that the device computed could be compared",
                   "at least one computed tensor, with the inputs it was made from", ""};
    return v;
  }
  v.notes = capture_notes(c, v.comparison);
  if (const auto bad = bad_capture(c, v.comparison)) return refused(std::move(v), c, *bad);
  v.summary = "mismatch";
  LOCKSTEP_CHECK(find_causes(c, v));
  if (const auto names = perhaps_exchanged(c, v.comparison)) {
    if (!one_cause_makes_all(v)) return refused(std::move(v), c, *names);
    for (Suspect& s : v.suspects) s.ranked[0].certain = false;
    v.notes.push_back("the recording may be wrong as well: " + *names);
  }
  if (const auto other = perhaps_misplaced(c, v.comparison)) {
    if (v.unexplained()) return refused(std::move(v), c, *other);
    v.suspects[0].ranked[0].certain = false;
    v.notes.push_back("the recording may be wrong as well: " + *other);
  }
  if (const auto bad = c.search.first_only ? std::nullopt : unexplained_capture(c, v))
    return refused(std::move(v), c, *bad);
  if (const std::string version = other_version(c, v); !version.empty()) {
    v.summary = "mismatch: " + version;
    v.notes.insert(v.notes.begin(), version);
  } else if (const std::string doubt = doubtful_inputs(c, v); !doubt.empty()) {
    v.summary = "mismatch: " + doubt;
    v.notes.insert(v.notes.begin(), doubt);
  }
  if (c.search.first_only) return v;
  v.reach = reach_of(c, v);
  v.scopes = scopes_of(c, v);
  LOCKSTEP_TRY(v.repairs, replay_repair(c, v));
  // A cause that was replayed on codes has no place in the reference's graph to be simulated at.
  const bool in_reference = std::ranges::all_of(
      v.suspects, [](const Suspect& s) { return !s.cause() || s.cause()->arithmetic.empty(); });
  if (in_reference) {
    LOCKSTEP_TRY(v.rewrites, predict_rewrites(c, v));
    LOCKSTEP_TRY(const std::vector<Rewrite> catalogue, simulate_rewrites(c, v));
    v.rewrites.insert(v.rewrites.end(), catalogue.begin(), catalogue.end());
  }
  std::ranges::stable_sort(v.rewrites, [](const Rewrite& a, const Rewrite& b) {
    return a.holds != b.holds ? a.holds : a.cosine > b.cosine;
  });
  advise(v);
  v.next = capture_next(c, v);
  return v;
}

}  // namespace lockstep
