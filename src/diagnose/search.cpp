#include "diagnose/search.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "diagnose/hypotheses.h"
#include "run/generated.h"

namespace lockstep {
namespace {

constexpr double margin_bits = 2;    // by which a cause must be shorter than the list
constexpr double as_short_bits = 8;  // rivals within this of the first take its certainty
constexpr std::size_t most_proofs = 6;

bool shorter(const Explanation& a, const Explanation& b) {
  return length(a) < length(b);
}

const Site* site_of(const std::vector<Site>& sites, const Explanation& e) {
  for (const Site& site : sites) {
    const Graph& g = site.graph();
    if (fits_stage(*e.fault, site) &&
        (site.node != no_id ? g.node(site.node).name : g.value(site.input).name) == e.site)
      return &site;
  }
  return nullptr;
}

class Search {
 public:
  Search(const Trial& trial, const SearchOptions& options)
      : trial_(trial), options_(options), sites_(trial.sites()) {}

  Suspect run(std::size_t row, std::span<const Explanation> known) {
    suspect_.row = row;
    if (explained_by(known)) return std::move(suspect_);
    Hypotheses hypotheses(trial_, options_);
    hypotheses.plain();
    if (!hypotheses.some_exact()) hypotheses.at_every_input();
    if (options_.fits && !hypotheses.some_plain()) hypotheses.fitted();
    if (!hypotheses.some_exact() || trial_.row().segment.size() > 1) hypotheses.slow();
    if (options_.pairs && !hypotheses.some_exact()) hypotheses.of_earlier_runs();
    if (options_.pairs && !hypotheses.some_exact()) hypotheses.pairs();
    if (!hypotheses.some_exact()) hypotheses.complete_best(6);
    suspect_.tried += hypotheses.tried();
    suspect_.cut_short = hypotheses.cut_short();
    suspect_.work = hypotheses.work();
    incomplete_ = hypotheses.incomplete();
    for (Tested& t : hypotheses.found())
      if (t.whole && t.e.reproduced > 0) suspect_.ranked.push_back(std::move(t.e));
    rank();
    return std::move(suspect_);
  }

