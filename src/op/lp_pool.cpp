// y[n,c,o] = (sum over the window of |x[n,c,k]|^p)^(1/p)
#include <cmath>

#include "op/op_foreign.h"
#include "op/op_pool.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"kernel_shape", "", "extents of the window"},
    {"p", "2", "the exponent"},
    {"layout", "NCHW", "NCHW or NHWC, with any number of spatial axes"},
    {"strides", "1", "step of the window on each spatial axis"},
    {"dilations", "1", "step of the taps on each spatial axis"},
    {"pads", "0", "positions before and after each spatial axis, which add nothing"},
    {"auto_pad", "NOTSET",
     "SAME_UPPER, SAME_LOWER (without the dilations) or VALID instead of pads"},
    {"ceil_mode", "0", "1: a last window may hang over the end"},
};
constexpr Rule rules[] = {
    {"x is float32", [](const NodeView& n) { return n.input(0).dtype == DType::f32; }},
    {"p is 1 or more", [](const NodeView& n) { return n.attrs().integer("p", 2) >= 1; }},
};
// Each power is rounded to float32 before it is added, tap by tap.
Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Window w, pool_window(c.view));
  const auto p = static_cast<double>(c.view.attrs().integer("p", 2));
  const float root = 1.0f / static_cast<float>(c.view.attrs().integer("p", 2));
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  for (std::int64_t n = 0; n < w.batch; ++n)
    for (std::int64_t ch = 0; ch < w.channels; ++ch)
      each_position(w, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
        float sum = 0;
        each_tap(w, d, h, v, [&](std::int64_t at, std::int64_t) {
          const double element =
              x[static_cast<std::size_t>(w.index(n, ch, at, w.in_count(), w.channels))];
          sum += static_cast<float>(std::pow(std::abs(element), p));
        });
        y[static_cast<std::size_t>(w.index(n, ch, position, w.out_count(), w.channels))] =
            std::pow(sum, root);
      });
  return {};
}

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(
      f, {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "p", "pads", "strides"}));
  LOCKSTEP_CHECK(pads_within_window(f));
  return add_like(f, graph, "LpPool", f.inputs, f.attrs);
}

constexpr Foreign from[] = {{Format::onnx, "LpPool", from_onnx}};

}  // namespace

extern constinit const OpDef op_lp_pool = {
    .name = "LpPool",
    .meaning = "y[n,c,o] = (sum over the window of |x[n,c,k]|^p)^(1/p)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = pool_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
