// code' = code + by, wrapped or saturated: what a node yields is read with another zero point or
// another sign.
#include <algorithm>
#include <array>
#include <limits>

#include "fault/fault_elements.h"
#include "fault/fault_nodes.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"by", "codes by which every element is too large", 128},
    {"saturates", "0: beyond the range it wraps; 1: it stops there", 0, Takes::flag()},
};

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  return is_coded(site.view().output(0)) && size_of(site.view().output(0).dtype) == 1;
}

Result<void> replay(Replay& r) {
  const auto by = static_cast<std::int64_t>(param(params, r.params, "by"));
  const bool saturates = param(params, r.params, "saturates") != 0;
  Tensor& y = r.out[0];
  const CodeRange range = code_range(y.dtype());
  for (std::int64_t i = 0; i < y.count(); ++i) {
    const std::int64_t code = y.code(i) + by;
    y.set_code(i, saturates ? std::clamp(code, range.low, range.high)
                            : range.low + (((code - range.low) % 256) + 256) % 256);
  }
  return {};
}

// Both by the commonest difference modulo 256, and by the commonest difference of codes within the
// range.
std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::array<std::int64_t, 256> wrapped{};
  std::array<std::int64_t, 511> plain{};
  const CodeRange range = code_range(site.view().output(0).dtype);
  for_elements(evidence, 1 << 16, [&](const Evidence::Item& item, std::int64_t i) {
    const std::int64_t is = item.observed->code(i), d = is - item.expected->code(i);
    ++wrapped[static_cast<std::size_t>((d + 256) & 255)];
    if (is > range.low && is < range.high) ++plain[static_cast<std::size_t>(d + 255)];
  });
  const auto turned =
      static_cast<std::int64_t>(std::ranges::max_element(wrapped) - wrapped.begin());
  const auto moved =
      static_cast<std::int64_t>(std::ranges::max_element(plain) - plain.begin()) - 255;
  std::vector<Params> sets;
  if (turned != 0)
    sets.push_back({{"by", static_cast<double>(turned > 128 ? turned - 256 : turned)}});
  if (moved != 0 && moved != -255)
    sets.push_back({{"by", static_cast<double>(moved)}, {"saturates", 1}});
  for (const double by : {128.0, -128.0}) sets.push_back({{"by", by}, {"saturates", 1}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

std::vector<Params> fit(const Site&, const Evidence&, const Misfit& misfit) {
  std::vector<Params> sets;
  for (const double saturates : {0.0, 1.0}) {
    const auto by = [&](std::int64_t n) {
      return n == 0 ? std::numeric_limits<double>::infinity()
                    : misfit({{"by", static_cast<double>(n)}, {"saturates", saturates}});
    };
    if (const auto found = least_misfit(by, -127, 127))
      sets.push_back({{"by", found->low}, {"saturates", saturates}});
  }
  return sets;
}

}  // namespace

extern constinit const FaultDef fault_codes_offset = {
    .name = "codes-offset",
    .claim =
        "every code of the output is {by?<0:{-by} too small|:{by} too large}{saturates?0:|1: "
        "and stops at the end of its range}: it is written or read with another zero point",
    .advice =
        "print element type, scale and zero point of this tensor on the target: int8 and uint8 are "
        "128 apart\n"
        "dequantize with the zero point of the compiled network, not with the one of a report",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
