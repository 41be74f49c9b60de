// y[n,o,p] = sum_{t,c} (x[n, g(o)*C + c, p*s - b + t*d] - x_zero) * (w[o,c,t] - w_zero[o]), 32 bits, wrapping (N2)
#include "base/text.h"
#include "op/op_codes.h"
#include "op/op_window.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"w"}, {"x_zero", Slot::optional}, {"w_zero", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"group", "1", "input channels are read in so many groups"},
    {"kernel_shape", "", "as the weights have it"},
    {"strides", "1", "step of the window on each spatial axis"},
    {"dilations", "1", "step of the taps on each spatial axis"},
    {"pads", "0", "zero points before and after each spatial axis"},
    {"auto_pad", "NOTSET", "SAME_UPPER, SAME_LOWER or VALID instead of pads"},
};
constexpr Foreign from[] = {{Format::onnx, "ConvInteger"}};
constexpr Rule rules[] = {
    {"x and w hold 8-bit codes",
     [](const NodeView& n) { return size_of(n.input(0).dtype) == 1 && size_of(n.input(1).dtype) == 1; }},
    {"w has as many axes as x, three at least",
     [](const NodeView& n) { return n.input(1).shape.size() == n.input(0).shape.size() && n.input(1).shape.size() > 2; }},
    {"channels are group times the weights' input channels, output channels a multiple of group",
     [](const NodeView& n) {
       const std::int64_t group = n.attrs().integer("group", 1);
       const Shape &x = n.input(0).shape, &w = n.input(1).shape;
       return group > 0 && w.size() > 1 && x.size() > 1 && x[1] == group * w[1] && w[0] % group == 0;
     }},
    {"x has one zero point, w one or one for each output channel",
     [](const NodeView& n) {
       return (!n.has_input(2) || count_of(n.input(2).shape) == 1) &&
              (!n.has_input(3) || count_of(n.input(3).shape) == 1 || count_of(n.input(3).shape) == n.input(1).shape[0]);
     }},
};

Result<Window> window_of_node(const NodeView& n) {
  const Shape& w = n.input(1).shape;
  return window_of(n, n.input(0).shape, {w.begin() + 2, w.end()});
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Window g, window_of_node(n));
  return std::vector<Facts>{{DType::i32, g.output_shape(n.input(1).shape[0]), {}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Window g, window_of_node(c.view));
  const Shape& ws = c.view.input(1).shape;
  const Tensor *const xz = c.in.size() > 2 ? c.in[2] : nullptr, *const wz = c.in.size() > 3 ? c.in[3] : nullptr;
  const auto x = centred_codes(*c.in[0], xz ? static_cast<std::int32_t>(xz->code(0)) : 0);
  const auto w = centred_codes(*c.in[1], 0);
  const std::int64_t out = ws[0], per_group = out / c.view.attrs().integer("group", 1), taps = g.kernel_count();
  const auto y = c.out[0].as<std::int32_t>();
  for (std::int64_t n = 0; n < g.batch; ++n)
    for (std::int64_t o = 0; o < out; ++o) {
      const std::int64_t zero = wz ? wz->code(wz->count() == 1 ? 0 : o) : 0;
      each_position(g, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
        std::int64_t sum = 0;
        for (std::int64_t ch = 0; ch < ws[1]; ++ch) {
          const auto plane = static_cast<std::size_t>((n * g.channels + o / per_group * ws[1] + ch) * g.in_count());
          const auto kernel = static_cast<std::size_t>((o * ws[1] + ch) * taps);
          each_tap(g, d, h, v, [&](std::int64_t at, std::int64_t tap) {
            sum += x[plane + static_cast<std::size_t>(at)] * (w[kernel + static_cast<std::size_t>(tap)] - zero);
          });
        }
        y[static_cast<std::size_t>((n * out + o) * g.out_count() + position)] = static_cast<std::int32_t>(sum);
      });
    }
  return {};
}

}  // namespace

extern constinit const OpDef op_conv_integer = {
    .name = "ConvInteger",
    .meaning = "y = sum of (x - x_zero) * (w - w_zero) over the window, 32 bits",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
