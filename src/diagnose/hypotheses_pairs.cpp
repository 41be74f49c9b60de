#include <algorithm>
#include <set>

#include "diagnose/hypotheses.h"

namespace lockstep {
namespace {

constexpr std::size_t most_first = 5;  // single faults that a second is sought for

bool better(const Explanation& a, const Explanation& b) {
  return a.misfit < b.misfit;
}

}  // namespace

// Single faults that bring the replay nearer to the device, one of each kind at each place, best
// first.
std::vector<const Tested*> Hypotheses::first_parts() const {
  std::vector<const Tested*> parts;
  for (const Tested& t : found_)
    if (t.steps.size() == 1 && !t.e.exact() && (t.e.score() > 0 || !trial_.single_node()))
      parts.push_back(&t);
  const auto key = [&](const Tested* t) {
    return trial_.single_node()
               ? length(t->e)
               : t->e.misfit / static_cast<double>(std::max<std::int64_t>(1, t->e.values));
  };
  std::ranges::stable_sort(parts, {}, key);
  if (!trial_.single_node() && trial_.answers_alike()) {
    // One answer to everything: an output that stays as it was comes before what happens to be as
    // near.
    const auto frozen = [](const Tested* t) { return t->e.fault->shows == OutputOf::first_run; };
    std::ranges::stable_sort(parts, [&](const Tested* a, const Tested* b) {
      return key(a) != key(b) ? key(a) < key(b) : frozen(a) && !frozen(b);
    });
  }
  std::set<std::pair<const FaultDef*, std::string>> seen;
  std::erase_if(parts,
                [&](const Tested* t) { return !seen.emplace(t->e.fault, t->e.site).second; });
  // At two places at most: a second fault may act behind the first.
  int places = 0;
  std::erase_if(parts, [&](const Tested* t) {
    return t->e.fault->shows == OutputOf::first_run && ++places > 2;
  });
  parts.resize(std::min(parts.size(), most_first));
  return parts;
}

// Whether the fault changes what was computed, rather than computing in another way.
bool Hypotheses::builds_on_output(const Step& step) const {
  if (step.site.node == no_id) return true;
  const std::size_t item = trial_.telling()[0];
  const auto& row = trial_.row();
  if (!trial_.single_node() || row.node != step.site.node) return true;
  return trial_.changes_output(item, step);
}

std::vector<Step> Hypotheses::second_parts(const Tested& first) {
  std::vector<Tensor> before;
  for (const std::size_t i : trial_.every()) {
    work_ += trial_.work(first.steps[0].site, first.e.fault);
    auto made = trial_.replay(i, first.steps);
    if (!made.ok()) return {};
    before.push_back(std::move(*made));
  }
  std::vector<Step> seconds;
  const bool cone = !trial_.single_node();
  for (std::size_t s = 0; s < sites_.size(); ++s) {
    const Site& site = sites_[s];
    const bool observed = site.node == trial_.row().node;
    if (!cone && !observed) continue;
    const Evidence evidence = observed ? trial_.evidence(site, before) : evidence_[s];
    for (const FaultDef* fault : fault_table()) {
      if (!fits_stage(*fault, site) || (fault == first.e.fault && cone && !observed)) continue;
      if (work_ > options_.work) {
        cut_short_ = true;
        return seconds;
      }
      if (!cone) work_ += 2 * trial_.work(site, fault);
      if (!cone && !builds_on_output({site, fault, {}})) continue;
      for (Params& params : proposed(site, *fault, evidence))
        seconds.push_back({site, fault, std::move(params)});
    }
  }
  return seconds;
}

void Hypotheses::at_every_input() {
  std::vector<std::size_t> inputs;
  for (std::size_t s = 0; s < sites_.size(); ++s)
    if (sites_[s].node == no_id) inputs.push_back(s);
  if (inputs.size() < 2) return;
  for (const FaultDef* fault : fault_table()) {
    if (fault->reads ||
        !std::ranges::all_of(inputs, [&](std::size_t s) { return fits_stage(*fault, sites_[s]); }))
      continue;
    for (const Params& params : proposed(sites_[inputs[0]], *fault, evidence_[inputs[0]])) {
      if (work_ > options_.work) {
        cut_short_ = true;
        return;
      }
      std::vector<Step> steps;
      for (const std::size_t s : inputs) {
        steps.push_back({sites_[s], fault, params});
        work_ += trial_.work(sites_[s], fault);
      }
      ++tried_;
      if (auto t = test(std::move(steps)); t && t->whole && t->e.exact())
        found_.push_back(std::move(*t));
    }
  }
}

void Hypotheses::of_earlier_runs() {
  if (!trial_.single_node() || cut_short_) return;
  const auto own = std::ranges::find(sites_, trial_.row().node, &Site::node);
  if (own == sites_.end()) return;
  const Evidence& known = evidence_[static_cast<std::size_t>(own - sites_.begin())];
  // The run before comes first: with two runs the first is the same.
  std::vector<const FaultDef*> showing;
  for (const OutputOf run : {OutputOf::run_before, OutputOf::first_run})
    std::ranges::copy_if(fault_table(), std::back_inserter(showing), [&](const FaultDef* f) {
      return f->shows == run && fits_stage(*f, *own);
    });
  for (const FaultDef* earlier : showing) {
    const bool frozen = earlier->shows == OutputOf::first_run;
    // What is shown in a run stands against what an earlier one was made from.
    Evidence shifted;
    for (std::size_t i = 1; i < known.items.size(); ++i) {
      shifted.items.push_back(known.items[frozen ? 0 : i - 1]);
      shifted.items.back().observed = known.items[i].observed;
    }
    if (shifted.items.empty()) continue;
    for (const FaultDef* fault : fault_table()) {
      if (fault == earlier || !fits_stage(*fault, *own)) continue;
      for (Params& params : proposed(*own, *fault, shifted)) {
        if (work_ > options_.work) {
          cut_short_ = true;
          return;
        }
        ++tried_;
        work_ += 3 * trial_.work(*own, fault);
        auto t = test({{*own, fault, std::move(params)}, {*own, earlier, {}}});
        if (t && t->whole && t->e.exact()) found_.push_back(std::move(*t));
      }
    }
  }
}

void Hypotheses::pairs() {
  if (trial_.row().node == no_id || cut_short_) return;
  std::vector<Tested> made;
  std::vector<std::vector<Step>> firsts;
  for (const Tested* t : first_parts()) firsts.push_back(t->steps);
  for (const std::vector<Step>& first : firsts) {
    const auto at = std::ranges::find_if(found_, [&](const Tested& t) {
      return t.steps.size() == 1 && t.e.fault == first[0].fault &&
             t.steps[0].params == first[0].params;
    });
    if (at == found_.end()) continue;
    const Explanation alone = at->e;
    for (Step& second : second_parts(*at)) {
      if (work_ > options_.work) {
        cut_short_ = true;
        break;
      }
      ++tried_;
      work_ += trial_.work(first[0].site, first[0].fault) + trial_.work(second.site, second.fault);
      auto t = test({first[0], std::move(second)});
      if (t && t->whole && t->e.exact() && better(t->e, alone)) made.push_back(std::move(*t));
    }
  }
  for (Tested& t : made) found_.push_back(std::move(t));
}

}  // namespace lockstep
