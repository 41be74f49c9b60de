#include "diff/printed.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "diff/diff.h"
#include "num/real.h"

namespace lockstep {
namespace {

// How far from the grid, in steps, as many values may lie and not do so by chance: 1 in 390,000,
// and 1 in 10^14.
constexpr std::int64_t some = 4, many = 20;
constexpr double beside_some = 0.02, beside_many = 0.1;
constexpr double last_bits = 1e-5;  // less is how a device multiplies

struct Beside {
  std::int64_t values = 0, off = 0;  // all; those that are not the grid's own float
  double most = 0;                   // the greatest distance, in steps
};

class Grid {
 public:
  explicit Grid(const QuantParams& q, const CodeRange& range)
      : scale_(q.scale_at(0)), low_(range.low - q.zero_at(0)), high_(range.high - q.zero_at(0)) {}

  // The grid's float nearest to x.
  float nearest(double x) const {
    const double n =
        std::clamp(half_even(x / scale_), static_cast<double>(low_), static_cast<double>(high_));
    return static_cast<float>(n) * static_cast<float>(scale_);
  }
  double distance(double x) const { return std::abs(x - static_cast<double>(nearest(x))) / scale_; }

 private:
  double scale_;
  std::int64_t low_, high_;
};

Beside beside(const std::vector<Sample>& device, const std::string& name, const Grid& grid) {
  Beside b;
  for (const Sample& sample : device) {
    const auto it = sample.find(name);
    if (it == sample.end()) continue;
    for (std::int64_t i = 0; i < it->second.count(); ++i) {
      const double x = it->second.number(i);
      if (!std::isfinite(x)) return {};
      ++b.values;
      b.off += static_cast<float>(x) != grid.nearest(x);
      b.most = std::max(b.most, grid.distance(x));
    }
  }
  return b;
}

}  // namespace

std::vector<std::string> restore_printed(const Graph& g, std::vector<Sample>& device) {
  std::vector<std::string> notes;
  if (device.empty()) return notes;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : device[0]) names.push_back(name);
  for (const std::string& name : names) {
    const ValueId id = g.find_value(name);
    const NodeId maker = id == no_id ? no_id : g.value(id).producer;
    if (maker == no_id || g.node(maker).op != "DequantizeLinear" || g.value(id).dtype != DType::f32)
      continue;
    const Value& codes = g.value(g.node(maker).inputs[0]);
    if (device[0].at(name).dtype() != DType::f32 || codes.quant.scale.size() != 1 ||
        !is_integer(codes.dtype))
      continue;
    const Grid grid(codes.quant, code_range(codes.dtype));
    const Beside b = beside(device, name, grid);
    if (b.off == 0 || b.most < last_bits || b.values < some ||
        b.most > (b.values < many ? beside_some : beside_many))
      continue;
    for (Sample& sample : device)
      if (const auto it = sample.find(name); it != sample.end())
        for (std::int64_t i = 0; i < it->second.count(); ++i)
          it->second.set_number(i, static_cast<double>(grid.nearest(it->second.number(i))));
    notes.push_back(
        fmt::format("'{}': {} of {} reals beside their codes' by {:.2g} of a step at most, as a "
                    "print of few digits leaves them: "
                    "taken as those",
                    name, b.off, b.values, b.most));
  }
  return notes;
}

}  // namespace lockstep
