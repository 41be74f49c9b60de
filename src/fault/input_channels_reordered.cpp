// x'[c] = x[order[c]]: the colour channels arrive in another order (BGR for RGB).
#include <string>

#include "fault/fault_input.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"order",
                                 "which channel is read as the 1st, 2nd and so on, as digits from "
                                 "0: 210 is BGR; -1: from the last to the first",
                                 -1}};
constexpr std::int64_t kMost = 16, kMostDigits = 6;  // channels; those that one digit each can name

std::size_t channel_axis(const Site& site) {
  return channels_last(site) ? site.graph().value(site.input).shape.size() - 1 : 1;
}

std::int64_t channels_of(const Site& site) {
  return site.graph().value(site.input).shape[channel_axis(site)];
}

bool applies(const Site& site) {
  if (site.input == no_id) return false;
  const Shape& shape = site.graph().value(site.input).shape;
  return shape.size() >= 3 && channels_of(site) >= 2 && channels_of(site) <= kMost;
}

std::vector<Params> candidates(const Site& site, const Evidence&) {
  std::vector<double> orders = {-1};
  if (channels_of(site) == 3) orders = {210, 21, 102, 120, 201};     // 21 is 0, 2, 1
  if (channels_of(site) == 4) orders = {-1, 2103, 1230, 3012, 321};  // BGRA, ARGB
  std::vector<Params> sets;
  for (const double order : orders) sets.push_back({{"order", order}});
  return sets;
}

// The channel that is read in each place; empty where `order` is no permutation.
std::vector<std::int64_t> places(double order, std::int64_t channels) {
  std::vector<std::int64_t> from(static_cast<std::size_t>(channels));
  if (order == -1) {
    for (std::size_t c = 0; c < from.size(); ++c)
      from[c] = channels - 1 - static_cast<std::int64_t>(c);
    return from;
  }
  if (channels > kMostDigits || order < 0) return {};
  auto digits = static_cast<std::int64_t>(order);
  unsigned seen = 0;
  for (std::size_t c = from.size(); c-- > 0; digits /= 10) seen |= 1u << (from[c] = digits % 10);
  return digits == 0 && seen == (1u << channels) - 1 ? from : std::vector<std::int64_t>();
}

Result<void> replay(Replay& r) {
  const std::int64_t channels = channels_of(r.site);
  const double order = param(params, r.params, "order");
  const auto from = places(order, channels);
  if (from.empty())
    return Error{
        "fault input-channels-reordered",
        "order " + std::to_string(static_cast<std::int64_t>(order)),
        "a permutation of the " + std::to_string(channels) + " channels by their digits, or -1",
        ""};
  const Shape& shape = r.out[0].shape();
  const std::int64_t inner = strides_of(shape)[channel_axis(r.site)];
  std::vector<std::int64_t> source(static_cast<std::size_t>(r.out[0].count()));
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i), c = at / inner % channels;
    source[i] = at + (from[static_cast<std::size_t>(c)] - c) * inner;
  }
  gather(r.out[0], source);
  return {};
}

}  // namespace

extern constinit const FaultDef fault_input_channels_reordered = {
    .name = "input-channels-reordered",
    .claim =
        "the input's channels arrive {order?-1:from the last to the first|210:as BGR for "
        "RGB, or RGB for BGR|21:in the order 0, 2, 1|102:in the order 1, 0, 2|120:in the "
        "order 1, 2, 0|201:in the order 2, 0, 1|:in another order ({order})}",
    .advice =
        "feed pure red, green and blue pictures and compare channel by channel\n"
        "set the camera's or decoder's format to the order that the model was trained with",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
