// y[n,o,p] = sum_{t,c} (x[n,g(o)*C + c, p*s - b + t*d] - x_zero) * (w[o,c,t] - w_zero), in int32.
#include "base/text.h"
#include "op/op_codes.h"
#include "op/op_foreign.h"
#include "op/op_window.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"w"}, {"x_zero", Slot::optional}, {"w_zero", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"layout", "NCHW", "axes of x and y"},
    {"group", "1", "input channels are read in so many groups"},
    {"strides", "1", "step of the window on each spatial axis"},
    {"dilations", "1", "step of the taps on each spatial axis"},
    {"pads", "0", "zero points before and after each spatial axis, all befores first"},
};

bool eight_bits(const Value& v) {
  return v.dtype == DType::i8 || v.dtype == DType::u8;
}

constexpr Rule rules[] = {
    {"x and w are int8 or uint8, each zero point of its type and one, or for w one per output "
     "channel",
     [](const NodeView& n) {
       if (!eight_bits(n.input(0)) || !eight_bits(n.input(1)) || n.input(1).shape.empty())
         return false;
       for (const std::size_t i : {2, 3}) {
         if (!n.has_input(i)) continue;
         const std::int64_t count = count_of(n.input(i).shape);
         if (n.input(i).dtype != n.input(i - 2).dtype ||
             (count != 1 && (i == 2 || count != n.input(1).shape[0])))
           return false;
       }
       return true;
     }},
};

std::vector<std::int64_t> kernel_of(const NodeView& n) {
  const Shape& w = n.input(1).shape;
  std::vector<std::int64_t> kernel;
  for (std::size_t d = 2; d < w.size(); ++d) kernel.push_back(w[d]);
  return kernel;
}

Result<Window> plan_of(const NodeView& n) {
  const Shape& w = n.input(1).shape;
  LOCKSTEP_TRY(const Window g, window_of(n, n.input(0).shape, kernel_of(n)));
  const std::int64_t group = n.attrs().integer("group", 1);
  if (group < 1 || w[0] % group != 0 || w[1] * group != g.channels)
    return Error{
        n.where(),
        std::to_string(g.channels) + " channels, group " + std::to_string(group) + ", weights " +
            shape_text(w),
        "channels = group * the weights' input channels, and output channels a multiple of group",
        ""};
  return g;
}

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(
      known_attributes(f, {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}));
  if (!has_input(f, 0) || !has_input(f, 1))
    return foreign_error(f, std::to_string(f.inputs.size()) + " inputs", "x and w");
  Attrs a = f.attrs;
  a.values.erase("kernel_shape");
  a.set("layout", "NCHW");
  LOCKSTEP_CHECK(add_like(f, graph, "ConvInteger", f.inputs, std::move(a)));
  const auto id = static_cast<NodeId>(graph.so_far().nodes().size() - 1);
  return write_out_pads(graph, id, kernel_of({graph.so_far(), graph.node(id)}));
}

constexpr Foreign from[] = {{Format::onnx, "ConvInteger", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Window g, plan_of(n));
  return std::vector<Facts>{{DType::i32, g.output_shape(n.input(1).shape[0]), {}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Window g, plan_of(c.view));
  const Shape& shape = c.view.input(1).shape;
  const auto zero = [&](std::size_t i) {
    return c.in.size() > i && c.in[i] ? integers_of(*c.in[i]) : std::vector<std::int64_t>{0};
  };
  const auto x = centred_codes(*c.in[0], static_cast<std::int32_t>(zero(2)[0])),
             w = centred_codes(*c.in[1], 0);
  const auto w_zero = zero(3);
  const std::int64_t filters = shape[0], channels = shape[1], taps = g.kernel_count();
  const std::int64_t per_group = filters / c.view.attrs().integer("group", 1);
  const auto y = c.out[0].as<std::int32_t>();
  for (std::int64_t n = 0; n < g.batch; ++n)
    for (std::int64_t o = 0; o < filters; ++o) {
      const std::int64_t wz = w_zero[w_zero.size() > 1 ? static_cast<std::size_t>(o) : 0],
                         first = o / per_group * channels;
      each_position(g, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
        std::int64_t sum = 0;
        each_tap(g, d, h, v, [&](std::int64_t at, std::int64_t tap) {
          for (std::int64_t k = 0; k < channels; ++k)
            sum +=
                x[static_cast<std::size_t>(g.index(n, first + k, at, g.in_count(), g.channels))] *
                (w[static_cast<std::size_t>((o * channels + k) * taps + tap)] - wz);
        });
        y[static_cast<std::size_t>(g.index(n, o, position, g.out_count(), filters))] =
            static_cast<std::int32_t>(sum);
      });
    }
  return {};
}

Cost cost(const NodeView& n) {
  const Shape& w = n.input(1).shape;
  return {count_of(n.output(0).shape) * (count_of(w) / std::max<std::int64_t>(1, w[0]))};
}

}  // namespace

extern constinit const OpDef op_conv_integer = {
    .name = "ConvInteger",
    .meaning = "y = sum of (x - x_zero) * (w - w_zero) over the window, in int32",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
