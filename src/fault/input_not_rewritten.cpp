// x'(0) = x(0); x'(run)[0 .. count) = T(x'(run - 1)), the rest x'(run - 1): the application writes
// the input once, and tensor T, which shares its memory, is left there by every run.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "fault/fault_runs.h"
#include "fault/fault_work.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"other",
                                 "the tensor that shares the input's memory, by its number in the "
                                 "graph; -1: the first of fitting type",
                                 -1}};

// Activations that may lie in the input's place: of its type, the nearest to the input first.
std::vector<ValueId> sharing(const Site& site) {
  const Graph& g = site.graph();
  std::vector<ValueId> ids;
  for (const Node& node : g.nodes())
    for (const ValueId id : node.outputs)
      if (id != no_id && !g.value(id).constant &&
          size_of(g.value(id).dtype) == size_of(g.value(site.input).dtype) &&
          is_float(g.value(id).dtype) == is_float(g.value(site.input).dtype) &&
          count_of(g.value(id).shape) > 1)
        ids.push_back(id);
  return ids;
}

bool applies(const Site& site) {
  return site.input != no_id && site.graph().inputs().size() == 1 &&
         site.graph().states().empty() && !sharing(site).empty();
}

// What the input's memory holds after a run on x.
Result<void> leave(const Site& site, ValueId other, Tensor& x) {
  const Graph& g = site.graph();
  double work = 0;
  for (std::size_t n = 0; n <= static_cast<std::size_t>(g.value(other).producer); ++n)
    work += node_work({g, g.nodes()[n]}, products_by_kernel);
  if (!spend(work))
    return Error{g.file(), "more work than a proposal may do", "a smaller network", ""};
  const std::string wanted[] = {g.value(other).name};
  LOCKSTEP_TRY(const Sample made, site.reference.run_from({{g.value(site.input).name, x}}, wanted));
  const Tensor& left = made.at(wanted[0]);
  std::memcpy(x.bytes().data(), left.bytes().data(),
              std::min(x.bytes().size(), left.bytes().size()));
  return {};
}

Result<void> replay(Replay& r) {
  if (!r.first) return {};
  const auto given = static_cast<std::int64_t>(param(params, r.params, "other"));
  const auto ids = sharing(r.site);
  const ValueId other = given >= 0 ? static_cast<ValueId>(given) : ids.empty() ? no_id : ids[0];
  if (other == no_id || std::ranges::find(ids, other) == ids.end())
    return Error{"fault input-not-rewritten", "tensor " + std::to_string(given),
                 "an activation of the input's type", ""};
  Tensor x = *r.first;
  for (std::int64_t run = 0; run < r.run; ++run) LOCKSTEP_CHECK(leave(r.site, other, x));
  r.out[0] = std::move(x);
  return {};
}

double distance(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < std::min(a.count(), b.count()); ++i) {
    const double d = std::abs(a.number(i) - b.number(i));
    sum += std::isfinite(d) ? d : 1e30;
  }
  return sum;
}

// What was read in the second run, perhaps known to half a step only, says which tensors it may
// have been.
std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  constexpr std::size_t most = 12, most_seen = 3;
  if (evidence.items.size() < 2) return {};
  const Evidence::Item& second = evidence.items[1];
  std::vector<std::pair<double, ValueId>> ids;
  for (const ValueId id : sharing(site)) {
    if (!second.observed || !second.first) {
      if (ids.size() < most) ids.emplace_back(0, id);
      continue;
    }
    Tensor x = *second.first;
    if (leave(site, id, x).ok()) ids.emplace_back(distance(x, *second.observed), id);
  }
  std::ranges::stable_sort(ids, {}, &std::pair<double, ValueId>::first);
  if (second.observed) ids.resize(std::min(ids.size(), most_seen));
  std::vector<Params> sets;
  for (const auto& [far, id] : ids) sets.push_back({{"other", static_cast<double>(id)}});
  return sets;
}

}  // namespace

extern constinit const FaultDef fault_input_not_rewritten = {
    .name = "input-not-rewritten",
    .claim =
        "the input is written once only: later runs read what {other?-1:another "
        "tensor|:tensor {other}} left in its memory",
    .advice =
        "write the input before every run: its buffer lies among the activations and is used "
        "again\n"
        "or have the compiler keep inputs apart (an option that preserves inputs), and look at the "
        "memory map",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
