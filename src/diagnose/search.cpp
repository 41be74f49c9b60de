#include "diagnose/search.h"

#include <algorithm>

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;

struct Hypothesis {
  Site site;
  const FaultDef* fault;
  Params params;
};

bool fits_stage(const FaultDef& fault, const Site& site) {
  return (fault.stage == Stage::input) == (site.node == no_id) && fault.applies(site);
}

// Faults of the nodes and faults of the inputs; over many operations the inputs come first: they are
// few, and they are what a user can check.
std::vector<Hypothesis> hypotheses(const Trial& trial, const std::vector<Site>& sites) {
  std::vector<Hypothesis> nodes, inputs;
  for (const Site& site : sites) {
    const Evidence evidence = trial.evidence(site);
    for (const FaultDef* fault : fault_table()) {
      if (!fits_stage(*fault, site)) continue;
      for (Params& params : fault->candidates(site, evidence))
        (site.node == no_id ? inputs : nodes).push_back({site, fault, std::move(params)});
    }
  }
  std::vector<Hypothesis>& first = trial.single_node() ? nodes : inputs;
  for (const Hypothesis& h : trial.single_node() ? inputs : nodes) first.push_back(h);
  return first;
}

bool tells_more(const Explanation& a, const Explanation& b) {
  return a.score() != b.score() ? a.score() > b.score() : a.reproduced > b.reproduced;
}

// Of explanations that tell as much, the shorter description first: fewer parameters.
bool better(const Explanation& a, const Explanation& b) {
  if (tells_more(a, b) || tells_more(b, a)) return tells_more(a, b);
  return a.params.size() < b.params.size();
}

// The same fault with other parameters at the same place is not a tie: the first was preferred.
void gather_ties(std::vector<Explanation>& ranked) {
  if (ranked.empty() || ranked[0].reproduced == 0) return;
  for (std::size_t i = 1; i < ranked.size(); ++i) {
    const Explanation& e = ranked[i];
    if (tells_more(ranked[0], e)) break;
    if (e.fault != ranked[0].fault || e.site != ranked[0].site) ranked[0].ties.push_back(e.spec);
  }
}

// Keeps the best parameters of each fault at each place.
void keep_best_of_each(std::vector<Explanation>& ranked) {
  std::vector<Explanation> kept;
  for (Explanation& e : ranked) {
    const bool seen = std::ranges::any_of(
        kept, [&](const Explanation& k) { return k.fault == e.fault && k.site == e.site; });
    if (!seen) kept.push_back(std::move(e));
  }
  ranked = std::move(kept);
}

const Site* site_of(const std::vector<Site>& sites, const Explanation& e) {
  for (const Site& site : sites)
    if (fits_stage(*e.fault, site) && (site.node != no_id || site.graph().value(site.input).name == e.site))
      return &site;
  return nullptr;
}

}  // namespace

bool carries(const Explanation& e) {
  if (e.differing == 0 || e.reproduced == 0) return false;
  const double share = static_cast<double>(e.score()) / static_cast<double>(e.differing);
  return share >= 0.9 || (share >= 0.5 && e.rest_lsb <= 1.001);
}

Suspect search(const Trial& trial, std::size_t row, std::span<const Explanation> known, const SearchOptions& options) {
  Suspect suspect;
  suspect.row = row;
  const std::vector<Site> sites = trial.sites();
  for (const Explanation& e : known) {
    const Site* site = site_of(sites, e);
    if (!site) continue;
    auto tested = trial.test(*site, *e.fault, e.params, trial.every());
    ++suspect.tried;
    if (!tested.ok() || !carries(*tested)) continue;
    tested->accepted = true;
    if (tested->score() == tested->differing) {
      suspect.ranked.push_back(std::move(*tested));
      return suspect;
    }
  }
  const auto end = Clock::now() + options.budget;
  // With many operations between captured tensors every replay runs a part of the network: three
  // samples screen, the rest is for those that reproduce something.
  const bool screen = !trial.single_node() && trial.every().size() > trial.telling().size();
  const std::vector<Hypothesis> list = hypotheses(trial, sites);
  for (const Hypothesis& h : list) {
    if (Clock::now() > end) {
      suspect.cut_short = true;
      break;
    }
    if (options.progress)
      options.progress("replaying " + std::string(h.fault->name) + " (" + std::to_string(suspect.tried + 1) + " of " +
                       std::to_string(list.size()) + ")");
    ++suspect.tried;
    auto tested = trial.test(h.site, *h.fault, h.params, screen ? trial.telling() : trial.every());
    if (!tested.ok()) continue;  // the fault cannot be replayed here: no explanation
    if (screen && tested->differing > 0 && tested->reproduced * 4 < tested->differing) continue;
    if (screen) tested = trial.test(h.site, *h.fault, h.params, trial.every());
    if (tested.ok() && tested->reproduced > 0) suspect.ranked.push_back(std::move(*tested));
  }
  std::ranges::stable_sort(suspect.ranked, better);
  gather_ties(suspect.ranked);
  keep_best_of_each(suspect.ranked);
  for (Explanation& e : suspect.ranked) e.accepted = carries(e);
  return suspect;
}

}  // namespace lockstep
