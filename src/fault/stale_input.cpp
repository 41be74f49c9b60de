// x'(run) = x(run - 1), or x(0) in every run: the network reads an earlier input; in the first run
// its own, or memory that nobody wrote.
#include <algorithm>

#include "fault/fault_input.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"frozen", "0: the input of the run before; 1: the input of the very first run", 0,
     Takes::flag()},
    {"first", "in the very first run: 0: its own input; 1: bytes of zero; 2: zeros", 0,
     Takes::up_to(2)},
};

bool applies(const Site& site) {
  return site.input != no_id;
}

// In memory that was never written: bytes of zero, or the code of zero.
Tensor unwritten(const Site& site, double first) {
  const Value& v = site.graph().value(site.input);
  Tensor x(v.dtype, v.shape);
  if (first == 2 && !is_float(v.dtype) && v.quant.quantized())
    for (std::int64_t i = 0; i < x.count(); ++i) x.set_code(i, v.quant.zero_at(0));
  return x;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const Evidence::Item& item : evidence.items) {
    if (item.in.empty() || !item.in[0]) continue;
    if (sets.empty() && item.previous && !(*item.previous == *item.in[0]))
      sets.push_back({{"frozen", 0}});
    if (sets.size() == 1 && item.first && !(*item.first == *item.previous))
      sets.push_back({{"frozen", 1}});
  }
  std::vector<double> firsts = {1};
  if (!(unwritten(site, 2) == unwritten(site, 1))) firsts.push_back(2);
  const bool lags = !sets.empty();
  for (const double first : firsts) {
    if (lags) sets.push_back({{"frozen", 0}, {"first", first}});
    sets.push_back({{"frozen", 1}, {"first", first}});
  }
  return sets;
}

Result<void> replay(Replay& r) {
  const bool frozen = param(params, r.params, "frozen") != 0;
  const double first = param(params, r.params, "first");
  const Tensor* earlier = frozen ? r.first : r.previous;
  if (first != 0 && (frozen || r.run == 0))
    r.out[0] = unwritten(r.site, first);
  else if (earlier && earlier->count() == r.out[0].count())
    r.out[0] = *earlier;
  return {};
}

}  // namespace

extern constinit const FaultDef fault_stale_input = {
    .name = "stale-input",
    .claim =
        "{first?0:the network computes with the input of {frozen?0:the run before|1:the very first "
        "run}|:{frozen?0:the network computes with the input of the run before, in the first run "
        "with |1:the input never arrives: the network computes with }{first?1:bytes of "
        "zero|:zeros}}",
    .advice =
        "clean the cache lines of the input after the CPU has written it\n"
        "ask for the input address before every run; look for a double buffer whose halves are "
        "swapped late",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
