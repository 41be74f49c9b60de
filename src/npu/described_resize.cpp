// Resizing of codes by the CPU, as its structure describes it: factors, coordinates, rounding
#include <cmath>

#include "npu/described_cells.h"

namespace lockstep::described {
namespace {

// The place in the input that place `at` of the output is taken from; nothing for other rules.
std::optional<double> source_of(const std::string& rule, std::int64_t at, double factor,
                                std::int64_t in, std::int64_t out) {
  const double x = static_cast<double>(at);
  if (rule == "HALF_PIXEL" || (rule == "PYTORCH_HALF_PIXEL" && out > 1))
    return (x + 0.5) / factor - 0.5;
  if (rule == "PYTORCH_HALF_PIXEL") return 0.0;
  if (rule == "ASYMMETRIC") return x / factor;
  if (rule == "ALIGN_CORNERS")
    return out > 1 ? x * static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0.0;
  return std::nullopt;
}

std::optional<double> nearest_of(const std::string& rule, double x) {
  if (rule == "ROUND_PREFER_FLOOR") return std::ceil(x - 0.5);
  if (rule == "ROUND_PREFER_CEIL") return std::floor(x + 0.5);
  if (rule == "FLOOR") return std::floor(x);
  if (rule == "CEIL") return std::ceil(x);
  return std::nullopt;
}

// The two places of one axis that an output place lies between, and the share of the second.
struct Between {
  std::int64_t low = 0, high = 0;
  double share = 0;
};
Result<std::vector<Between>> axis_of(const Call& c, std::size_t axis, double factor) {
  const std::int64_t in = c.in.extent[axis], out = c.out.extent[axis];
  if (!(factor > 0) ||
      std::abs(std::floor(static_cast<double>(in) * factor + 1e-4) - static_cast<double>(out)) > 0)
    return c.wrong(fmt::format("a factor of {} from {} to {}", factor, in, out),
                   "the extent of the output");
  const std::string mode = word(c.info, "mode"), rule = word(c.info, "coord_transf_mode"),
                    round = word(c.info, "nearest_mode");
  std::vector<Between> all;
  for (std::int64_t i = 0; i < out; ++i) {
    const auto x = source_of(rule, i, factor, in, out);
    if (!x)
      return c.wrong("coordinates " + rule,
                     "HALF_PIXEL, PYTORCH_HALF_PIXEL, ASYMMETRIC or ALIGN_CORNERS");
    const auto at = mode == "RESIZE_NEAREST" ? nearest_of(round, *x) : std::optional(*x);
    if (!at)
      return c.wrong("rounding " + round, "ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, FLOOR or CEIL");
    const double held = std::clamp(*at, 0.0, static_cast<double>(in - 1));
    const auto low = static_cast<std::int64_t>(std::floor(held));
    all.push_back({low, std::min(low + 1, in - 1), held - static_cast<double>(low)});
  }
  return all;
}

}  // namespace

Result<void> resize_integer(const Call& c) {
  const std::string mode = word(c.info, "mode");
  if (mode != "RESIZE_LINEAR" && mode != "RESIZE_NEAREST")
    return c.wrong("resizing by " + mode, "RESIZE_LINEAR or RESIZE_NEAREST");
  if (c.in.extent[0] != c.out.extent[0] || c.in.extent[3] != c.out.extent[3])
    return c.wrong(fmt::format("resizing {} x {} channels into {} x {}", c.in.extent[0],
                               c.in.extent[3], c.out.extent[0], c.out.extent[3]),
                   "as many: rows and columns alone are resized");
  LOCKSTEP_TRY(const Quant qx, quant(c.info, "is", "izp", c.in.extent[3], c.memory, c.where));
  LOCKSTEP_TRY(const Quant qy, quant(c.info, "os", "ozp", c.out.extent[3], c.memory, c.where));
  LOCKSTEP_TRY(const Cells factors, cells(c.info, "scales", c.where));
  LOCKSTEP_TRY(const auto factor, load<float>(factors, c.memory, c.where));
  if (factor.size() != 4)
    return c.wrong(fmt::format("{} factors", factor.size()), "4: batch, channels, rows, columns");
  LOCKSTEP_TRY(const auto rows, axis_of(c, 1, static_cast<double>(factor[2])));
  LOCKSTEP_TRY(const auto columns, axis_of(c, 2, static_cast<double>(factor[3])));
  LOCKSTEP_TRY(const auto x, load<std::int64_t>(c.in, c.memory, c.where));
  const auto width = c.in.extent[2], channels = c.in.extent[3];
  std::vector<std::int64_t> y;
  y.reserve(static_cast<std::size_t>(c.out.count()));
  for (std::int64_t b = 0; b < c.out.extent[0]; ++b)
    for (const Between& r : rows)
      for (const Between& q : columns)
        for (std::int64_t k = 0; k < channels; ++k) {
          const auto real = [&](std::int64_t row, std::int64_t column) {
            const auto at = ((b * c.in.extent[1] + row) * width + column) * channels + k;
            const auto ch = static_cast<std::size_t>(k);
            return static_cast<double>(x[static_cast<std::size_t>(at)] - qx.z(ch)) * qx.s(ch);
          };
          const double upper = (1 - q.share) * real(r.low, q.low) + q.share * real(r.low, q.high),
                       lower = (1 - q.share) * real(r.high, q.low) + q.share * real(r.high, q.high);
          const auto ch = static_cast<std::size_t>(k);
          y.push_back(code_of((1 - r.share) * upper + r.share * lower, qy.s(ch), qy.z(ch), c.out));
        }
  c.counts.inexact.push_back(c.where + ": CPU resize by its formula, at most 1 LSB is claimed");
  return store(c.out, y, c.memory, c.where);
}

}  // namespace lockstep::described
