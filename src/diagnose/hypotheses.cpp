#include "diagnose/hypotheses.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <thread>

#include "fault/fault_describe.h"
#include "fault/fault_work.h"

namespace lockstep {
namespace {

constexpr std::size_t plain_batch = 32, fit_batch = 4;
constexpr double plain_share = 0.6,
                 fit_limit = 0.85;       // over several operations: where plain ones and fits end
constexpr double proposal_share = 0.02;  // of all work, for what one fault proposes at one place
constexpr double fit_share = 0.2;        // for one fit there
constexpr double cone_share = 0.03;      // the same among the many places of several operations
constexpr double first_share = 0.01;     // and in the first round there
constexpr double fit_replays = 150;  // that a share must allow in all samples; else one sample does
constexpr std::size_t most_kept = 400;  // hypotheses remembered

int threads_of(const SearchOptions& options) {
  if (options.threads > 0) return options.threads;
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 8u));
}

bool is_exact(const Tested& t) {
  return t.whole && t.e.exact() && !t.e.listed;
}

}  // namespace

namespace {

// What of the parameters says how this run comes out: places listed for other runs do not.
std::string of_run(const Params& params, std::size_t run) {
  const std::string own = "r" + std::to_string(run) + ".";
  std::string key;
  for (const auto& [name, value] : params) {
    const bool place = name.size() > 1 && name[0] == 'r' && name[1] >= '0' && name[1] <= '9';
    if (!place || name.starts_with(own)) key += name + "=" + std::to_string(value) + ";";
  }
  return key;
}

}  // namespace

double length(const Explanation& e) {
  return e.bits + listing_bits(e.rest(), e.values);
}

bool fits_stage(const FaultDef& fault, const Site& site) {
  return (fault.stage == Stage::input) == (site.node == no_id) && fault.applies(site);
}

Hypotheses::Hypotheses(const Trial& trial, const SearchOptions& options)
    : trial_(trial), options_(options), sites_(trial.sites()), team_(threads_of(options)) {
  for (const Site& site : sites_) evidence_.push_back(trial.evidence(site));
}

std::vector<Hypotheses::Task> Hypotheses::tasks(bool inputs_first, bool only_fits) const {
  std::vector<Task> tasks;
  for (const bool inputs : {inputs_first, !inputs_first})
    for (std::size_t s = 0; s < sites_.size(); ++s) {
      if ((sites_[s].node == no_id) != inputs) continue;
      for (const FaultDef* fault : fault_table())
        if ((!only_fits || fault->fit) && fits_stage(*fault, sites_[s]))
          tasks.push_back({s, fault});
    }
  // Reals between codes are in no device's memory: what could have befallen them comes after what
  // befalls codes.
  if (!trial_.single_node())
    std::stable_partition(tasks.begin(), tasks.end(), [&](const Task& t) {
      const Site& site = sites_[t.site];
      if (site.node == no_id || site.graph().node(site.node).op != "DequantizeLinear") return true;
      const ValueId x = site.graph().node(site.node).inputs[0];
      return x == no_id || site.graph().value(x).constant ||
             std::ranges::none_of(trial_.row().segment,
                                  [&](NodeId n) { return n == site.graph().value(x).producer; });
    });
  return tasks;
}

void Hypotheses::merge(Outcome&& o) {
  tried_ += o.tried;
  work_ += o.work;
  incomplete_ = incomplete_ || o.incomplete;
  left_.insert(left_.end(), o.left.begin(), o.left.end());
  for (Tested& t : o.found) found_.push_back(std::move(t));
  if (found_.size() <= 2 * most_kept) return;
  std::ranges::stable_sort(found_, [](const Tested& a, const Tested& b) {
    return a.whole != b.whole ? a.whole : length(a.e) < length(b.e);
  });
  found_.erase(found_.begin() + most_kept, found_.end());
}

template <class F, class Enough>
void Hypotheses::run(const std::vector<Task>& tasks, std::size_t batch, double share, F&& f,
                     Enough&& enough) {
  for (std::size_t first = 0; first < tasks.size(); first += batch) {
    if (work_ > share * options_.work) {
      cut_short_ = true;
      return;
    }
    if (options_.progress)
      options_.progress("replaying " + std::string(tasks[first].fault->name) + " (" +
                        std::to_string(tried_ + 1) + ")");
    const std::size_t count = std::min(batch, tasks.size() - first);
    std::vector<Outcome> outcomes(count);
    team_.each(static_cast<std::int64_t>(count), [&](std::int64_t from, std::int64_t to, int) {
      for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i)
        f(tasks[first + i], outcomes[i]);
    });
    for (Outcome& o : outcomes) merge(std::move(o));
    if (enough()) return;
  }
}