 private:
  // A cause found at another operation that leaves nothing here either: the very same, or one of
  // its kind at a place of this one.
  bool explained_by(std::span<const Explanation> known) {
    for (const Explanation& e : known) {
      std::vector<Site> places;
      if (const Site* site = site_of(sites_, e))
        places.push_back(*site);
      else if (!e.listed)
        std::ranges::copy_if(sites_, std::back_inserter(places),
                             [&](const Site& s) { return fits_stage(*e.fault, s); });
      for (const Site& site : places) {
        auto tested = trial_.test({site, e.fault, e.params}, trial_.every());
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

  void rank() {
    std::vector<Explanation>& ranked = suspect_.ranked;
    std::ranges::stable_sort(ranked, shorter);
    keep_best_of_each();
    const double table = ranked.empty() ? 0 : trial_.table_bits();
    for (Explanation& e : ranked) {
      e.accepted = carries(e, sites_.size(), table, options_.drift_bits);
      // Over several operations that round, what rounding leaves cannot be told from what another
      // cause would, unless it is far less than what the cause makes.
      if (roundings() > 1) e.accepted = e.accepted && (e.exact() || leaves_little(e));
    }
    if (ranked.empty() || !ranked[0].accepted) return;
    prefer_input();
    prefer_frozen();
    // Reals between quantizers are no device's tensors: one operation on codes with its quantizers
    // is one place.
    const bool stretch = trial_.row().segment.size() > 1 && roundings() != 1;
    bool rivalled = false, elsewhere = false;
    std::size_t proofs = 0;
    for (std::size_t i = 1; i < ranked.size() && ranked[0].exact(); ++i) {
      const Explanation& e = ranked[i];
      if (!e.exact()) continue;
      if (proofs++ < most_proofs && same(ranked[0], e)) {
        ranked[0].ties.push_back(e.spec);
        elsewhere = elsewhere || e.site != ranked[0].site;
      } else if (e.bits <= 2 * ranked[0].bits +
                               as_short_bits) {  // a flexible cause is none beside a plain one
        ranked[0].rivals.push_back(e.spec);
        rivalled = rivalled || stretch || e.bits <= ranked[0].bits + as_short_bits;
      }
    }
    // Places that a cause lists run by run may lie in any tensor on the way, where none was
    // captured.
    const bool anywhere = ranked[0].listed && !trial_.single_node();
    ranked[0].certain = ranked[0].exact() && !suspect_.cut_short && !anywhere &&
                        !moves_weights(ranked[0]) && !(incomplete_ && !trial_.single_node()) &&
                        !rivalled && !(stretch && elsewhere) &&
                        (ranked[0].also.empty() || trial_.single_node());
    // What no longer depends on the inputs may have been lost anywhere in the stretch, in ways
    // without number.
    ranked[0].certain = ranked[0].certain && !(stretch && is_deaf(ranked[0])) && proves(ranked[0]);
  }

  // Each parameter wants several values that speak for it; codes at the end of their range
  // everywhere say nothing of what drove them there.
  bool proves(const Explanation& e) const {
    constexpr std::ptrdiff_t values_each = 4;
    return !trial_.saturates() && e.differing >= values_each * std::ssize(e.params);
  }

  // What the cause makes of the row's tensor is the same for every input: for those recorded, and
  // for others, where one number that is clipped may happen to be.
  bool is_deaf(const Explanation& e) const {
    if (e.listed || !trial_.answers_alike()) return false;
    const auto made = made_by(e);
    if (!made.ok() || made->samples.size() < 2) return false;
    return std::ranges::all_of(made->samples,
                               [&](const Sample& s) { return s == made->samples[0]; });
  }

  // With operands that were not captured.
  bool moves_weights(const Explanation& e) const {
    const Site* site = site_of(sites_, e);
    if (!site || site->node == no_id || !e.fault->orders_weights) return false;
    const Graph& g = site->graph();
    return std::ranges::any_of(g.node(site->node).inputs, [&](ValueId v) {
      return v != no_id && !g.value(v).constant &&
             std::ranges::count(trial_.row().segment, g.value(v).producer) > 0;
    });
  }

  // Nearly all of many differing values to the bit, and one step of the others.
  static bool leaves_little(const Explanation& e) {
    constexpr std::int64_t many = 32;
    return e.differing >= many && e.rest() * 10 <= e.differing && e.rest_lsb <= 1.001;
  }

  // Operations of the segment that yield codes.
  std::ptrdiff_t roundings() const {
    const Graph& g = sites_[0].graph();
    return std::ranges::count_if(trial_.row().segment, [&](NodeId n) {
      const ValueId y = g.node(n).outputs.empty() ? no_id : g.node(n).outputs[0];
      return y != no_id && is_integer(g.value(y).dtype) && g.value(y).quant.quantized() &&
             !only_moves(g.node(n));
    });
  }

  // Where a quantizer reads the network's input, or nothing between was captured, what leaves
  // nothing (or as little) is laid to the input rather than to an operation that would do the same:
  // it is what a user can check.
  void prefer_input() {
    constexpr double as_likely_bits = 8;
    std::vector<Explanation>& ranked = suspect_.ranked;
    if (ranked[0].fault->stage == Stage::input) return;
    if (trial_.single_node() && trial_.row().op != "QuantizeLinear") return;
    const auto it = std::ranges::find_if(ranked, [&](const Explanation& e) {
      return e.rest() == ranked[0].rest() && e.accepted && e.fault->stage == Stage::input &&
             e.bits <= ranked[0].bits + as_likely_bits;
    });
    if (it != ranked.end()) std::rotate(ranked.begin(), it, it + 1);
  }

  // One and the same answer to inputs that the reference answers otherwise is first of all an
  // answer that is never written: what else happens to make it alike takes more.
  void prefer_frozen() {
    constexpr double as_likely_bits = 8;
    constexpr std::size_t least = 3;
    std::vector<Explanation>& ranked = suspect_.ranked;
    if (!ranked[0].exact() || trial_.row().segment.size() < 2 || trial_.every().size() < least ||
        !trial_.answers_alike())
      return;
    const auto it = std::ranges::find_if(ranked, [&](const Explanation& e) {
      return e.exact() && e.accepted && e.fault->shows == OutputOf::first_run &&
             e.bits <= ranked[0].bits + as_likely_bits;
    });
    if (it != ranked.end()) std::rotate(ranked.begin(), it, it + 1);
  }

  // Keeps the best parameters of each fault, or of each pair, at each place.
  void keep_best_of_each() {
    const auto like = [](const FaultSpec& a, const FaultSpec& b) {
      return a.fault == b.fault && a.node == b.node;
    };
    std::vector<Explanation> kept;
    for (Explanation& e : suspect_.ranked) {
      const bool seen = std::ranges::any_of(kept, [&](const Explanation& k) {
        return k.fault == e.fault && k.site == e.site && std::ranges::equal(k.also, e.also, like);
      });
      if (!seen) kept.push_back(std::move(e));
    }
    suspect_.ranked = std::move(kept);
  }

  // The row's tensor as the cause makes it, from inputs that the device never saw.
  Result<Capture> made_by(const Explanation& e) const {
    const Executor& reference = sites_[0].reference;
    const std::string wanted[] = {trial_.row().tensor};
    std::vector<FaultSpec> specs = {{e.fault, e.site, e.params}};
    specs.insert(specs.end(), e.also.begin(), e.also.end());
    LOCKSTEP_TRY(const RunOptions options, inject(reference, specs));
    return reference.run(generated_inputs(reference.graph(), 3, 20), wanted, options);
  }

  // No capture of this tensor tells them apart.
  bool same(const Explanation& a, const Explanation& b) const {
    if (a.listed || b.listed) return false;
    const auto x = made_by(a), y = made_by(b);
    return x.ok() && y.ok() && x->samples == y->samples;
  }

  const Trial& trial_;
  const SearchOptions& options_;
  const std::vector<Site>& sites_;
  Suspect suspect_;
  bool incomplete_ = false;  // a fit ended by its share of the work
};

}  // namespace

double listing_bits(std::int64_t wrong, std::int64_t values) {
  if (wrong <= 0) return 0;
  const double each = 7;  // of a code, that it is another than the right one
  return static_cast<double>(wrong) *
         (each + 1 + std::log2(static_cast<double>(values) / static_cast<double>(wrong)));
}

bool carries(const Explanation& e, std::size_t places, double table_bits, double drift_bits) {
  if (e.differing == 0 || e.reproduced == 0 || (drift_bits > 0 && !e.exact())) return false;
  double list = std::min(listing_bits(e.differing, e.values), table_bits);
  if (drift_bits > 0) list = std::min(list, drift_bits * static_cast<double>(e.differing));
  const double stated = e.bits + std::log2(static_cast<double>(std::max<std::size_t>(places, 1)));
  if (e.exact()) return stated + margin_bits <= list;
  return e.rest() * 10 <= e.values && e.rest_lsb <= 1.001 &&
         stated + listing_bits(e.rest(), e.values) <= list / 2;
}

Suspect search(const Trial& trial, std::size_t row, std::span<const Explanation> known,
               const SearchOptions& options) {
  return Search(trial, options).run(row, known);
}

}  // namespace lockstep
