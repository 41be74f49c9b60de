#include "kernel/kernel_depthwise_layout.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <tuple>

namespace lockstep {

DepthwiseLayout::DepthwiseLayout(const KernelProblem& p, const DepthwiseSet& s)
    : set(s),
      d(*dot_problem(p, true, s.wide)),
      size(s.words ? 2 : 1),
      elements(s.bytes / size),
      sums(s.words ? 2 : 4) {
  const Window& w = d.window;
  stage = s.wide ? Stage::of_words(w) : Stage::of(w, d.x, d.x_zero, s.words, s.stage);
  line.y_size = static_cast<std::int64_t>(size_of(d.y));
  lay_out_line();
  choose_rows();
  pack_weights();
  pack_constants();
  line.y_signed = d.y == DType::i8;
  line.y_zero = d.finish.y_zero;
  line.low = d.finish.low;
  line.high = d.finish.high;
  line.row_bytes = w.out[2] * w.channels * line.y_size;
  d.w = {};
}

void DepthwiseLayout::lay_out_line() {
  const std::int64_t c = d.window.channels, stride = d.window.strides[2], width = d.window.out[2];
  if (stride == 1) {  // the whole line is one run
    line.blocks = c / std::gcd(c, elements);
    line.pixels = 1;
    line.pixel_count = width * c;
    line.last_join = 1;
  } else {
    // Joined runs read beyond the line by less than kernel_slack.
    const std::int64_t join = stride > 4 ? 1 : c * 2 == elements ? 2 : c * 4 == elements ? 4 : 1;
    join_log = join == 4 ? 2 : join == 2 ? 1 : 0;
    line.blocks = join > 1 ? 1 : (c + elements - 1) / elements;
    line.pixels = (width + join - 1) / join;
    line.last_join = width - (line.pixels - 1) * join;
    line.pixel_count = c * join;
    line.piece_step = stride * stage.pixel;
    line.x_step = stride * stage.pixel * join;
    line.y_step = c * join * line.y_size;
  }
  line.vectors = (line.pixel_count + elements - 1) / elements;
}

// Every place that so many lines read, column by column.
std::vector<DepthwiseLayout::Place> DepthwiseLayout::places_of(std::int64_t line_count) const {
  const Window& w = d.window;
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, Place> found;
  for (std::int64_t r = 0; r < line_count; ++r)
    for (std::int64_t a = 0; a < w.kernel[0]; ++a)
      for (std::int64_t b = 0; b < w.kernel[1]; ++b)
        for (std::int64_t c = 0; c < w.kernel[2]; ++c) {
          const std::int64_t h = b * w.dilations[1] + r * w.strides[1];
          Place& p = found[{a, c, h}];
          p.offset =
              a * w.dilations[0] * stage.plane + h * stage.row + c * w.dilations[2] * stage.pixel;
          p.tap[r] = (a * w.kernel[1] + b) * w.kernel[2] + c;
        }
  std::vector<Place> list;
  for (const auto& [at, one] : found) list.push_back(one);
  return list;
}

// Two lines at once where that costs less: a group is loaded and unpacked once, and has products
// for each line.
void DepthwiseLayout::choose_rows() {
  places = places_of(1);
  if (d.window.out[1] < 2) return;
  std::vector<Place> two = places_of(2);
  const auto per = static_cast<std::size_t>(sums);
  const auto cost = [&](std::size_t count, std::size_t at_once) {
    return (count + per - 1) / per * (3 * per + per * at_once) * (3 - at_once);
  };
  if (cost(two.size(), 2) >= cost(places.size(), 1)) return;
  places = std::move(two);
  rows = 2;
}

// The channel of byte i of a block.
std::int64_t DepthwiseLayout::channel(std::int64_t block, std::int64_t i) const {
  const std::int64_t c = d.window.channels, at = block * elements + i;
  return d.window.strides[2] == 1 || join_log > 0 ? at % c : at < c ? at : -1;
}

// Weights of more than a signed byte are sums of several, at the same place again. [place][row]
// [channel]
std::vector<std::vector<std::int16_t>> DepthwiseLayout::split_weights() {
  const std::int64_t channels = d.oc;
  std::vector<std::vector<std::int16_t>> split;
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::vector<std::int16_t>& w = split.emplace_back();
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < channels; ++c)
        w.push_back(places[i].tap[r] < 0 ? std::int16_t{0} : d.w.at(c, places[i].tap[r]));
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    bool more = false;
    std::vector<std::int16_t> rest(split[i].size());
    for (std::size_t k = 0; k < rest.size(); ++k) {
      const std::int16_t byte =
          set.words ? split[i][k] : std::clamp<std::int16_t>(split[i][k], -128, 127);
      rest[k] = static_cast<std::int16_t>(split[i][k] - byte);
      split[i][k] = byte;
      more |= rest[k] != 0;
    }
    if (!more) continue;
    split.push_back(std::move(rest));
    places.push_back(Place(places[i]));
  }
  return split;
}

