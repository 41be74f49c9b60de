// y[n,c,o] = act(max over the window of x[n,c,p]), padding left out; codes keep their quantization.
#include <algorithm>
#include <limits>

#include "op/op_move.h"
#include "op/op_pool.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}, {"indices", Slot::optional}};
constexpr AttrSpec attrs[] = {
    {"kernel_shape", "", "extents of the window"},
    {"layout", "NCHW", "NCHW or NHWC, with any number of spatial axes"},
    {"strides", "1", "step of the window on each spatial axis"},
    {"dilations", "1", "step of the taps on each spatial axis"},
    {"pads", "0", "positions before and after each spatial axis that hold nothing"},
    {"auto_pad", "NOTSET",
     "SAME_UPPER, SAME_LOWER (without the dilations) or VALID instead of pads"},
    {"ceil_mode", "0", "1: a last window may hang over the end"},
    {"storage_order", "0", "of indices: 1 counts the last two axes column by column"},
    {"activation", "none", "fused activation"},
    {"opset", "12",
     "ONNX opset, where it is an older one: before 12 runtimes leave the operator in float"},
};

// Index of a flat input position in the whole tensor, as ONNX's second output counts.
std::int64_t flat_index(const Window& w, std::int64_t n, std::int64_t c, std::int64_t at,
                        bool column_major) {
  if (column_major) {
    const std::int64_t plane = w.in[1] * w.in[2], inside = at % plane;
    at = at / plane * plane + inside % w.in[2] * w.in[1] + inside / w.in[2];
  }
  return w.index(n, c, at, w.in_count(), w.channels);
}

template <class T>
void pool(EvalContext& c, const Window& w, T low, T high) {
  const auto x = c.in[0]->as<T>();
  const auto y = c.out[0].as<T>();
  Tensor* const indices =
      c.out.size() > 1 && c.out[1].count() == c.out[0].count() ? &c.out[1] : nullptr;
  const bool column_major = c.view.attrs().integer("storage_order", 0) == 1;
  for (std::int64_t n = 0; n < w.batch; ++n)
    for (std::int64_t ch = 0; ch < w.channels; ++ch)
      each_position(w, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
        T best = std::numeric_limits<T>::lowest();
        std::int64_t where = -1;
        each_tap(w, d, h, v, [&](std::int64_t at, std::int64_t) {
          const T value = x[static_cast<std::size_t>(w.index(n, ch, at, w.in_count(), w.channels))];
          if (where < 0 || value > best) best = value, where = at;
        });
        const auto out =
            static_cast<std::size_t>(w.index(n, ch, position, w.out_count(), w.channels));
        y[out] = best < low ? low : best > high ? high : best;
        if (indices) indices->as<std::int64_t>()[out] = flat_index(w, n, ch, where, column_major);
      });
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(auto facts, pool_facts(n));
  if (n.node.outputs.size() > 1) facts.push_back({DType::i64, facts[0].shape, {}});
  return facts;
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Window w, pool_window(c.view));
  with_type(c.in[0]->dtype(), [&](auto type) {
    using T = decltype(type);
    T low = std::numeric_limits<T>::lowest(), high = std::numeric_limits<T>::max();
    if constexpr (std::is_same_v<T, float>) {
      const Activation act = activation_of(c.view);
      if (act != Activation::none)
        low = activate(act, low), high = activate(act, high);
      else
        low = -std::numeric_limits<T>::infinity(), high = std::numeric_limits<T>::infinity();
    } else if (c.view.output(0).quant.quantized()) {
      const CodeClamp clamp = clamp_of(c.view);
      low = static_cast<T>(clamp.low);
      high = static_cast<T>(clamp.high);
    }
    pool<T>(c, w, low, high);
  });
  return {};
}

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(pads_within_window(f));
  Attrs attrs_as_written = f.attrs;
  if (f.version < 12) attrs_as_written.set("opset", std::int64_t{f.version});
  return add_like(f, graph, "MaxPool", f.inputs, std::move(attrs_as_written));
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return pool_from_tflite(f, graph, "MaxPool");
}

constexpr Foreign from[] = {{Format::onnx, "MaxPool", from_onnx},
                            {Format::tflite, "MAX_POOL_2D", from_tflite}};

}  // namespace

extern constinit const OpDef op_max_pool = {
    .name = "MaxPool",
    .meaning = "y = act(max of x over the window)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
