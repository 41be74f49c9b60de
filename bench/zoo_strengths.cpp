#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "fault/fault_input.h"
#include "fault/fault_nodes.h"
#include "fault/fault_other.h"
#include "zoo.h"

namespace lockstep::zoo {
namespace {

using Draw = std::function<Params(const Site&, Random&)>;

double one_of(Random& r, std::initializer_list<double> choices) {
  return choices.begin()[r.between(0, static_cast<std::int64_t>(choices.size()) - 1)];
}

// Three digits: what a datasheet or a report would show.
double about(Random& r, double low, double high) {
  const double x = low * std::pow(high / low, r.unit());
  const double unit = std::pow(10, std::floor(std::log10(x)) - 2);
  return std::nearbyint(x / unit) * unit;
}

double whole(Random& r, std::int64_t low, std::int64_t high) {
  return static_cast<double>(r.between(low, std::max(low, high)));
}
double sign(Random& r) {
  return r.unit() < 0.5 ? -1 : 1;
}

double operand(const Site& site, Random& r) {
  const auto operands = computed_inputs(site.view());
  if (operands.empty()) return 1;
  return static_cast<double>(operands[static_cast<std::size_t>(
                                 whole(r, 0, static_cast<std::int64_t>(operands.size()) - 1))] +
                             1);
}

std::int64_t count(const Site& site) {
  return count_of(site_value(site).shape);
}
std::int64_t weight_count(const Site& site) {
  return count_of(site.view().input(1).shape);
}

Params blocks(Random& r) {
  return {{"share", one_of(r, {0.05, 0.3, 0.9})}, {"seed", whole(r, 1, 1000)}};
}

double greatest_multiplier(const Site& site) {
  const NodeView n = site.view();
  double most = 0;
  for (const double w : n.input(1).quant.scale)
    most = std::max(most, n.input(0).quant.scale_at(0) * w / n.output(0).quant.scale_at(0));
  return most;
}

double other_value(const Site& site, Random& r, std::int64_t bytes) {
  const auto ids = other_tensors(site, bytes);
  std::vector<ValueId> before;
  for (const ValueId id : ids)
    if (site.graph().value(id).producer < site.node &&
        std::ranges::count(site.graph().node(site.node).inputs, id) == 0)
      before.push_back(id);
  if (before.empty() || r.unit() < 0.3) return -1;
  return before[static_cast<std::size_t>(
      whole(r, 0, std::min<std::int64_t>(static_cast<std::int64_t>(before.size()) - 1, 8)))];
}

const std::map<std::string_view, Draw>& draws() {
  static const std::map<std::string_view, Draw> table = {
      {"accumulator-16bit",
       [](const Site&, Random& r) -> Params {
         return {{"shift", whole(r, 0, 4)}, {"wraps", whole(r, 0, 1)}};
       }},
      {"accumulator-narrow",
       [](const Site&, Random& r) -> Params {
         return {{"bits", whole(r, 12, 15)}, {"wraps", whole(r, 0, 1)}};
       }},
      {"codes-clipped",
       [](const Site& site, Random& r) -> Params {
         const CodeRange range = code_range(site.view().output(0).dtype);
         const double zero = site.view().output(0).quant.zero_at(0),
                      middle = whole(r, range.low + 40, range.high - 40);
         if (r.unit() < 0.4 && zero > static_cast<double>(range.low)) return {{"low", zero}};
         return {{r.unit() < 0.5 ? "low" : "high", middle}};
       }},
      {"edge-not-computed",
       [](const Site&, Random& r) -> Params {
         return {{"axis", whole(r, -1, 0)}, {"lost", whole(r, 1, 2)}, {"fill", whole(r, 0, 2)}};
       }},
      {"table-shifted",
       [](const Site&, Random& r) -> Params {
         return {{"by", sign(r) * whole(r, 1, 8)}, {"wraps", whole(r, 0, 1)}};
       }},
      {"pads-from-neighbours",
       [](const Site&, Random& r) -> Params {
         return {{"from", whole(r, 0, 4)}};
       }},
      {"add-multiplier-wraps",
       [](const Site&, Random& r) -> Params {
         return {{"modulus", whole(r, 1, 2)}};
       }},
      {"batch-norm-wrong",
       [](const Site&, Random& r) -> Params {
         return {{"left_out", whole(r, 0, 4)}};
       }},
      {"bias-misread",
       [](const Site&, Random& r) -> Params {
         return {{"how", one_of(r, {0, 1, 2, 3, 4, 6})},
                 {"by", sign(r) * one_of(r, {1, 2, 4})},
                 {"around", whole(r, 0, 1)},
                 {"k", one_of(r, {-1, 4, 8, 16})}};
       }},
      {"buffers-overlap",
       [](const Site& s, Random& r) -> Params {
         const std::int64_t bytes =
             count(s) * static_cast<std::int64_t>(size_of(site_value(s).dtype));
         const double n =
             whole(r, std::min<std::int64_t>(16, bytes), std::max<std::int64_t>(16, bytes / 2));
         return {{"other", other_value(s, r, static_cast<std::int64_t>(n))},
                 {"to", whole(r, 0, bytes - static_cast<std::int64_t>(n))},
                 {"from", 0},
                 {"count", n}};
       }},
      {"byte-order",
       [](const Site&, Random& r) -> Params {
         return {{"width", one_of(r, {0, 2, 4})}};
       }},
      {"channel-scales-misplaced",
       [](const Site&, Random& r) -> Params {
         return r.unit() < 0.6 ? Params{{"by", sign(r) * whole(r, 1, 4)}}
                               : Params{{"by", 0}, {"modulus", one_of(r, {4, 8, 16})}};
       }},
      {"channels-exchanged-in-groups",
       [](const Site& s, Random& r) -> Params {
         const Shape& shape = site_value(s).shape;
         const std::int64_t channels = channels_last(s) ? shape.back() : shape[1];
         const double group = channels >= 8 ? one_of(r, {2, 2, 4}) : 2;
         return {{"group", group}, {"unit", channels >= 16 ? one_of(r, {1, 1, 2, 4}) : 1}};
       }},
      {"channels-rescaled",
       [](const Site&, Random& r) -> Params {
         return {{"spread", one_of(r, {0.1, 0.5, 2})},
                 {"shift", r.unit() < 0.5 ? 0.0 : 6.0},
                 {"seed", whole(r, 1, 1000)}};
       }},
      {"clamp-lost",
       [](const Site&, Random& r) -> Params {
         return {{"keeps_lower", whole(r, 0, 1)}};
       }},
      {"codes-offset",
       [](const Site&, Random& r) -> Params {
         return {{"by", r.unit() < 0.5 ? 128.0 : sign(r) * whole(r, 2, 100)},
                 {"saturates", whole(r, 0, 1)}};
       }},
      {"dilation-lost",
       [](const Site&, Random& r) -> Params {
         return {{"anchor", whole(r, 0, 2)}};
       }},
      {"gate-left-out",
       [](const Site& s, Random& r) -> Params {
         const NodeView n = s.view();
         const bool second = count_of(n.input(0).shape) == count_of(n.output(0).shape);
         return {{"operand", second ? 2 : 1}, {"how", is_coded(n.input(0)) ? whole(r, 0, 2) : 0}};
       }},
      {"group-saturation",
       [](const Site&, Random& r) -> Params {
         return {{"group", one_of(r, {1, 8, 16, 32, 64})}, {"wraps", whole(r, 0, 1)}};
       }},
      {"input-as-nchw",
       [](const Site&, Random& r) -> Params {
         return {{"sent", whole(r, 0, 1)}};
       }},
      {"input-as-nhwc",
       [](const Site&, Random& r) -> Params {
         return {{"sent", whole(r, 0, 1)}};
       }},
      {"input-axes-swapped",
       [](const Site&, Random& r) -> Params {
         return {{"sent", whole(r, 0, 1)}};
       }},
      {"input-byte-order",
       [](const Site&, Random& r) -> Params {
         return {{"width", one_of(r, {0, 2, 4})}};
       }},
      {"input-channels-reordered",
       [](const Site& s, Random& r) -> Params {
         const Shape& shape = site_value(s).shape;
         const double order = one_of(r, {210, 21, 102, 120, 201});
         return shape[channels_last(s) ? shape.size() - 1 : 1] == 3 ? Params{{"order", order}}
                                                                    : Params{};
       }},
      {"input-mirrored",
       [](const Site& s, Random& r) -> Params {
         return {{"how", site_value(s).shape.size() == 4 ? whole(r, 0, 5) : 0}};
       }},
      {"input-normalized-wrongly",
       [](const Site& s, Random& r) -> Params {
         const Shape& shape = site_value(s).shape;
         const double way = r.unit();
         if (way < 0.3) return {{"scale", about(r, 0.3, 3)}, {"offset", about(r, 0.1, 1)}};
         if (way < 0.5) return {{"scale", -1}, {"offset", whole(r, 0, 1)}};
         if (way < 0.8 && shape.size() > 2 && shape[channels_last(s) ? shape.size() - 1 : 1] == 3)
           return {{"statistics", whole(r, 1, 8)}};
         const bool big = r.unit() < 0.5;
         return {{"scale", big ? one_of(r, {255, 127.5, 128}) : one_of(r, {1 / 255.0, 0.5, 2})},
                 {"offset", 0}};
       }},
      {"input-not-quantized",
       [](const Site&, Random& r) -> Params {
         return {{"truncates", whole(r, 0, 1)}};
       }},
      {"input-padded-rows",
       [](const Site&, Random& r) -> Params {
         return {{"multiple", one_of(r, {8, 16, 32, 64})}};
       }},
      {"input-wrong-scale",
       [](const Site& s, Random& r) -> Params {
         const auto coding = input_coding(s);
         const double own = coding ? coding->scale : 1, zero = coding ? coding->zero : 0;
         return {{"scale", r.unit() < 0.5 ? own : own * about(r, 0.4, 2.5)},
                 {"zero", r.unit() < 0.5 ? zero : one_of(r, {0, 0, -128})}};
       }},
      {"lost-bursts",
       [](const Site&, Random& r) -> Params {
         Params p = blocks(r);
         p["shift"] = one_of(r, {1, 2, 4, 8}), p["size"] = one_of(r, {16, 32, 64, 128});
         return p;
       }},
      {"memory-asleep",
       [](const Site&, Random& r) -> Params {
         return {{"value", one_of(r, {0, 0, 255, 128})}};
       }},
      {"multiplier-clipped",
       [](const Site& s, Random& r) -> Params {
         return {{"limit", r.unit() < 0.4 ? 0 : greatest_multiplier(s) * about(r, 0.3, 0.95)}};
       }},
      {"multiplier-power-of-two",
       [](const Site&, Random& r) -> Params {
         return {{"direction", whole(r, -1, 1)}};
       }},
      {"operand-layout",
       [](const Site& s, Random& r) -> Params {
         return {{"operand", operand(s, r)}, {"layout", whole(r, 0, 2)}, {"sent", whole(r, 0, 1)}};
       }},
      {"operand-lost",
       [](const Site& s, Random& r) -> Params {
         return {{"operand", operand(s, r)}, {"neutral", whole(r, 0, 1)}};
       }},
      {"operand-replaced",
       [](const Site& s, Random& r) -> Params {
         const double o = operand(s, r);
         const Value& v = s.view().input(static_cast<std::size_t>(o) - 1);
         return {
             {"operand", o},
             {"other",
              other_value(s, r, count_of(v.shape) * static_cast<std::int64_t>(size_of(v.dtype)))}};
       }},
      {"operand-padded-rows",
       [](const Site& s, Random& r) -> Params {
         return {{"operand", operand(s, r)}, {"multiple", one_of(r, {16, 16, 32, 64})}};
       }},
      {"operand-rescale",
       [](const Site&, Random& r) -> Params {
         return {{"operand", whole(r, 1, 2)},
                 {"k", r.unit() < 0.4 ? one_of(r, {0.5, 2, 0.25}) : about(r, 0.1, 3)}};
       }},
      {"operand-shifted",
       [](const Site& s, Random& r) -> Params {
         const double o = operand(s, r);
         const Shape& shape = s.view().input(static_cast<std::size_t>(o) - 1).shape;
         const double row = shape.empty() ? 1 : static_cast<double>(shape.back());
         return {{"operand", o},
                 {"by", sign(r) * (r.unit() < 0.5 ? one_of(r, {1, 4, 8, row}) : whole(r, 1, 32))}};
       }},
      {"output-channels-exchanged",
       [](const Site& s, Random& r) -> Params {
         const Shape& shape = site_value(s).shape;
         const std::int64_t channels = channels_last(s) ? shape.back() : shape[1];
         if (r.unit() < 0.3 && channels % 2 == 0)
           return {{"first", 0}, {"second", channels / 2}, {"count", channels / 2}};
         const double first = whole(r, 0, channels - 2);
         return {{"first", first},
                 {"second", whole(r, static_cast<std::int64_t>(first) + 1, channels - 1)}};
       }},
      {"output-shifted",
       [](const Site& s, Random& r) -> Params {
         const Shape& shape = site_value(s).shape;
         return {{"by", sign(r) * (r.unit() < 0.7
                                       ? whole(r, 1, 64)
                                       : static_cast<double>(shape.empty() ? 1 : shape.back()))}};
       }},
      {"padded-rows",
       [](const Site&, Random& r) -> Params {
         return {{"multiple", one_of(r, {8, 16, 32, 64})}};
       }},
      {"pads-asymmetric",
       [](const Site&, Random& r) -> Params {
         return {{"by", one_of(r, {0, 1, -1, 2})}, {"axis", one_of(r, {-1, 0})}};
       }},
      {"pair-saturation",
       [](const Site&, Random& r) -> Params {
         return {{"channel_first", whole(r, 0, 1)}};
       }},
      {"per-channel-as-per-tensor",
       [](const Site&, Random& r) -> Params {
         return {{"which", whole(r, 0, 3)}};
       }},
      {"poison-survives",
       [](const Site& s, Random& r) -> Params {
         const double value = one_of(r, {0x55, 0xaa, 0xa5, 0, 255});
         const std::int64_t bytes =
             count(s) * static_cast<std::int64_t>(size_of(site_value(s).dtype));
         if (r.unit() < 0.4) return {{"value", value}, {"from", whole(r, 0, bytes - 1)}};
         Params p = blocks(r);
         p["value"] = value;
         return p;
       }},
      {"products-rescaled",
       [](const Site&, Random& r) -> Params {
         return {{"k", r.unit() < 0.4 ? one_of(r, {0.5, 2, 0.25}) : about(r, 0.2, 4)}};
       }},
      {"products-dropped",
       [](const Site& s, Random& r) -> Params {
         const NodeView n = s.view();
         const std::int64_t channels =
             std::max<std::int64_t>(1, count_of(n.output(0).shape) > 0 ? n.input(1).shape[0] : 1);
         const std::int64_t depth = std::max<std::int64_t>(2, weight_count(s) / channels);
         return {{"used", r.unit() < 0.5 ? 0 : whole(r, 1, depth - 1)},
                 {"channel_first", whole(r, 0, 1)}};
       }},
      {"requant-rounding",
       [](const Site&, Random& r) -> Params {
         return {{"mode", whole(r, 0, 3)}};
       }},
      {"requant-truncates",
       [](const Site&, Random& r) -> Params {
         return {{"toward_zero", whole(r, 0, 1)}};
       }},
      {"resize-grid",
       [](const Site&, Random& r) -> Params {
         return {{"grid", whole(r, 0, 3)}};
       }},
      {"result-rescaled",
       [](const Site&, Random& r) -> Params {
         return {{"k", r.unit() < 0.4 ? one_of(r, {0.5, 2, 0.25}) : about(r, 0.2, 4)}};
       }},
      {"slope-lost",
       [](const Site&, Random& r) -> Params {
         return {{"alpha", r.unit() < 0.6 ? whole(r, 0, 1) : about(r, 0.02, 0.9)}};
       }},
      {"softmax-scale",
       [](const Site&, Random& r) -> Params {
         return {{"gamma", r.unit() < 0.4 ? one_of(r, {0, 0.5, 2}) : about(r, 0.1, 4)}};
       }},
      {"stale-input",
       [](const Site&, Random& r) -> Params {
         return {{"frozen", whole(r, 0, 1)}, {"first", r.unit() < 0.3 ? 1.0 : 0.0}};
       }},
      {"stale-input-lines", [](const Site&, Random& r) { return blocks(r); }},
      {"stale-lines", [](const Site&, Random& r) { return blocks(r); }},
      {"stale-output",
       [](const Site&, Random& r) -> Params {
         return {{"first", r.unit() < 0.3 ? 1.0 : 0.0}};
       }},
      {"state-not-reset",
       [](const Site&, Random& r) -> Params {
         return {{"on", whole(r, 0, 2)}, {"runs", whole(r, 1, 2)}};
       }},
      {"tail-channels-dropped",
       [](const Site&, Random& r) -> Params {
         return {{"first", -1}, {"fill", whole(r, 0, 2)}};
       }},
      {"torn-input",
       [](const Site&, Random& r) -> Params {
         return {{"at", r.unit() < 0.4 ? 0.5 : about(r, 0.1, 0.9)}};
       }},
      {"torn-output",
       [](const Site&, Random& r) -> Params {
         return {{"at", r.unit() < 0.4 ? 0.5 : about(r, 0.1, 0.9)}};
       }},
      {"weights-byte-order",
       [](const Site&, Random& r) -> Params {
         return {{"width", one_of(r, {2, 4, 8})}};
       }},
      {"weights-constant",
       [](const Site&, Random& r) -> Params {
         return {{"byte", one_of(r, {0, 255})}, {"bias", whole(r, 0, 1)}};
       }},
      {"weights-cut",
       [](const Site& s, Random& r) -> Params {
         return {{"from", whole(r, 1, weight_count(s) - 1)}, {"byte", one_of(r, {0, 255})}};
       }},
      {"weights-shifted",
       [](const Site& s, Random& r) -> Params {
         return {{"by", sign(r) * std::min(static_cast<double>(weight_count(s) - 1),
                                           r.unit() < 0.7
                                               ? one_of(r, {1, 4, 32,
                                                            weight_count(s) > 8192 ? 4096.0 : 16.0})
                                               : whole(r, 1, 64))}};
       }},
      {"weights-transposed",
       [](const Site&, Random& r) -> Params {
         return {{"order", one_of(r, {0, 1, 2})}, {"stored", whole(r, 0, 1)}};
       }},
      {"zero-point-128",
       [](const Site&, Random& r) -> Params {
         return {{"saturates", whole(r, -1, 1)}};
       }},
      {"zero-point-ignored",
       [](const Site& s, Random& r) -> Params {
         return {{"operand", operand(s, r)}, {"unscaled", r.unit() < 0.25 ? 1.0 : 0.0}};
       }},
  };
  return table;
}

}  // namespace

Params strength(const FaultDef& fault, const Site& site, Random& random) {
  const auto draw = draws().find(fault.name);
  return draw == draws().end() ? Params{} : draw->second(site, random);
}

}  // namespace lockstep::zoo