// The element of a block that accumulator j holds in a lane.
std::int64_t DepthwiseLayout::element(std::int64_t j, std::int64_t lane) const {
  return lane / 4 * (16 / size) + 4 * j + lane % 4;
}

void DepthwiseLayout::pack_weights() {
  const auto split = split_weights();
  for (const Place& p : places) {
    taps.push_back(p.offset);
    first_taps.push_back(p.tap[0] >= 0 ? p.offset : 0);
  }
  const std::int64_t per = sums;  // as many places as sums
  const auto groups = (static_cast<std::int64_t>(taps.size()) + per - 1) / per;
  for (auto* const list : {&taps, &first_taps})
    list->resize(static_cast<std::size_t>(groups * per), 0);
  line.groups = groups;
  line.block_bytes = groups * rows * sums * set.bytes;
  packed.assign(static_cast<std::size_t>(line.blocks * line.block_bytes), std::byte{0});
  const auto count = static_cast<std::int64_t>(split.size());
  std::byte* to = packed.data();
  for (std::int64_t block = 0; block < line.blocks; ++block) {
    const std::vector<std::int64_t> channels = channels_of(block);
    for (std::int64_t q = 0; q < groups; ++q)
      for (std::int64_t r = 0; r < rows; ++r)
        for (const std::int64_t c : channels) {
          for (std::int64_t e = 0; c >= 0 && e < std::min(per, count - q * per); ++e) {
            const std::int16_t word = split[static_cast<std::size_t>(q * per + e)]
                                           [static_cast<std::size_t>(r * d.oc + c)];
            to[e * size] = static_cast<std::byte>(word & 255);
            if (size == 2) std::memcpy(to + e * 2, &word, 2);
          }
          to += per * size;
        }
  }
  line.w = packed.data();
}

// By accumulator and lane.
std::vector<std::int64_t> DepthwiseLayout::channels_of(std::int64_t block) const {
  std::vector<std::int64_t> channels;
  for (std::int64_t j = 0; j < sums; ++j)
    for (std::int64_t lane = 0; lane < set.bytes / 4; ++lane)
      channels.push_back(channel(block, element(j, lane)));
  return channels;
}

void DepthwiseLayout::pack_constants() {
  const std::int64_t zero = set.words ? 0 : d.x_zero + (d.x == DType::i8 ? 128 : 0),
                     lanes = set.bytes / 4, tap_count = d.window.kernel_count();
  const auto count = static_cast<std::size_t>(line.blocks * elements);
  for (auto* const v : {&bias, &multiplier, &left, &right}) v->assign(count, 0);
  factor.assign(count, 0);
  place.resize(static_cast<std::size_t>(elements));
  for (std::int64_t j = 0; j < sums; ++j)
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      place[static_cast<std::size_t>(element(j, lane))] = j * lanes + lane;
  std::vector<std::int64_t> total(static_cast<std::size_t>(d.oc), 0);
  for (std::int64_t c = 0; c < d.oc; ++c)
    for (std::int64_t t = 0; t < tap_count; ++t) total[static_cast<std::size_t>(c)] += d.w.at(c, t);
  for (std::int64_t block = 0; block < line.blocks; ++block) {
    auto at = static_cast<std::size_t>(block * sums * lanes);
    for (const std::int64_t c : channels_of(block)) {
      const std::size_t i = at++, o = static_cast<std::size_t>(c);
      if (c < 0) continue;
      bias[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(d.bias[o]) -
                                          static_cast<std::uint32_t>(total[o] * zero));
      factor[i] = d.finish.factor[o];
      multiplier[i] = d.finish.multiplier[o];
      left[i] = d.finish.left[o];
      right[i] = d.finish.right[o];
    }
  }
  line.bias = bias.data();
  line.factor = factor.data();
  line.multiplier = multiplier.data();
  line.left = left.data();
  line.right = right.data();
}

}  // namespace lockstep
