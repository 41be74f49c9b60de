// acc' = sum of sat16(u_0 w_0 + u_1 w_1) over pairs of products, u the activation as unsigned byte.
#include <algorithm>

#include "fault/fault_sums.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"channel_first",
                                 "which runs faster in the pairs: 0 the channel, 1 the tap", 0,
                                 Takes::flag()}};

bool applies(const Site& site) {
  return has_terms(site);
}

Result<void> replay(Replay& r) {
  const std::int64_t to_unsigned = r.in[0]->dtype() == DType::i8 ? 128 : 0;
  const auto order = param(params, r.params, "channel_first") != 0 ? TermOrder::channel_first
                                                                   : TermOrder::channel_last;
  return resum(r, order, [to_unsigned](std::span<const Term> terms) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < terms.size(); i += 2) {
      std::int64_t pair = (terms[i].x + to_unsigned) * terms[i].w;
      if (i + 1 < terms.size()) pair += (terms[i + 1].x + to_unsigned) * terms[i + 1].w;
      sum += std::clamp<std::int64_t>(pair, -32768, 32767);
    }
    for (const Term& t : terms) sum -= to_unsigned * t.w;
    return sum;
  });
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {{{"channel_first", 0}}, {{"channel_first", 1}}}, replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_pair_saturation = {
    .name = "pair-saturation",
    .claim =
        "pairs of products saturate at 16 bits, {channel_first?0:of neighbouring "
        "channels|1:of neighbouring taps}",
    .advice =
        "this is what x86 processors without VNNI do with full 8-bit weights: the PC may be the "
        "wrong side\n"
        "quantize weights to 7 bits (reduce_range), or compute the reference on a processor with "
        "VNNI",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .cost = SumCost::each_product,
};

}  // namespace lockstep
