#include "diagnose/scope.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "diagnose/hypotheses.h"
#include "diagnose/judge.h"
#include "fault/fault_describe.h"
#include "fault/fault_work.h"

namespace lockstep {
namespace {

constexpr std::size_t most_sites = 256;
constexpr double work_share = 0.25;  // of the search's limit, for all replays of one verdict
// Bits: what a reading costs by what the fault is like, and by what speaks against it.
constexpr double as_usual = 1, unusual = 4, shown_outside = 8, right_inside = 12, not_known = 0.2,
                 settled_by = 5;

// Whether parameters mean the same at another operation: no places of one recording, no tensor by
// number.
bool carries_over(const Explanation& e) {
  return !lists_places(e.params) && !e.params.contains("other") && !e.fault->reads;
}

// All places that the explanation names are of one fault.
bool one_fault(const Explanation& e) {
  return std::ranges::all_of(e.also, [&](const FaultSpec& f) { return f.fault == e.fault; });
}

class Scopes {
 public:
  Scopes(const Case& c, const Verdict& v)
      : c_(c),
        v_(v),
        g_(c.reference.graph()),
        test_(c.reference, c.recorded),
        work_(c.search.work * work_share) {}

  std::vector<ScopeReading> run() {
    cause_ = v_.suspects.empty() ? nullptr : v_.suspects[0].cause();
    if (!cause_ || !cause_->arithmetic.empty() || cause_->fault->stage != Stage::node ||
        !one_fault(*cause_))
      return {};
    const NodeId node = g_.find_node(cause_->site);
    if (node == no_id || !is_place(node) || !carries_over(*cause_)) return {};
    std::vector<NodeId> sites;
    for (std::size_t n = 0; n < g_.nodes().size(); ++n)
      if (is_place(static_cast<NodeId>(n))) sites.push_back(static_cast<NodeId>(n));
    if (sites.size() < 2 || sites.size() > most_sites) return {};
    find_shown();
    for (const NodeId n : sites) shows_.emplace(n, shows(n));
    std::vector<ScopeReading> readings;
    for (const Family& f : families_of(c_.reference, node, sites, c_.units))
      readings.push_back(reading(f));
    std::ranges::stable_sort(readings, {}, &ScopeReading::bits);
    settle(readings);
    return readings;
  }

 private:
  // Where only weights are made, nothing of the device's is wrong by itself.
  bool is_place(NodeId n) const {
    const Node& node = g_.node(n);
    return !node.outputs.empty() && node.outputs[0] != no_id && !test_.is_fixed(node.outputs[0]) &&
           cause_->fault->applies({c_.reference, n, no_id});
  }

  void find_shown() {
    for (const Suspect& s : v_.suspects) {
      const Explanation* e = s.cause();
      if (!e || e->fault != cause_->fault || !e->arithmetic.empty()) continue;
      shown_.insert(e->site);
      for (const FaultSpec& f : e->also)
        if (f.fault == cause_->fault) shown_.insert(f.node);
    }
  }

  // The row that computes n anew: alone, or in the shortest stretch between captured tensors.
  const Row* row_of(NodeId n) const {
    const Row* shortest = nullptr;
    for (const Row& row : v_.comparison.rows)
      if (std::ranges::count(row.segment, n) > 0 &&
          (!shortest || row.segment.size() < shortest->segment.size()))
        shortest = &row;
    return shortest;
  }

  // The trial of a row, or null; that of the last row asked for is kept.
  const Trial* trial_of(const Row& row) {
    if (last_ == &row) return trial_ ? &*trial_ : nullptr;
    last_ = &row;
    trial_.reset();
    if (auto made = Trial::make(test_, c_.recorded, row); made.ok() && !made->every().empty())
      trial_ = std::move(*made);
    return trial_ ? &*trial_ : nullptr;
  }

  bool affords(double cost) {
    if (cost > work_) return false;
    work_ -= cost;
    return true;
  }

