// Poolings to C.
#include <limits>

#include "emit/any.h"
#include "num/device_form.h"
#include "op/op_codes.h"
#include "op/op_held.h"
#include "op/op_pool.h"

namespace lockstep {
namespace {

Result<void> emit_max_pool(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value& x = v.input(0);
  LOCKSTEP_TRY(const Window g, pool_window(v));
  if (v.node.outputs.size() > 1 && v.node.outputs[1] != no_id)
    return w.unsupported("indices of the greatest");
  w.uses("ls_pool.c");
  w.uses("ls_finish.c");
  if (x.dtype == DType::f32) {
    const Activation act = activation_of(v);
    if (act == Activation::tanh) return w.unsupported("a fused tanh");
    const float most = std::numeric_limits<float>::max();
    const bool open = act == Activation::none;
    write_window(w, g, g.channels);
    // A window of padding alone holds the least number.
    w.field("low", c_float(open ? -most : activate(act, -most)));
    w.field("high", c_float(open ? most : activate(act, most)));
    if (!is_flat(g)) w.uses("ls_window_real.c");
    w.line((is_flat(g) ? "ls_max_pool_f32(" + w.params("ls_pool_real")
                       : "ls_max_volume_f32(" + w.params("ls_max_volume")) +
           ", " + w.in(0, "float") + ", " + w.out(0, "float") + ");");
    return {};
  }
  if (is_narrow(x) ? !is_flat(g) : is_short_code(x)) return write_pool_any(w, g, "ls_max_pool_any");
  if (!is_narrow(x)) return w.unsupported("MaxPool of " + std::string(name_of(x.dtype)));
  const CodeRange range = code_range(x.dtype);
  CodeClamp clamp{static_cast<std::int32_t>(range.low), static_cast<std::int32_t>(range.high)};
  if (v.output(0).quant.quantized()) clamp = clamp_of(v);
  w.field("window", window_text(g, g.channels));
  w.field("low", clamp.low);
  w.field("high", clamp.high);
  w.field("is_unsigned", x.dtype == DType::u8 ? 1 : 0);
  w.line("ls_max_pool_8(" + w.params("ls_pool") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

Result<void> emit_average_pool(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0);
  if (is_real(v)) return write_real_average(w);
  LOCKSTEP_TRY(const Window g, pool_window(v));
  if (!is_short_code(x) || !is_short_code(y) || x.dtype != y.dtype || !w.num().average)
    return w.unsupported("AveragePool of " + std::string(name_of(x.dtype)));
  const CodeClamp clamp = clamp_of(v);
  const bool with_pads = v.attrs().integer("count_include_pad", 0) != 0;
  const AverageSteps steps = average_steps(*w.num().average);
  const bool empty = !with_pads && sees_nothing(g);
  if (!is_narrow(x) || (steps == AverageSteps::of_codes && (empty || !is_flat(g)))) {
    if (steps != AverageSteps::of_codes || with_pads) return w.unsupported("this rounding");
    return write_pool_any(w, g, "ls_average_pool_any");
  }
  if (empty) return w.unsupported("averages of padding alone in float32");
  w.uses("ls_finish.c");
  if (steps == AverageSteps::of_codes && !with_pads) {
    w.uses("ls_pool.c");
    w.field("window", window_text(g, g.channels));
    w.field("low", clamp.low);
    w.field("high", clamp.high);
    w.field("is_unsigned", x.dtype == DType::u8 ? 1 : 0);
    w.line("ls_average_pool_8(" + w.params("ls_pool") + ", " + w.in(0) + ", " + w.out(0) + ");");
    return {};
  }
  if (steps != AverageSteps::of_reals) return w.unsupported("this rounding");
  write_window(w, g, g.channels);
  w.uses(is_flat(g) ? "ls_pool.c" : "ls_average_volume.c");
  // Codes that the runtime holds as uint8: the zero point and the clamp move by 128, the rounding
  // with them.
  const std::int32_t shift = held_shift(v, y);
  w.field("x_zero", x.quant.zero_at(0));
  w.field("x_scale", c_float(static_cast<float>(x.quant.scale_at(0))));
  w.field("y_scale", c_float(static_cast<float>(y.quant.scale_at(0))));
  w.field("y_zero", c_float(static_cast<float>(y.quant.zero_at(0) + shift)));
  w.field("low", clamp.low + shift);
  w.field("high", clamp.high + shift);
  w.field("y_offset", shift);
  w.field("is_unsigned", x.dtype == DType::u8 ? 1 : 0);
  w.field("include_pad", with_pads ? 1 : 0);
  w.line((is_flat(g) ? "ls_average_pool_float_8(" + w.params("ls_average_float")
                     : "ls_average_volume_8(" + w.params("ls_average_volume")) +
         ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

NodeMemory pool_memory(const NodeView& v, const Numerics&) {
  const Shape& y = v.output(0).shape;
  const auto g = pool_window(v);
  if (!g.ok() || sees_nothing(*g)) return {};
  return with_slide({}, slide_of(v, v.attrs().integers("kernel_shape"), y.empty() ? 0 : y.back()));
}

constexpr NodeEmitter table[] = {
    {"MaxPool", pool_memory, emit_max_pool},
    {"AveragePool", pool_memory, emit_average_pool},
};

}  // namespace

std::span<const NodeEmitter> pool_emitters() {
  return table;
}

}  // namespace lockstep
