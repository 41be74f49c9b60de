// y' = clamp(y, low, high) in codes: a clamp acts where the model has none, or a narrower one than
// the model's.
#include <algorithm>

#include "fault/fault_nodes.h"
#include "fault/fault_search.h"
#include "fault/fault_work.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"low",
     "the least code that passes; -128: the type's own, or with no bound given the zero point, as "
     "a ReLU's",
     -128},
    {"high", "the greatest code that passes; 255: the type's own", 255},
};

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  const Value& y = site.view().output(0);
  return is_coded(y) && size_of(y.dtype) == 1;
}

void widen(const Tensor& t, std::int64_t& low, std::int64_t& high) {
  for (std::int64_t i = 0; i < t.count(); ++i) {
    low = std::min(low, t.code(i));
    high = std::max(high, t.code(i));
  }
}

// Right codes of several values become one: where a tensor holds two codes only, any other two
// would be a clamp.
bool merges(const Evidence& evidence, std::int64_t bound, bool below) {
  std::int64_t seen = bound;
  for (const Evidence::Item& item : evidence.items)
    for (std::int64_t i = 0; item.expected && item.observed && i < item.expected->count(); ++i) {
      const std::int64_t code = item.expected->code(i);
      if (below ? code >= bound : code <= bound) continue;
      if (seen != bound && seen != code) return true;
      seen = code;
    }
  return false;
}

std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  std::int64_t low = 256, high = -256, right_low = 256, right_high = -256;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected || is_float(item.observed->dtype())) continue;
    if (!spend(static_cast<double>(item.observed->count()))) return {};
    widen(*item.observed, low, high);
    widen(*item.expected, right_low, right_high);
  }
  if (low >= high) return {};  // nothing observed, or one code alone: that is no clamp
  Params found;
  if (right_low < low) found["low"] = static_cast<double>(low);
  if (right_high > high) found["high"] = static_cast<double>(high);
  for (const auto& [side, bound] : found)
    if (!merges(evidence, static_cast<std::int64_t>(bound), side == "low")) return {};
  return found.empty() ? std::vector<Params>() : std::vector<Params>{found};
}

// Unobserved: the bound of either side that leaves least misfit.
std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  const CodeRange range = code_range(site.view().output(0).dtype);
  std::vector<Params> sets;
  for (const char* side : {"low", "high"}) {
    const auto found = least_misfit(
        [&](std::int64_t code) {
          return misfit({{side, static_cast<double>(code)}});
        },
        range.low + 1, range.high - 1);
    if (!found) break;
    const std::int32_t zero =
        site.view().output(0).quant.zero_at(0);  // what a ReLU would clip to, where it does as well
    const bool relu = zero >= found->low && zero <= found->high;
    sets.push_back({{side, relu ? zero : found->low}});
    if (found->misfit == 0) return {sets.back()};
  }
  return sets;
}

Result<void> replay(Replay& r) {
  auto low = static_cast<std::int64_t>(param(params, r.params, "low"));
  const auto high = static_cast<std::int64_t>(param(params, r.params, "high"));
  if (!r.params.contains("low") && !r.params.contains("high"))
    low = r.site.view().output(0).quant.zero_at(0);
  if (low > high)
    return Error{"fault codes-clipped",
                 "low=" + std::to_string(low) + ", high=" + std::to_string(high), "low below high",
                 ""};
  for (std::int64_t i = 0; i < r.out[0].count(); ++i)
    r.out[0].set_code(i, std::clamp(r.out[0].code(i), low, high));
  return {};
}

}  // namespace

extern constinit const FaultDef fault_codes_clipped = {
    .name = "codes-clipped",
    .claim =
        "codes {low?-128:{high?255:below the zero point|:above {high}}|:{high?255:below "
        "{low}|:outside {low} .. {high}}} are clipped, where the model does not clip",
    .advice =
        "look for an activation that was fused into this operation and does not belong to it\n"
        "check the type and range of the buffer: unsigned for signed, 7 bits for 8, or only what "
        "is above zero",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