std::optional<Tested> Hypotheses::test(std::vector<Step> steps) const {
  Tested t;
  t.steps = std::move(steps);
  if (trial_.every().size() > 1) {
    auto screened = trial_.test(t.steps, std::span(trial_.telling()).first(1));
    if (!screened.ok()) return std::nullopt;
    t.e = std::move(*screened);
    const bool rounding = t.e.rest() * 10 <= t.e.values && !(t.e.rest_lsb > 1.001);
    if (t.e.reproduced == 0 || !(t.e.exact() || rounding)) return t;
  }
  auto tested = trial_.test(t.steps, trial_.every());
  if (!tested.ok()) return std::nullopt;
  t.e = std::move(*tested);
  t.whole = true;
  return t;
}

std::vector<Params> Hypotheses::proposed(const Site& site, const FaultDef& fault,
                                         const Evidence& evidence, Outcome& o) const {
  Allowance own(proposal_share * options_.work);
  std::vector<Params> sets = fault.candidates(site, evidence);
  o.work += own.spent();
  for (const Evidence::Item& item : evidence.items)  // read once at least
    if (item.observed) o.work += static_cast<double>(item.observed->count());
  o.incomplete = o.incomplete || own.exceeded();
  return sets;
}

std::vector<Params> Hypotheses::proposed(const Site& site, const FaultDef& fault,
                                         const Evidence& evidence) {
  Outcome o;
  std::vector<Params> sets = proposed(site, fault, evidence, o);
  merge(std::move(o));
  return sets;
}

void Hypotheses::try_sets(const Task& task, std::vector<Params> sets, Outcome& o) const {
  const double work = trial_.work(sites_[task.site], task.fault);
  for (Params& params : sets) {
    ++o.tried;
    auto t = test({{sites_[task.site], task.fault, std::move(params)}});
    o.work += work * static_cast<double>(t && t->whole ? trial_.every().size() : 1);
    if (t && (t->e.reproduced > 0 || !trial_.single_node())) o.found.push_back(std::move(*t));
  }
}

void Hypotheses::try_plain(const std::vector<Task>& tasks, double share) {
  run(
      tasks, plain_batch, share,
      [&](const Task& task, Outcome& o) {
        try_sets(task, proposed(sites_[task.site], *task.fault, evidence_[task.site], o), o);
      },
      [] { return false; });
}

// Where one replay takes more than a proposal may, as in an arithmetic that has no kernel for a
// large layer, nothing can be proposed.
void Hypotheses::leave_out_huge(std::vector<Task>& all) {
  const auto erased = std::erase_if(all, [&](const Task& t) {
    return trial_.work(sites_[t.site], t.fault) > proposal_share * options_.work;
  });
  incomplete_ = incomplete_ || erased > 0;
}

void Hypotheses::plain() {
  std::vector<Task> all = tasks(!trial_.single_node(), false);
  if (trial_.single_node()) leave_out_huge(all);
  if (!trial_.single_node())
    std::erase_if(all, [](const Task& t) { return t.fault->cost == SumCost::each_product; });
  try_plain(all, trial_.single_node() ? 1 : plain_share);
}

void Hypotheses::slow() {
  if (trial_.single_node()) return;
  std::vector<Task> all = tasks(true, false);
  std::erase_if(all, [](const Task& t) { return t.fault->cost != SumCost::each_product; });
  try_plain(all, 1);
}

