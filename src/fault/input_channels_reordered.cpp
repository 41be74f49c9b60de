// x'[c] = x[order[c]]: the colour channels arrive in another order (BGR for RGB).
#include <array>

#include "fault/fault_input.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"order", "which channel is read as the 1st, 2nd and 3rd, as digits from 0: 210 is BGR", 210}};
constexpr std::array<double, 5> kOrders = {210, 21, 102, 120, 201};  // 21 is 0, 2, 1

std::size_t channel_axis(const Site& site) {
  return channels_last(site) ? site.graph().value(site.input).shape.size() - 1 : 1;
}

bool applies(const Site& site) {
  if (site.input == no_id) return false;
  const Shape& shape = site.graph().value(site.input).shape;
  return shape.size() >= 3 && shape[channel_axis(site)] == 3;
}

std::vector<Params> candidates(const Site&, const Evidence&) {
  std::vector<Params> sets;
  for (const double order : kOrders) sets.push_back({{"order", order}});
  return sets;
}

Result<void> replay(Replay& r) {
  const auto order = static_cast<int>(param(params, r.params, "order"));
  const std::array<std::int64_t, 3> from = {order / 100, order / 10 % 10, order % 10};
  if ((1 << from[0] | 1 << from[1] | 1 << from[2]) != 7)
    return Error{"fault input-channels-reordered", "order " + std::to_string(order), "a permutation of 0, 1, 2 such as 210", ""};
  const Shape& shape = r.out[0].shape();
  const std::size_t axis = channel_axis(r.site);
  std::int64_t inner = 1;
  for (std::size_t a = axis + 1; a < shape.size(); ++a) inner *= shape[a];
  std::vector<std::int64_t> source(static_cast<std::size_t>(r.out[0].count()));
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i), c = at / inner % 3;
    source[i] = at + (from[static_cast<std::size_t>(c)] - c) * inner;
  }
  gather(r.out[0], source);
  return {};
}

}  // namespace

extern constinit const FaultDef fault_input_channels_reordered = {
    .name = "input-channels-reordered",
    .claim = "the input's channels arrive in the order {order}",
    .advice = "feed pure red, green and blue pictures and compare channel by channel\n"
              "set the camera's or decoder's format to the order that the model was trained with",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
