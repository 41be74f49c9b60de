#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <thread>

#include "zoo.h"

namespace lockstep::zoo {
namespace {

bool keeps(Level level, const Graph& g, const std::string& name) {
  const ValueId id = g.find_value(name);
  if (level == Level::all || std::ranges::count(g.outputs(), id) ||
      std::ranges::count(g.inputs(), id))
    return true;
  return level == Level::half && id != no_id && g.value(id).producer % 2 == 0;
}

// How many of the animal's samples this case has.
std::size_t samples_of(const Case& c) {
  return c.level == Level::outputs ? c.animal->sent.size()
                                   : std::min(c.animal->few, c.animal->sent.size());
}

// What the device shows: network inputs are recorded as they were sent.
Result<std::vector<Sample>> shown(const Case& c, const RunOptions& options) {
  const Executor& reference = c.animal->reference;
  const Graph& g = reference.graph();
  std::vector<std::string> wanted;
  for (const auto& [name, tensor] : c.animal->expected[0])
    if (keeps(c.level, g, name)) wanted.push_back(name);
  LOCKSTEP_TRY(Capture capture,
               reference.run(std::span(c.animal->sent).first(samples_of(c)), wanted, options));
  for (std::size_t s = 0; s < capture.samples.size(); ++s)
    for (const auto& [name, tensor] : c.animal->sent[s])
      if (const auto it = capture.samples[s].find(name); it != capture.samples[s].end())
        it->second = tensor;
  return std::move(capture.samples);
}

Result<std::vector<Sample>> device_of(const Case& c) {
  if (c.fault) {
    const FaultSpec spec{c.fault, c.place(), c.params};
    LOCKSTEP_TRY(const RunOptions options, inject(c.animal->reference, std::span(&spec, 1)));
    return shown(c, options);
  }
  LOCKSTEP_TRY(NodeHook hook, perturb(*c.animal, c.unknown, c.node, c.seed));
  RunOptions options;
  options.node_hooks.push_back(std::move(hook));
  return shown(c, options);
}

bool equal_where_shown(const std::vector<Sample>& device, const std::vector<Sample>& made) {
  if (made.size() < device.size()) return false;
  for (std::size_t s = 0; s < device.size(); ++s)
    for (const auto& [name, tensor] : device[s]) {
      const auto it = made[s].find(name);
      if (it != made[s].end() && !(it->second == tensor)) return false;
    }
  return true;
}

bool is_visible(const Animal& a, const std::vector<Sample>& device) {
  if (equal_where_shown(device, a.expected)) return false;
  return std::ranges::none_of(a.otherwise,
                              [&](const auto& made) { return equal_where_shown(device, made); });
}

// The suspect row is the faulty operation, or recomputed over it; what makes weights from constants
// may show at the operation that reads them.
bool is_first(const Case& c, const Row& row) {
  const Graph& g = c.animal->reference.graph();
  if (c.node == no_id && row.value == c.input) return true;
  return std::ranges::any_of(row.segment, [&](NodeId n) {
    if (n == c.node) return true;
    return std::ranges::any_of(g.node(n).inputs, [&](ValueId v) {
      if (v == no_id) return false;
      if (c.node == no_id) return v == c.input;
      if (g.value(v).producer != c.node) return false;
      return c.level != Level::all && std::ranges::all_of(g.node(c.node).inputs, [&](ValueId w) {
               return w == no_id || g.value(w).constant;
             });
    });
  });
}

// The cause, injected, shows what the device shows.
bool shows_the_same(const Case& c, const Explanation& e, const std::vector<Sample>& device) {
  if (e.listed) return false;
  const FaultSpec spec{e.fault, e.site, e.params};
  const auto options = inject(c.animal->reference, std::span(&spec, 1));
  if (!options.ok()) return false;
  const auto made = shown(c, *options);
  return made.ok() && equal_where_shown(device, *made);
}

double parameter_error(const Case& c, const Explanation& e) {
  static constexpr std::string_view continuous[] = {"k", "gamma", "scale", "limit", "at"};
  double worst = -1;
  for (const auto& [name, value] : c.params) {
    if (std::ranges::find(continuous, name) == std::end(continuous) || value == 0) continue;
    const auto it = e.params.find(name);
    if (it == e.params.end()) continue;
    worst = std::max(worst, std::fabs(it->second / value - 1));
  }
  return worst;
}

void weigh(const Case& c, const Explanation& e, const std::vector<Explanation>& ranked,
           const std::vector<Sample>& device, Outcome& o) {
  o.said = e.spec + ", " + std::to_string(e.reproduced) + " of " + std::to_string(e.differing) +
           (e.spoiled ? ", spoils " + std::to_string(e.spoiled) : "");
  if (const auto exact = std::ranges::count_if(ranked, &Explanation::exact); exact > 1)
    o.said += ", one of " + std::to_string(exact);
  o.certain = e.certain;
  const std::string own = c.fault ? std::string(c.fault->name) + "@" + c.place() : "";
  const bool tied = c.fault && std::ranges::any_of(e.ties, [&](const std::string& t) {
                      return t == own || t.starts_with(own + ",");
                    });
  // Both list places run by run, reproduce all, and are as short.
  const bool as_good =
      c.fault && e.listed && e.exact() && std::ranges::any_of(ranked, [&](const Explanation& x) {
        return x.fault == c.fault && x.site == c.place() && x.exact() && x.listed &&
               x.bits <= e.bits + 2;
      });
  if (c.fault && e.fault == c.fault && e.site == c.place()) {
    o.fate = Fate::named;
    if (e.exact()) o.parameter_error = parameter_error(c, e);
  } else if (tied || as_good || shows_the_same(c, e, device)) {
    o.fate = c.fault ? Fate::same : Fate::wrong;
  } else {
    o.fate = Fate::wrong;
  }
}

void conclude(const Case& c, const Verdict& v, const std::vector<Sample>& device, Outcome& o) {
  o.judged_healthy = v.healthy;
  const Suspect* suspect = !v.healthy && !v.suspects.empty() ? &v.suspects[0]
                           : v.departure                     ? &*v.departure
                                                             : nullptr;
  if (!suspect) {
    const bool by_arithmetic =
        v.healthy && std::ranges::all_of(v.comparison.rows, [](const Row& r) {
          return r.state == Judgement::exact || !r.like.empty();
        });
    o.said = v.summary;
    o.fate = by_arithmetic ? Fate::arithmetic
             : v.healthy   ? Fate::healthy
             : v.undecided ? Fate::undecided
                           : Fate::unexplained;
    return;
  }
  o.first_right = is_first(c, v.comparison.rows[suspect->row]);
  const Explanation* e = suspect->cause();
  o.fate = Fate::unexplained;
  if (e)
    weigh(c, *e, suspect->ranked, device, o);
  else if (!suspect->ranked.empty())
    o.said = "nearest " + suspect->ranked[0].spec + ", " +
             std::to_string(suspect->ranked[0].reproduced) + " of " +
             std::to_string(suspect->ranked[0].differing);
  if (!o.first_right) o.said = "at " + v.comparison.rows[suspect->row].name + ": " + o.said;
  if (suspect->cut_short) o.said += " (cut short)";
}

}  // namespace

Outcome judge_case(const Case& c, double work) {
  const auto start = std::chrono::steady_clock::now();
  Outcome o;
  const auto device = device_of(c);
  if (!device.ok()) {
    o.said = device.error().line();
    return o;
  }
  if (!is_visible(*c.animal, *device)) {
    o.fate = Fate::invisible;
    return o;
  }
  lockstep::Case asked{
      .reference = c.animal->reference,
      .recorded = {std::span(c.animal->sent).first(samples_of(c)),
                   std::span(c.animal->expected).first(samples_of(c)), *device, StateMode::reset},
      .tolerance = {},
      .others = [&]() -> std::span<const Executor> { return c.animal->others; },
      .search = {.work = work, .threads = 1},
      .model = c.animal->name,
      .target = "zoo",
      .input = ""};
  asked.search.first_only = true;
  const auto v = judge(asked);
  if (v.ok())
    conclude(c, *v, *device, o);
  else
    o.said = v.error().line();
  o.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return o;
}

Score run(std::vector<Case> cases, int threads, double work, bool progress) {
  const auto start = std::chrono::steady_clock::now();
  Score score;
  score.cases = std::move(cases);
  score.outcomes.resize(score.cases.size());
  std::atomic<std::size_t> next{0};
  const auto judge_some = [&] {
    for (std::size_t i; (i = next++) < score.cases.size();) {
      score.outcomes[i] = judge_case(score.cases[i], work);
      if (progress && i % 100 == 0) std::fprintf(stderr, "%zu of %zu\n", i, score.cases.size());
    }
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(judge_some);
  judge_some();
  for (std::thread& t : others) t.join();
  score.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return score;
}

}  // namespace lockstep::zoo
