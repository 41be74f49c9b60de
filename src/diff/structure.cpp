#include "diff/structure.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lockstep {

StructureTest::StructureTest(Shape shape, int channel, std::int64_t zero)
    : shape_(std::move(shape)), strides_(strides_of(shape_)), channel_(channel), zero_(zero) {
  if (channel_ >= 0)
    channels_.resize(static_cast<std::size_t>(shape_[static_cast<std::size_t>(channel_)]));
}

int StructureTest::edge_distance(std::int64_t element) const {
  std::int64_t least = 99;
  for (std::size_t axis = 1; axis < shape_.size(); ++axis) {
    const std::int64_t extent = shape_[axis];
    if (static_cast<int>(axis) == channel_ || extent < 5) continue;
    const std::int64_t at = element / strides_[axis] % extent;
    least = std::min({least, at, extent - 1 - at});
  }
  return static_cast<int>(least);
}

void StructureTest::add(const Tensor& expected, const Tensor& device) {
  ++added_;
  for (std::int64_t i = 0; i < expected.count(); ++i) {
    const std::int64_t want = expected.code(i), d = device.code(i) - want;
    if (d == 0) continue;
    total_.add(want);
    if (channel_ >= 0) {
      const auto axis = static_cast<std::size_t>(channel_);
      channels_[static_cast<std::size_t>(i / strides_[axis] % shape_[axis])].add(want);
    }
    for (int w = 2, edge = edge_distance(i); w >= edge; --w)
      within_[static_cast<std::size_t>(w)].add(want);
    up_ += d > 0;
    down_ += d < 0;
    sum_ += d;
    above_ += want > zero_;
    below_ += want < zero_;
    nearer_ += want > zero_ ? d < 0 : want < zero_ && d > 0;
  }
}

// The share of a tensor's elements closer to an edge than `width`.
double StructureTest::border_share(int width) const {
  double inner = 1;
  for (std::size_t axis = 1; axis < shape_.size(); ++axis) {
    const std::int64_t extent = shape_[axis];
    if (static_cast<int>(axis) == channel_ || extent < 5) continue;
    inner *= static_cast<double>(std::max<std::int64_t>(0, extent - 2 * width)) /
             static_cast<double>(extent);
  }
  return 1 - inner;
}

Structure StructureTest::result() const {
  if (!total_.evidence()) return {};
  const double differing = static_cast<double>(total_.differing);
  const double mean = static_cast<double>(sum_) / static_cast<double>(added_ * count_of(shape_));
  if (static_cast<double>(std::max(up_, down_)) >= 0.9 * differing && std::abs(mean) >= 0.2)
    return {"one-sided",
            fmt::format("{} of {} differing codes are {}, mean {:+.2f} LSB", std::max(up_, down_),
                        total_.differing, up_ > down_ ? "high" : "low", mean)};
  if (4 * std::min(above_, below_) >= total_.differing && 20 * nearer_ >= 19 * total_.differing &&
      static_cast<double>(nearer_) >= 0.15 * static_cast<double>(added_ * count_of(shape_)))
    return {"toward zero", fmt::format("{} of {} differing codes are nearer to the zero point",
                                       nearer_, total_.differing)};
  if (channels_.size() >= 4) {
    const auto worst = std::ranges::max_element(channels_, {}, &Tally::differing);
    if (worst->evidence() && static_cast<double>(worst->differing) >= 0.9 * differing)
      return {"one channel",
              fmt::format("{} of {} differing codes are in channel {}", worst->differing,
                          total_.differing, worst - channels_.begin())};
  }
  for (std::size_t w = 0; w < within_.size(); ++w) {
    const Tally& t = within_[w];
    if (t.evidence() && border_share(static_cast<int>(w) + 1) <= 0.5 &&
        static_cast<double>(t.differing) >= 0.95 * differing)
      return {"border", fmt::format("{} of {} differing codes lie within {} of an edge",
                                    t.differing, total_.differing, w + 1)};
  }
  return {};
}

int channel_axis(const Graph& graph, ValueId id) {
  const Value& v = graph.value(id);
  if (v.shape.size() < 2) return -1;
  std::string layout = v.producer == no_id ? "" : graph.node(v.producer).attrs.text("layout", "");
  if (layout.empty()) layout = v.origin.layout;
  if (layout.empty()) layout = graph.format() == "tflite" ? "NHWC" : "NCHW";
  return layout == "NHWC" ? static_cast<int>(v.shape.size()) - 1 : 1;
}

}  // namespace lockstep
