#include "diagnose/search.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "run/generated.h"

namespace lockstep {
namespace {

// Processor time of this thread: what is found does not depend on what else the machine does.
struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static time_point now() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
  }
};

constexpr double margin_bits = 2;   // by which a cause must be shorter than the list
constexpr double as_short_bits = 8;  // rivals within this of the first take its certainty
constexpr std::size_t most_proofs = 6;

struct Hypothesis {
  Site site;
  const FaultDef* fault;
  Params params;
};

bool fits_stage(const FaultDef& fault, const Site& site) {
  return (fault.stage == Stage::input) == (site.node == no_id) && fault.applies(site);
}

double length(const Explanation& e) { return e.bits + listing_bits(e.rest(), e.values); }

bool shorter(const Explanation& a, const Explanation& b) { return length(a) < length(b); }

const Site* site_of(const std::vector<Site>& sites, const Explanation& e) {
  for (const Site& site : sites) {
    const Graph& g = site.graph();
    if (fits_stage(*e.fault, site) && (site.node != no_id ? g.node(site.node).name : g.value(site.input).name) == e.site)
      return &site;
  }
  return nullptr;
}

class Search {
 public:
  Search(const Trial& trial, const SearchOptions& options)
      : trial_(trial), options_(options), sites_(trial.sites()), end_(Clock::now() + options.budget) {}

  Suspect run(std::size_t row, std::span<const Explanation> known) {
    suspect_.row = row;
    if (explained_by(known)) return std::move(suspect_);
    for (const Hypothesis& h : hypotheses()) {
      if (out_of_time()) break;
      try_one(h);
    }
    if (options_.fits && std::ranges::none_of(suspect_.ranked, [&](const Explanation& e) { return e.exact() && !e.listed; })) fit();
    rank();
    return std::move(suspect_);
  }

 private:
  bool out_of_time() {
    suspect_.cut_short = suspect_.cut_short || Clock::now() > end_;
    return suspect_.cut_short;
  }

  // A cause found at another operation that leaves nothing here either: the very same, or one of its kind
  // at a place of this one.
  bool explained_by(std::span<const Explanation> known) {
    for (const Explanation& e : known) {
      std::vector<Site> places;
      if (const Site* site = site_of(sites_, e)) places.push_back(*site);
      else if (!e.listed)
        std::ranges::copy_if(sites_, std::back_inserter(places), [&](const Site& s) { return fits_stage(*e.fault, s); });
      for (const Site& site : places) {
        auto tested = trial_.test(site, *e.fault, e.params, trial_.every());
        ++suspect_.tried;
        if (!tested.ok() || !tested->exact()) continue;
        tested->accepted = true;
        tested->certain = e.certain;
        suspect_.ranked.push_back(std::move(*tested));
        return true;
      }
    }
    return false;
  }

  // Faults of the nodes and faults of the inputs; over many operations the inputs come first: they are
  // few, and they are what a user can check.
  std::vector<Hypothesis> hypotheses() {
    std::vector<Hypothesis> nodes, inputs;
    for (const Site& site : sites_) {
      const Evidence evidence = trial_.evidence(site);
      for (const FaultDef* fault : fault_table()) {
        if (!fits_stage(*fault, site) || out_of_time()) continue;
        for (Params& params : fault->candidates(site, evidence))
          (site.node == no_id ? inputs : nodes).push_back({site, fault, std::move(params)});
      }
    }
    std::vector<Hypothesis>& first = trial_.single_node() ? nodes : inputs;
    for (const Hypothesis& h : trial_.single_node() ? inputs : nodes) first.push_back(h);
    return first;
  }

  // With several samples the one that differs most screens; the rest is for what reproduces something.
  void try_one(const Hypothesis& h) {
    if (options_.progress)
      options_.progress("replaying " + std::string(h.fault->name) + " (" + std::to_string(suspect_.tried + 1) + ")");
    ++suspect_.tried;
    if (trial_.every().size() > 1) {
      const auto screened = trial_.test(h.site, *h.fault, h.params, std::span(trial_.telling()).first(1));
      if (!screened.ok() || screened->reproduced == 0) return;  // cannot be replayed here, or says nothing
      if (!trial_.single_node() && screened->reproduced * 4 < screened->differing) return;
    }
    auto tested = trial_.test(h.site, *h.fault, h.params, trial_.every());
    if (tested.ok() && tested->reproduced > 0) suspect_.ranked.push_back(std::move(*tested));
  }

  // Where plain parameters do not do, those faults that can are fitted by replay: those of the inputs
  // first, each for a share of the time. At a single operation the first that reproduces all ends it; over
  // several, another place may do as well.
  void fit() {
    std::vector<Site> order;
    for (const bool input : {true, false})
      std::ranges::copy_if(sites_, std::back_inserter(order), [&](const Site& s) { return (s.node == no_id) == input; });
    for (const Site& site : order) {
      const Evidence evidence = trial_.evidence(site);
      for (const FaultDef* fault : fault_table())
        if (fault->fit && fits_stage(*fault, site) && fit_one(site, *fault, evidence) && trial_.single_node()) return;
    }
  }