  // In the stretch that the cause explains to the last value: were n faulty too, would the device's
  // numbers be others?
  Shows beside_cause(NodeId n, const Trial& trial) {
    if (!cause_->exact()) return Shows::unknown;
    std::map<NodeId, const Params*> at = {{g_.find_node(cause_->site), &cause_->params},
                                          {n, &cause_->params}};
    for (const FaultSpec& f : cause_->also) at.emplace(g_.find_node(f.node), &f.params);
    std::vector<Step> steps;
    for (const auto& [node, params] : at)
      steps.push_back({{c_.reference, node, no_id}, cause_->fault, *params});
    for (const std::size_t item : trial.telling()) {
      if (!affords(trial.work(steps.front().site))) return Shows::unknown;
      const auto e = trial.test(steps, std::span(&item, 1));
      if (!e.ok()) return Shows::unknown;
      if (e->rest() > 0) return Shows::no;
    }
    return Shows::silent;
  }

  Shows shows(NodeId n) {
    if (shown_.contains(g_.node(n).name)) return Shows::yes;
    const Row* row = row_of(n);
    if (!row || row->state == Judgement::unknown || row->in_spread) return Shows::unknown;
    const Trial* trial = trial_of(*row);
    if (!trial) return Shows::unknown;
    const Row& wrong = v_.comparison.rows[v_.suspects[0].row];
    if (row == &wrong) return beside_cause(n, *trial);
    const Site site{c_.reference, n, no_id};
    if (!affords(trial->work(site) * static_cast<double>(trial->telling().size())))
      return Shows::unknown;
    const auto e = trial->test({site, cause_->fault, cause_->params}, trial->telling());
    if (!e.ok()) return Shows::unknown;
    if (e->reproduced == 0 && e->spoiled == 0)
      return row->state == Judgement::wrong ? Shows::unknown : Shows::silent;
    if (e->reproduced > 2 * e->spoiled) return e->exact() ? Shows::yes : Shows::unknown;
    return row->state == Judgement::wrong ? Shows::unknown : Shows::no;
  }

  ScopeReading reading(const Family& f) const {
    ScopeReading r;
    r.name = f.name;
    r.bits = f.kind == cause_->fault->scope ? as_usual : unusual;
    for (const NodeId n : f.nodes) {
      const std::string& name = g_.node(n).name;
      r.sites.push_back(name);
      switch (shows_.at(n)) {
        case Shows::yes:
          ++r.shown;
          break;
        case Shows::silent:
          ++r.silent;
          break;
        case Shows::unknown:
          ++r.unknown, r.not_judged.push_back(name);
          break;
        case Shows::no:
          ++r.right, r.right_sites.push_back(name);
          break;
      }
    }
    int outside = 0;
    for (const auto& [n, shows] : shows_)
      outside += shows == Shows::yes && std::ranges::count(f.nodes, n) == 0;
    r.shown_outside = outside;
    r.bits += shown_outside * outside + right_inside * r.right + not_known * r.unknown;
    return r;
  }

  // Settled: no other reading that says something else of an operation not yet judged is nearly as
  // likely.
  static void settle(std::vector<ScopeReading>& readings) {
    ScopeReading& first = readings[0];
    first.settled = true;
    for (std::size_t i = 1; i < readings.size(); ++i) {
      const ScopeReading& other = readings[i];
      if (other.bits > first.bits + settled_by || other.not_judged == first.not_judged) continue;
      first.settled = false;
      const auto only_in = [&](const std::vector<std::string>& here,
                               const std::vector<std::string>& there) {
        for (const std::string& name : here)
          if (std::ranges::count(there, name) == 0) first.would_settle.push_back(name);
      };
      only_in(first.not_judged, other.not_judged);
      only_in(other.not_judged, first.not_judged);
      first.or_else = other.name;
      return;
    }
  }

