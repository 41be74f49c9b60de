// acc' = sum + bias': the bias is absent, its words are in another byte order or place, cut to 16 bits, or added twice.
#include <cstring>

#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"how", "0: it is absent; 1: its bytes are reversed; 2: only its low 16 bits are kept; 3: it is added twice; 4: it is read `by` channels off; 5: it is absent in channel `by` alone", 0},
    {"by", "channels by which it is read too late (negative: too early)", 1},
    {"around", "beyond its end: 0: zeros; 1: it begins again", 0},
};

bool applies(const Site& site) {
  if (!has_weights(site) || !site.view().has_input(kBias)) return false;
  const Tensor* bias = site.view().constant(kBias);
  return bias && size_of(bias->dtype()) == 4 && !is_float(bias->dtype());
}

Result<void> replay(Replay& r) {
  const double how = param(params, r.params, "how");
  if (how != 0 && how != 1 && how != 2 && how != 3 && how != 4 && how != 5)
    return Error{"fault bias-misread", "how=" + std::to_string(how), "0 .. 5", ""};
  ChangedNode node(r);
  Tensor& bias = node.changed(kBias);
  const Tensor own = bias;
  const bool around = param(params, r.params, "around") != 0;
  const std::int64_t n = own.count(), by = static_cast<std::int64_t>(param(params, r.params, "by"));
  if (how == 1) swap_bytes(bias, 4);
  for (std::int64_t i = 0; i < n; ++i) {
    if (how == 0) bias.set_code(i, 0);
    else if (how == 5) bias.set_code(i, i == by ? 0 : own.code(i));
    else if (how == 2) bias.set_code(i, static_cast<std::int16_t>(own.code(i)));
    else if (how == 3) bias.set_code(i, 2 * own.code(i));
    else if (how == 4) bias.set_code(i, around ? own.code(((i + by) % n + n) % n) : i + by >= 0 && i + by < n ? own.code(i + by) : 0);
  }
  return node.eval_into(r);
}

// The one output channel in which all differing elements lie; -1 where there are none, or in several.
std::int64_t only_channel(const Site& site, const Evidence& evidence) {
  const Shape& y = site.view().output(0).shape;
  const std::size_t axis = channel_axis(site.view(), y);
  std::int64_t found = -1;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected) continue;
    for (std::int64_t i = 0; i < item.observed->count(); ++i) {
      if (item.observed->number(i) == item.expected->number(i)) continue;
      const std::int64_t channel = index_along(y, axis, i);
      if (found >= 0 && found != channel) return -1;
      found = channel;
    }
  }
  return found;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const double how : {0.0, 1.0, 2.0, 3.0}) sets.push_back({{"how", how}});
  for (const double by : {1.0, -1.0, 2.0, -2.0, 4.0, -4.0, 8.0, -8.0, 16.0, -16.0}) {
    sets.push_back({{"how", 4}, {"by", by}});
    sets.push_back({{"how", 4}, {"by", by}, {"around", 1}});
  }
  if (const std::int64_t channel = only_channel(site, evidence); channel >= 0) sets.push_back({{"how", 5}, {"by", static_cast<double>(channel)}});
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_bias_misread = {
    .name = "bias-misread",
    .claim = "the bias {how?0:is absent|1:is read with the bytes of each word reversed|2:is cut "
             "to its low 16 bits|3:is added twice|4:is read {by#channel} too "
             "{by?<0:early|:late}{around?0:|1:, around its end}|5:is absent in channel {by}}",
    .advice = "compare a checksum of the bias in the device's memory with the file, word by word\n"
              "check word size, byte order and offset of the bias in the weight image",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
