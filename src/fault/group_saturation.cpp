// acc' = sat16(... sat16(sat16(group 0) + group 1) ...): the sum is stored in 16 bits after every
// group of products.
#include <algorithm>

#include "fault/fault_sums.h"
#include "op/op.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"group", "products that are summed exactly before the sum is stored", 16},
    {"wraps", "0: it saturates; 1: it wraps", 0, Takes::flag()},
    {"bias",
     "0: it is added to the stored sum; 1: the sum begins with it, and products in the padding are "
     "counted",
     0, Takes::flag()},
};

bool applies(const Site& site) {
  return has_terms(site);
}

Result<void> replay(Replay& r) {
  const double group = param(params, r.params, "group");
  if (!(group >= 1))
    return Error{"fault group-saturation", "group " + std::to_string(group), "at least 1", ""};
  const bool wraps = param(params, r.params, "wraps") != 0;
  const bool begins = param(params, r.params, "bias") != 0;
  const std::int32_t x_zero = r.site.view().input(0).quant.zero_at(0);
  return resum_from_bias(
      r, TermOrder::channel_last,
      [=](std::span<const Term> terms, std::int64_t bias) {
        std::int64_t sum = begins ? bias : 0, correction = begins ? 0 : bias;
        for (std::size_t i = 0; i < terms.size(); ++i) {
          sum += (terms[i].x - std::int64_t{x_zero}) * terms[i].w;
          correction += std::int64_t{x_zero} * terms[i].w;
          if ((i + 1) % static_cast<std::size_t>(group) == 0 || i + 1 == terms.size())
            sum = wraps ? static_cast<std::int16_t>(sum)
                        : std::clamp<std::int64_t>(sum, -32768, 32767);
        }
        return sum + correction;
      },
      begins);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  constexpr std::int64_t few = 2'000'000;  // products, that are summed anew for each
  const OpDef* op = find_op(site.view().node.op);
  const bool is_small = op && op->cost && op->cost(site.view()).macs < few;
  std::vector<Params> sets;
  for (const double group : {1.0, 8.0, 16.0, 32.0, 64.0})
    for (const double wraps : {0.0, 1.0})
      for (const double bias : {0.0, 1.0})
        if (bias == 0 || is_small)
          sets.push_back({{"group", group}, {"wraps", wraps}, {"bias", bias}});
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_group_saturation = {
    .name = "group-saturation",
    .claim =
        "partial sums {wraps?0:saturate|1:wrap} at 16 bits after every "
        "{group?1:product|:{group} products}{bias?0:|1:, the bias first}",
    .advice =
        "split the convolution by groups of input channels and add the parts\n"
        "calibrate with headroom, or keep weights within 7 bits",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .cost = SumCost::each_product,
};

}  // namespace lockstep
