// Operators on float32 to C.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "emit/finish.h"
#include "emit/magnitude.h"
#include "emit/window.h"
#include "op/op_codes.h"

namespace lockstep {

bool is_real(const NodeView& v) {
  return v.input(0).dtype == DType::f32 && v.output(0).dtype == DType::f32;
}

namespace {

struct Bounds {
  std::string low, high;
};
Result<Bounds> bounds_of(const NodeWriter& w) {
  const Activation act = activation_of(w.view());
  if (act == Activation::tanh) return w.unsupported("a fused tanh");
  constexpr float most = std::numeric_limits<float>::max();
  const bool above = act == Activation::none || act == Activation::relu;
  return Bounds{act == Activation::none ? "-INFINITY" : c_float(activate(act, -most)),
                above ? "INFINITY" : c_float(activate(act, most))};
}

}  // namespace

Result<void> write_bounds(NodeWriter& w) {
  LOCKSTEP_TRY(const Bounds b, bounds_of(w));
  w.field("low", b.low), w.field("high", b.high);
  return {};
}

Result<void> write_activation(NodeWriter& w) {
  if (activation_of(w.view()) == Activation::none) return {};
  LOCKSTEP_TRY(const Bounds b, bounds_of(w));
  w.uses("ls_map.c");
  w.line("ls_hold_f32(" + b.low + ", " + b.high + ", " + w.out(0, "float") + ", " +
         std::to_string(count_of(w.view().output(0).shape)) + "u);");
  return {};
}

// Sums, differences, products, and quotients by one number: by vectors where these round alike.
static bool pairs_by_vectors(const NodeView& v) {
  const std::string& op = v.node.op;
  const bool divides = op == "Div";
  if (activation_of(v) != Activation::none) return false;
  if (!divides && op != "Add" && op != "Sub" && op != "Mul") return false;
  const auto a = magnitude_of(v.graph, v.node.inputs[0]),
             b = magnitude_of(v.graph, v.node.inputs[1]),
             y = magnitude_of(v.graph, v.node.outputs[0]);
  if (!a || !b || !y || !a->vectors_are_exact() || !b->vectors_are_exact() ||
      !y->vectors_are_exact())
    return false;
  // The exact remainder of a quotient has 46 bits less.
  const bool one = v.constant(1) && v.constant(1)->count() == 1 && v.constant(1)->number(0) != 0;
  return !divides || (one && a->least >= -60 && b->least >= -40 && b->most <= 40);
}

Result<void> write_real_binary(NodeWriter& w, const std::string& function) {
  const NodeView& v = w.view();
  if (v.input(1).dtype != DType::f32)
    return w.unsupported(v.node.op + " of float32 and " + std::string(name_of(v.input(1).dtype)));
  LOCKSTEP_CHECK(write_bounds(w));
  LOCKSTEP_CHECK(write_spread(w));
  if (pairs_by_vectors(v)) w.field("vectors", 1);
  w.uses("ls_real.c");
  w.line(function + "(" + w.params("ls_binary_real") + ", " + w.in(0, "float") + ", " +
         w.in(1, "float") + ", " + w.out(0, "float") + ");");
  return {};
}

Result<void> write_real_map(NodeWriter& w, const std::string& function) {
  w.uses("ls_real.c");
  w.line(function + "(" + w.in(0, "float") + ", " + w.out(0, "float") + ", " +
         std::to_string(count_of(w.view().output(0).shape)) + "u);");
  return {};
}

// How a float convolution's sums are cut: N36 in blocks of 16 channels, 128 for a 1x1 window,
// single ones for an input of few channels; else N30 to N32 and N34. Nothing: another order.
struct Order {
  std::string name;
  std::int64_t block = 0;
};

static bool all_one(const Window& g, bool with_dilations) {
  constexpr Window::Axes ones{1, 1, 1};
  return g.strides == ones && (!with_dilations || g.dilations == ones);
}

static std::optional<Order> order_of(const NodeView& v, const Window& g) {
  const Shape& weights = v.input(1).shape;
  const std::int64_t group = v.attrs().integer("group", 1), channels = weights[1],
                     depth = channels * g.kernel_count(), out = g.out_count(),
                     filters = weights[0] / group;
  constexpr Window::Axes none{0, 0, 0};
  const bool pads = g.begin != none || g.end != none;
  if (v.attrs().text("kernel", "") == "blocked")
    return Order{"LS_CHANNEL_BLOCKS", group == 1 && channels < 16      ? 1
                                      : g.kernel_count() == 1 && !pads ? 128
                                                                       : 16};
  if (channels == 1 && filters == 2 && g.kernel[1] == 7 && g.kernel[2] == 7 && g.spatial_rank == 2)
    return std::nullopt;  // N35
  const bool whole = g.kernel_count() == 1 && !pads && all_one(g, false);
  // The input is the product's operand as it lies: turned where a window has whole rows.
  const bool lies = !whole && !pads && all_one(g, true) && channels == 1 && g.spatial_rank <= 2;
  const bool rows = lies && g.kernel[2] == g.in[2],
             columns = lies && !rows && g.kernel[1] == g.in[1] && g.kernel[2] == 1;
  const std::int64_t step =
      rows || columns ? g.in[2] : out;  // from one row of the operand to the next
  Order order{"LS_PIECES", 128};
  if (filters == 1)
    order.name = rows ? "LS_EIGHTS" : "LS_FOURS";
  else if (out == 1 && step == 1)
    order.name = "LS_EIGHTS_ACROSS";
  if (out < depth)
    for (std::int64_t width = 128; width > 16 && width / 2 >= out; width /= 2) order.block *= 2;
  if ((whole || columns) && filters == 1) order.block = std::max<std::int64_t>(depth, 1);
  return order;
}

// Sums of products with such numbers are never subnormal, which Helium takes for zero.
static bool large_enough(const Tensor& t) {
  return std::ranges::all_of(t.as<float>(), [](float v) {
    return v == 0 || (std::isfinite(v) && std::abs(v) >= 0x1p-40f);
  });
}

Result<void> write_real_conv(NodeWriter& w) {
  const NodeView& v = w.view();
  if (!v.constant(1) || v.input(1).dtype != DType::f32 || (v.has_input(2) && !v.constant(2)))
    return w.unsupported("Conv of float32 with computed or coded weights");
  LOCKSTEP_TRY(const Window g, window_of(v, v.input(0).shape, window_kernel(v)));
  if (!w.num().real.convolution || v.attrs().text("layout", "NCHW") != "NCHW" ||
      v.attrs().text("weights", "OIHW") != "OIHW") {
    const Filters f = filters_of(v);
    const std::vector<double> weights(f.reals.begin(), f.reals.end());
    w.field("group", f.group);
    return write_real_window(w, g, weights, f.outputs, false);
  }
  if (activation_of(v) != Activation::none) return w.unsupported("a fused activation");
  const auto order = order_of(v, g);
  if (!order) return w.unsupported("Conv of float32 with windows of 7x7 and two filters a channel");
  write_window(w, g, v.input(1).shape[0]);
  w.field("group", v.attrs().integer("group", 1));
  w.field("block", order->block);
  w.field("order", order->name);
  w.field("vectors",
          large_enough(*v.constant(1)) && (!v.constant(2) || large_enough(*v.constant(2))) ? 1 : 0);
  w.field("weights", w.constants().add_tensor(*v.constant(1), w.label() + "_weights"));
  w.field("bias",
          v.constant(2) ? w.constants().add_tensor(*v.constant(2), w.label() + "_bias") : "NULL");
  w.uses("ls_conv_real.c"), w.uses("ls_conv_real_helium.c");
  w.line("ls_conv_f32(" + w.params("ls_conv_real") + ", " + w.in(0, "float") + ", " +
         w.out(0, "float") + ");");
  return {};
}

namespace {

NodeMemory in_place(const NodeView&, const Numerics&) {
  return {0, {{0, 0}}};
}

// One factor and one term for each channel, formed as the operator forms them.
Result<void> emit_batch_normalization(NodeWriter& w) {
  const NodeView& v = w.view();
  for (std::size_t i = 1; i < 5; ++i)
    if (!v.constant(i)) return w.unsupported("computed statistics");
  const Shape& x = v.input(0).shape;
  const bool last = v.attrs().text("layout", "NCHW") == "NHWC";
  const std::int64_t channels = last ? x.back() : x[1],
                     outer = last ? count_of(x) / channels : x[0];
  const auto part = [&](std::size_t i) { return v.constant(i)->as<float>(); };
  const auto epsilon = static_cast<float>(v.attrs().real("epsilon", 1e-5f));
  std::vector<double> factor, term;
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    const float f = part(1)[c] * (1 / std::sqrt(part(4)[c] + epsilon));
    factor.push_back(f);
    term.push_back(part(2)[c] - part(3)[c] * f);
  }
  // A step of the sum is no less than the last bit of the product or of the term.
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const double f : factor)
    least = std::min(least, std::abs(f)), most = std::max(most, std::abs(f));
  const auto in = magnitude_of(v.graph, v.node.inputs[0]);
  const bool vectors = in && in->vectors_are_exact() && in->least >= -40 && in->most <= 40 &&
                       least >= 0x1p-30 && most <= 0x1p30 &&
                       std::ranges::all_of(term, [](double t) {
                         return t == 0 || (std::abs(t) >= 0x1p-70 && std::abs(t) <= 0x1p70);
                       });
  w.uses("ls_real.c");
  w.line("ls_affine_f32(" +
         w.constants().add("float", std::span<const double>(factor), w.label() + "_factor") + ", " +
         w.constants().add("float", std::span<const double>(term), w.label() + "_term") + ", " +
         std::to_string(outer) + ", " + std::to_string(channels) + ", " +
         std::to_string(count_of(x) / (outer * channels)) + ", " + (vectors ? "1, " : "0, ") +
         w.in(0, "float") + ", " + w.out(0, "float") + ");");
  return {};
}

constexpr NodeEmitter table[] = {
    {"BatchNormalization", in_place, emit_batch_normalization},
};

}  // namespace

std::span<const NodeEmitter> real_emitters() {
  return table;
}

}  // namespace lockstep