  const Case& c_;
  const Verdict& v_;
  const Graph& g_;
  const Explanation* cause_ = nullptr;
  LocalTest test_;
  double work_;
  std::set<std::string, std::less<>> shown_;
  std::map<NodeId, Shows> shows_;
  const Row* last_ = nullptr;
  std::optional<Trial> trial_;
};

// Parameters worth trying at all operations of a family: those that a fault proposes at one of
// them.
std::vector<Params> proposals(const FaultDef& fault, const std::vector<const Site*>& sites,
                              const Trial& trial) {
  constexpr std::size_t most = 12, asked = 2;
  std::vector<Params> sets;
  for (std::size_t i = 0; i < std::min(asked, sites.size()); ++i)
    for (Params& p : fault.candidates(*sites[i], trial.evidence(*sites[i])))
      if (sets.size() < most && !lists_places(p) && !p.contains("other") &&
          std::ranges::find(sets, p) == sets.end())
        sets.push_back(std::move(p));
  return sets;
}

}  // namespace

std::vector<ScopeReading> scopes_of(const Case& c, const Verdict& verdict) {
  return Scopes(c, verdict).run();
}

std::vector<FaultSpec> believed(const Verdict& v) {
  std::vector<FaultSpec> specs;
  const auto add = [&](const FaultSpec& spec) {
    const bool known = std::ranges::any_of(
        specs, [&](const FaultSpec& s) { return s.fault == spec.fault && s.node == spec.node; });
    if (!known) specs.push_back(spec);
  };
  for (const Suspect& s : v.suspects) {
    const Explanation* e = s.cause();
    if (!e || !e->arithmetic.empty()) continue;
    add({e->fault, e->site, e->params});
    for (const FaultSpec& f : e->also) specs.push_back(f);
  }
  if (v.scopes.empty()) return specs;
  const Explanation& first = *v.suspects[0].cause();
  for (const std::string& node : v.scopes[0].sites)
    if (std::ranges::count(v.scopes[0].right_sites, node) == 0)
      add({first.fault, node, first.params});
  return specs;
}

std::optional<Explanation> search_families(const Trial& trial, const SearchOptions& options,
                                           Suspect& spent) {
  constexpr double family_bits = 5;
  if (trial.single_node()) return std::nullopt;
  const double limit = spent.work + options.work / 8;
  const double table = trial.table_bits();
  std::optional<Explanation> best;
  for (const FaultDef* fault : fault_table()) {
    if (fault->stage != Stage::node || fault->reads) continue;
    std::vector<NodeId> nodes;
    std::map<NodeId, const Site*> site_of;
    for (const Site& site : trial.sites())
      if (site.node != no_id && fits_stage(*fault, site))
        nodes.push_back(site.node), site_of[site.node] = &site;
    std::ranges::sort(nodes);
    if (nodes.size() < 2) continue;
    std::set<std::vector<NodeId>> seen;
    const Executor& reference = trial.sites()[0].reference;
    for (const NodeId n : nodes)
      for (const Family& f : families_of(reference, n, nodes)) {
        if (f.nodes.size() < 2 || !seen.insert(f.nodes).second) continue;
        std::vector<const Site*> sites;
        for (const NodeId m : f.nodes) sites.push_back(site_of.at(m));
        std::vector<Params> sets;
        {
          const Allowance own(std::max(0.0, limit - spent.work));
          sets = proposals(*fault, sites, trial);
          spent.work += own.spent();
        }
        for (const Params& params : sets) {
          if (spent.work > limit) return best;
          std::vector<Step> steps;
          for (const Site* site : sites) steps.push_back({*site, fault, params});
          ++spent.tried;
          spent.work += trial.work(*sites[0]);
          auto e = trial.test(steps, std::span(trial.telling()).first(1));
          if (!e.ok() || !e->exact()) continue;
          spent.work += trial.work(*sites[0]) * static_cast<double>(trial.every().size());
          e = trial.test(steps, trial.every());
          if (!e.ok() || !e->exact()) continue;
          e->bits = description_bits(*sites[0], *fault, params) + family_bits;
          e->claim = e->claim.substr(0, e->claim.find("; and ")) + ", so at " + f.name + " (" +
                     std::to_string(f.nodes.size()) + ")";
          if (!carries(*e, trial.sites().size(), table)) continue;
          e->accepted = true;
          if (!best || e->bits < best->bits) best = std::move(*e);
        }
      }
  }
  return best;
}

}  // namespace lockstep