bool Hypotheses::fit_to(const Task& task, std::span<const std::size_t> samples, double share,
                        Outcome& o) const {
  const Site& site = sites_[task.site];
  const double most = o.work + share, each = trial_.work(site, task.fault);
  bool stopped = false;
  std::map<std::pair<std::size_t, std::string>, double>
      known;  // of faults that list places run by run
  const auto of_sample = [&](const Params& params, std::size_t sample) {
    const Allowance apart(std::numeric_limits<double>::infinity());  // charged as a replay
    o.work += each;
    return trial_.misfit({site, task.fault, params}, std::span(&sample, 1));
  };
  const auto misfit = [&](const Params& params) {
    if (o.work > most) {
      stopped = true;
      return std::numeric_limits<double>::infinity();
    }
    ++o.tried;
    const bool listed = lists_places(params);
    double sum = 0;
    for (const std::size_t s : samples) {
      if (!listed) {
        sum += of_sample(params, s);
        continue;
      }
      const auto key = std::pair(s, of_run(params, trial_.run_of(s)));
      const auto it = known.find(key);
      sum += it != known.end() ? it->second : known[key] = of_sample(params, s);
    }
    return sum;
  };
  std::vector<Params> sets;
  {
    const Allowance own(share);
    sets = task.fault->fit(site, evidence_[task.site], misfit);
    o.work += own.spent();
    stopped = stopped || own.exceeded();
  }
  const bool reproduces = std::ranges::any_of(sets, [&](const Params& p) {
    o.work += each * static_cast<double>(samples.size());
    return trial_.misfit({site, task.fault, p}, samples) == 0;
  });
  try_sets(task, std::move(sets), o);
  if (stopped && !reproduces) o.left.push_back(task);
  return reproduces;
}

// Over several operations most fits lead nowhere: two samples say so, all are asked where those are
// reproduced.
void Hypotheses::fit_one(const Task& task, double share, Outcome& o) const {
  const std::span<const std::size_t> every(trial_.every()), telling(trial_.telling());
  const bool cone = !trial_.single_node();
  const double each = trial_.work(sites_[task.site], task.fault);
  share *= options_.work;
  auto samples = cone && every.size() > 2 ? telling.first(2) : every;
  if (options_.work * (cone ? cone_share : fit_share) <
      fit_replays * each * static_cast<double>(samples.size()))
    samples = telling.first(1);
  if (!fit_to(task, samples, share, o) || samples.size() == every.size()) return;
  if (std::ranges::any_of(o.found, is_exact)) return;
  fit_to(task, every, options_.work * fit_share, o);
}

void Hypotheses::fitted() {
  const std::vector<Task> all = tasks(true, true);
  if (!trial_.single_node()) return fit_cones(all);
  run(
      all, fit_batch, 1, [&](const Task& task, Outcome& o) { fit_one(task, fit_share, o); },
      [&] { return some_plain(); });
  incomplete_ = incomplete_ || !left_.empty();
}

void Hypotheses::fit_cones(const std::vector<Task>& all) {
  const auto never = [] { return false; };
  std::set<const FaultDef*> longer;  // their fits take more than the first round allows
  std::vector<Task> later;
  for (std::size_t first = 0; first < all.size() && !cut_short_; first += fit_batch) {
    std::vector<Task> some;
    for (std::size_t i = first; i < std::min(all.size(), first + fit_batch); ++i)
      (longer.contains(all[i].fault) && sites_[all[i].site].node != no_id ? later : some)
          .push_back(all[i]);
    run(
        some, fit_batch, fit_limit,
        [&](const Task& task, Outcome& o) { fit_one(task, first_share, o); }, never);
    for (const Task& task : left_) longer.insert(task.fault);
    later.insert(later.end(), left_.begin(), left_.end());
    left_.clear();
  }
  if (!cut_short_)
    run(
        later, fit_batch, fit_limit,
        [&](const Task& task, Outcome& o) { fit_one(task, cone_share, o); }, never);
  incomplete_ = incomplete_ || !left_.empty() || (cut_short_ && !later.empty());
}

bool Hypotheses::some_plain() const {
  constexpr double flexible_bits = 70;  // some four parameters that were fitted
  return std::ranges::any_of(
      found_, [](const Tested& t) { return is_exact(t) && t.e.bits < flexible_bits; });
}

bool Hypotheses::some_exact() const {
  return std::ranges::any_of(found_, is_exact);
}

void Hypotheses::complete_best(std::size_t count) {
  std::ranges::stable_sort(found_, {}, [](const Tested& t) { return length(t.e); });
  for (Tested& t : found_) {
    if (count == 0) return;
    if (t.whole || t.e.reproduced == 0) continue;
    --count;
    if (auto tested = trial_.test(t.steps, trial_.every()); tested.ok()) {
      t.e = std::move(*tested);
      t.whole = true;
    }
  }
}

}  // namespace lockstep