  bool fit_one(const Site& site, const FaultDef& fault, const Evidence& evidence) {
    const auto end = std::min(end_, Clock::now() + options_.budget / 5);
    const auto misfit = [&](const Params& params) {
      if (Clock::now() > end) {
        incomplete_ = true;
        return std::numeric_limits<double>::infinity();
      }
      ++suspect_.tried;
      return trial_.misfit(site, fault, params, trial_.every());
    };
    if (out_of_time()) return true;
    const std::size_t before = suspect_.ranked.size();
    for (Params& params : fault.fit(site, evidence, misfit)) try_one({site, &fault, std::move(params)});
    return std::any_of(suspect_.ranked.begin() + static_cast<std::ptrdiff_t>(before), suspect_.ranked.end(),
                       [](const Explanation& e) { return e.exact() && !e.listed; });
  }

  void rank() {
    std::vector<Explanation>& ranked = suspect_.ranked;
    std::ranges::stable_sort(ranked, shorter);
    keep_best_of_each();
    const double table = ranked.empty() ? 0 : trial_.table_bits();
    for (Explanation& e : ranked) e.accepted = carries(e, sites_.size(), table);
    if (ranked.empty() || !ranked[0].accepted) return;
    bool rivalled = false;
    std::size_t proofs = 0;
    for (std::size_t i = 1; i < ranked.size() && ranked[0].exact(); ++i) {
      const Explanation& e = ranked[i];
      if (!e.exact()) continue;
      if (proofs++ < most_proofs && same(ranked[0], e)) {
        ranked[0].ties.push_back(e.spec);
      } else {
        ranked[0].rivals.push_back(e.spec);
        rivalled = rivalled || e.bits <= ranked[0].bits + as_short_bits;
      }
    }
    ranked[0].certain = ranked[0].exact() && !suspect_.cut_short && !(incomplete_ && !trial_.single_node()) && !rivalled;
  }

  // Keeps the best parameters of each fault at each place.
  void keep_best_of_each() {
    std::vector<Explanation> kept;
    for (Explanation& e : suspect_.ranked) {
      const bool seen = std::ranges::any_of(
          kept, [&](const Explanation& k) { return k.fault == e.fault && k.site == e.site; });
      if (!seen) kept.push_back(std::move(e));
    }
    suspect_.ranked = std::move(kept);
  }

  // Both make the same of inputs that the device never saw: no capture of this tensor tells them apart.
  bool same(const Explanation& a, const Explanation& b) const {
    if (a.listed || b.listed || out_of_proof_time()) return false;
    const Executor& reference = sites_[0].reference;
    const std::vector<Sample> inputs = generated_inputs(reference.graph(), 3, 20);
    const std::string wanted[] = {trial_.row().tensor};
    const auto made = [&](const Explanation& e) -> Result<Capture> {
      const FaultSpec spec{e.fault, e.site, e.params};
      LOCKSTEP_TRY(const RunOptions options, inject(reference, std::span(&spec, 1)));
      return reference.run(inputs, wanted, options);
    };
    const auto x = made(a), y = made(b);
    return x.ok() && y.ok() && x->samples == y->samples;
  }
  bool out_of_proof_time() const { return Clock::now() > end_ + options_.budget / 4; }

  const Trial& trial_;
  const SearchOptions& options_;
  std::vector<Site> sites_;
  Clock::time_point end_;
  Suspect suspect_;
  bool incomplete_ = false;  // a fit ended by its share of the time
};

}  // namespace

double listing_bits(std::int64_t wrong, std::int64_t values) {
  if (wrong <= 0) return 0;
  const double each = 7;  // of a code, that it is another than the right one
  return static_cast<double>(wrong) * (each + 1 + std::log2(static_cast<double>(values) / static_cast<double>(wrong)));
}

bool carries(const Explanation& e, std::size_t places, double table_bits) {
  if (e.differing == 0 || e.reproduced == 0) return false;
  const double list = std::min(listing_bits(e.differing, e.values), table_bits);
  const double stated = e.bits + std::log2(static_cast<double>(std::max<std::size_t>(places, 1)));
  if (e.exact()) return stated + margin_bits <= list;
  return e.rest() * 10 <= e.values && e.rest_lsb <= 1.001 && stated + listing_bits(e.rest(), e.values) <= list / 2;
}

Suspect search(const Trial& trial, std::size_t row, std::span<const Explanation> known, const SearchOptions& options) {
  return Search(trial, options).run(row, known);
}

}  // namespace lockstep
