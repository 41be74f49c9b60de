#include "emit/finish.h"

#include <algorithm>

namespace lockstep {
namespace {

bool all_same(std::span<const Rescale> r) {
  return std::ranges::all_of(r, [&](const Rescale& x) {
    return x.multiplier == r[0].multiplier && x.shift == r[0].shift && x.factor == r[0].factor &&
           x.real == r[0].real;
  });
}

template <class T, class F>
std::string array_of(NodeWriter& w, std::string_view type, std::span<const Rescale> r,
                     const std::string& wish, F&& part) {
  std::vector<T> values;
  for (const Rescale& x : r) values.push_back(static_cast<T>(part(x)));
  return w.constants().add(type, std::span<const T>(values), w.label() + "_" + wish);
}

}  // namespace

Result<void> write_finish(NodeWriter& w, RequantSteps steps, std::span<const Rescale> rescales,
                          std::int32_t zero, std::int32_t low, std::int32_t high) {
  using enum RequantSteps;
  if (steps == other) return w.unsupported("this rounding");
  const bool one = all_same(rescales);
  // Rounded once has one form only, by channel.
  const auto used = one && steps != fixed_once ? rescales.first(1) : rescales;
  std::string function, arrays;
  if (steps == fixed_twice || steps == fixed_once) {
    const bool left = std::ranges::any_of(used, [](const Rescale& r) { return r.shift > 0; });
    function = std::string("ls_finish_fixed") + (steps == fixed_once ? "_once"
                                                 : one               ? "_one"
                                                 : left              ? "_left"
                                                                     : "");
    arrays =
        ".multiplier = " +
        array_of<std::int64_t>(w, "int32_t", used, "multiplier",
                               [](const Rescale& r) { return r.multiplier; }) +
        ", .shift = " + array_of<std::int64_t>(w, "int32_t", used, "shift", [](const Rescale& r) {
          return r.shift;
        });
  } else if (steps == real32) {
    function = one ? "ls_finish_float_one" : "ls_finish_float";
    arrays = ".factor = " + array_of<double>(w, "float", used, "factor",
                                             [](const Rescale& r) { return r.factor; });
  } else {
    function = one ? "ls_finish_double_one" : "ls_finish_double";
    arrays = ".real = " +
             array_of<double>(w, "double", used, "factor", [](const Rescale& r) { return r.real; });
  }
  w.uses("ls_finish.c");
  w.field("finish", function);
  w.field("q", "{" + arrays + ", .zero = " + std::to_string(zero) +
                   ", .low = " + std::to_string(low) + ", .high = " + std::to_string(high) + "}");
  return {};
}

Result<void> write_finish_real(NodeWriter& w, std::span<const float> factors) {
  const std::vector<double> values(factors.begin(), factors.end());
  w.uses("ls_finish.c");
  w.field("finish", "ls_finish_real");
  w.field("q",
          "{.factor = " +
              w.constants().add("float", std::span<const double>(values), w.label() + "_factor") +
              "}");
  return {};
}

std::string count_text(const NodeWriter& w) {
  return std::to_string(count_of(w.view().output(0).shape)) + "u";
}

Result<void> plain_products(const NodeWriter& w) {
  if (w.num().pairs_saturate && w.view().input(0).quant.quantized())
    return w.unsupported("products added in saturating pairs");
  if (w.num().product && w.view().input(0).quant.quantized())
    return w.unsupported("layers computed in pieces");
  return {};
}

std::vector<std::int64_t> pack_rows(std::span<const std::int64_t> rows, std::int64_t depth) {
  const std::int64_t count = depth > 0 ? static_cast<std::int64_t>(rows.size()) / depth : 0;
  const std::int64_t chunks = (depth + 15) / 16, pairs = (count + 1) / 2;
  std::vector<std::int64_t> out(static_cast<std::size_t>(pairs * chunks * 32), 0);
  for (std::int64_t o = 0; o < count; ++o)
    for (std::int64_t k = 0; k < depth; ++k)
      out[static_cast<std::size_t>(((o / 2 * chunks + k / 16) * 2 + o % 2) * 16 + k % 16)] =
          rows[static_cast<std::size_t>(o * depth + k)];
  return out;
}

}  // namespace lockstep
