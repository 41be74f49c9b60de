// y[n,o,c] = act(sqrt(mean over the window of x[n,k,c]^2)), positions in the padding left out
#include <cmath>

#include "op/op_codes.h"
#include "op/op_pool.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"kernel_shape", "", "extents of the window"},
    {"layout", "NCHW", "NCHW or NHWC, with any number of spatial axes"},
    {"strides", "1", "step of the window on each spatial axis"},
    {"pads", "0", "positions before and after each spatial axis, which do not count"},
    {"auto_pad", "NOTSET", "SAME_UPPER, SAME_LOWER or VALID instead of pads"},
    {"activation", "none", "fused activation"},
};
constexpr Rule rules[] = {
    {"x is float32", [](const NodeView& n) { return n.input(0).dtype == DType::f32; }},
};

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Window w, pool_window(c.view));
  const Activation act = activation_of(c.view);
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  for (std::int64_t n = 0; n < w.batch; ++n)
    for (std::int64_t ch = 0; ch < w.channels; ++ch)
      each_position(w, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
        float squares = 0, count = 0;
        each_tap(w, d, h, v, [&](std::int64_t at, std::int64_t) {
          const float element =
              x[static_cast<std::size_t>(w.index(n, ch, at, w.in_count(), w.channels))];
          squares += element * element;
          count += 1;
        });
        y[static_cast<std::size_t>(w.index(n, ch, position, w.out_count(), w.channels))] =
            activate(act, count == 0 ? 0.0f : std::sqrt(squares / count));
      });
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return pool_from_tflite(f, graph, "L2Pool");
}

constexpr Foreign from[] = {{Format::tflite, "L2_POOL_2D", from_tflite}};

}  // namespace

extern constinit const OpDef op_l2_pool = {
    .name = "L2Pool",
    .meaning = "y[n,o,c] = act(sqrt(mean over the window of x[n,k,c]^2))",
    .exact = Exactness::rounding,
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = pool_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
