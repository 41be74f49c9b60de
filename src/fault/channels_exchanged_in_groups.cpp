// y'[.., g n + i, ..] = y[.., g n + g-1-i, ..], in units of several channels: in every group the
// channels stand in reverse, as where the bytes or half-words of a word are exchanged; channels of
// an incomplete group stay.
#include <algorithm>

#include "fault/fault_channels.h"
#include "fault/fault_input.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"group", "units that stand in reverse in every group", 2},
    {"unit", "channels of a unit, which keep their order", 1},
};

bool applies(const Site& site) {
  return moves_channels(site, 4);
}

Result<void> replay(Replay& r) {
  const Channels c = channels_of(r.site);
  const auto group = static_cast<std::int64_t>(param(params, r.params, "group"));
  const auto unit = static_cast<std::int64_t>(param(params, r.params, "unit"));
  if (group < 2 || unit < 1 || group > c.count || unit > c.count || group * unit > c.count)
    return Error{"fault channels-exchanged-in-groups",
                 std::to_string(group) + " units of " + std::to_string(unit),
                 "at least two units, within " + std::to_string(c.count) + " channels", ""};
  const std::int64_t block = group * unit;
  const auto from = [&](std::int64_t channel) {
    const std::int64_t first = channel / block * block, place = channel - first;
    return first + block > c.count ? channel
                                   : first + (group - 1 - place / unit) * unit + place % unit;
  };
  gather(r.out[0], from_channels(c, r.out[0].count(), from));
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const std::int64_t count = channels_of(site).count;
  std::vector<Params> sets;
  for (const auto& [group, unit] : {std::pair{2, 1},
                                    {2, 2},
                                    {4, 1},
                                    {2, 4},
                                    {8, 1},
                                    {2, 8},
                                    {4, 2},
                                    {2, 16},
                                    {4, 4},
                                    {2, 32},
                                    {16, 1}})
    if (group * unit <= count) sets.push_back({{"group", group}, {"unit", unit}});
  return best_sets(site, evidence, std::move(sets), replay, 3);
}

}  // namespace

extern constinit const FaultDef fault_channels_exchanged_in_groups = {
    .name = "channels-exchanged-in-groups",
    .claim =
        "{group?2:neighbouring channels stand in each other's place{unit?1:|:, {unit} by "
        "{unit}}|:of every {group} "
        "{unit?1:channels|:blocks of {unit} channels} the last stands first}",
    .advice =
        "compare the word size and byte order of what moves this tensor (DMA, bus bridge, external "
        "memory) with how channels are packed\n"
        "look for a kernel that packs channels in pairs or fours and stores them in the other "
        "order",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
