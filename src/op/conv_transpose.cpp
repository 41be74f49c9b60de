// y[n,o,p*s - b + t*d] = act(bias[o] + sum_{p,t,c} x[n,g(o)*C + c,p] * w[c,o,t]); on codes x - x_zero,
// w - w_zero, requantized by x_scale * w_scale[o] / y_scale.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "op/op_codes.h"
#include "op/op_foreign.h"
#include "op/op_transposed.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"w"}, {"bias", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"layout", "NCHW", "axes of x and y: NCHW or NHWC, with any number of spatial axes"},
    {"weights", "IOHW", "axes of w: IOHW or OHWI"},
    {"group", "1", "input channels are read in so many groups"},
    {"strides", "1", "distance of the windows on each spatial axis of y"},
    {"dilations", "1", "step of the taps on each spatial axis of y"},
    {"pads", "0", "what is cut off before and after each spatial axis of y, all befores first"},
    {"shape", "", "spatial extents of y"},
    {"beyond", "0", "1: SAME padding and strides beyond the window"},
    {"kernel", "", "left: rounded by LiteRT's own kernel where XNNPACK does not take the node (N55, N56)"},
    {"activation", "none", "fused activation"},
};

using Axes = std::array<std::int64_t, 3>;

// Brought to three spatial axes, leading ones are 1.
struct Plan {
  std::int64_t batch = 1, group = 1, channels = 1, filters = 1;  // the latter two per group
  Axes in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, strides{1, 1, 1}, dilations{1, 1, 1}, begin{0, 0, 0};
  bool channels_last = false, filters_first = false;
  std::size_t rank = 0;

  static std::int64_t product(const Axes& a) { return a[0] * a[1] * a[2]; }
  std::int64_t taps() const { return product(kernel); }
  std::int64_t x_at(std::int64_t n, std::int64_t c, std::int64_t p) const {
    const std::int64_t all = channels * group, positions = product(in);
    return channels_last ? (n * positions + p) * all + c : (n * all + c) * positions + p;
  }
  std::int64_t y_at(std::int64_t n, std::int64_t o, std::int64_t p) const {
    const std::int64_t all = filters * group, positions = product(out);
    return channels_last ? (n * positions + p) * all + o : (n * all + o) * positions + p;
  }
  std::int64_t w_at(std::int64_t g, std::int64_t c, std::int64_t o, std::int64_t t) const {
    return filters_first ? (o * taps() + t) * channels + c : ((g * channels + c) * filters + o) * taps() + t;
  }
};

Result<Axes> three(const NodeView& n, const char* name, std::vector<std::int64_t> list, std::size_t rank, std::int64_t fallback,
                   std::int64_t least) {
  if (list.empty()) list.assign(rank, fallback);
  Axes axes;
  axes.fill(fallback);
  if (list.size() != rank) return Error{n.where(), std::string(name) + " " + shape_text(list), std::to_string(rank) + " numbers", ""};
  for (std::size_t i = 0; i < rank; ++i) {
    if (list[i] < least || list[i] > (1 << 20)) return Error{n.where(), std::string(name) + " " + shape_text(list), "numbers up to 2^20", ""};
    axes[3 - rank + i] = list[i];
  }
  return axes;
}

Result<Plan> plan_of(const NodeView& n) {
  const Shape &x = n.input(0).shape, &w = n.input(1).shape;
  const Attrs& a = n.attrs();
  if (x.size() < 3 || x.size() > 5 || w.size() != x.size())
    return Error{n.where(), "x " + shape_text(x) + ", w " + shape_text(w), "as many axes on both, one to three spatial", ""};
  Plan p;
  const std::size_t rank = p.rank = x.size() - 2;
  p.channels_last = a.text("layout", "NCHW") == "NHWC";
  p.filters_first = a.text("weights", "IOHW") == "OHWI";
  p.batch = x[0];
  p.group = a.integer("group", 1);
  const std::int64_t all = p.channels_last ? x.back() : x[1];
  const auto spatial = [&](const Shape& s, std::size_t first) {
    return std::vector<std::int64_t>(s.begin() + static_cast<std::ptrdiff_t>(first), s.begin() + static_cast<std::ptrdiff_t>(first + rank));
  };
  if (p.group < 1 || all % p.group != 0 || (p.filters_first && p.group != 1) || (p.filters_first ? w.back() : w[0]) != all)
    return Error{n.where(), std::to_string(all) + " channels, group " + std::to_string(p.group) + ", weights " + shape_text(w),
                 "weights of as many input channels, a multiple of group", ""};
  p.channels = all / p.group;
  p.filters = p.filters_first ? w[0] : w[1];
  LOCKSTEP_TRY(p.in, three(n, "x", spatial(x, p.channels_last ? 1 : 2), rank, 1, 1));
  LOCKSTEP_TRY(p.kernel, three(n, "kernel", spatial(w, p.filters_first ? 1 : 2), rank, 1, 1));
  LOCKSTEP_TRY(p.strides, three(n, "strides", a.integers("strides"), rank, 1, 1));
  LOCKSTEP_TRY(p.dilations, three(n, "dilations", a.integers("dilations"), rank, 1, 1));
  auto pads = a.integers("pads", std::vector<std::int64_t>(2 * rank, 0));
  if (pads.size() != 2 * rank) return Error{n.where(), "pads " + shape_text(pads), std::to_string(2 * rank) + " numbers", ""};
  pads.resize(rank);
  LOCKSTEP_TRY(p.begin, three(n, "pads", pads, rank, 0, 0));
  LOCKSTEP_TRY(p.out, three(n, "shape", a.integers("shape"), rank, 1, 1));
  return p;
}

// Calls visit(position in x, tap, position in y), taps outermost, both ascending.
template <class Visit>
void each_meeting(const Plan& p, Visit&& visit) {
  const std::int64_t positions = Plan::product(p.in), taps = p.taps();
  const auto unfold = [](std::int64_t flat, const Axes& s) { return Axes{flat / (s[1] * s[2]), flat / s[2] % s[1], flat % s[2]}; };
  for (std::int64_t t = 0; t < taps; ++t) {
    const Axes k = unfold(t, p.kernel);
    for (std::int64_t i = 0; i < positions; ++i) {
      const Axes at = unfold(i, p.in);
      std::int64_t y = 0;
      bool inside = true;
      for (std::size_t d = 0; d < 3; ++d) {
        const std::int64_t place = at[d] * p.strides[d] - p.begin[d] + k[d] * p.dilations[d];
        inside = inside && place >= 0 && place < p.out[d];
        y = y * p.out[d] + place;
      }
      if (inside) visit(i, t, y);
    }
  }
}

// Sums of products, first over the channels, then over the taps. add(n, o, position in y, sum).
template <class Sum, class T, class Add>
void spread(const Plan& p, const T* x, const T* w, Add&& add) {
  for (std::int64_t n = 0; n < p.batch; ++n)
    for (std::int64_t g = 0; g < p.group; ++g)
      for (std::int64_t o = 0; o < p.filters; ++o)
        each_meeting(p, [&](std::int64_t i, std::int64_t t, std::int64_t y) {
          Sum sum = 0;
          for (std::int64_t c = 0; c < p.channels; ++c)
            sum += static_cast<Sum>(x[p.x_at(n, g * p.channels + c, i)]) * static_cast<Sum>(w[p.w_at(g, c, o, t)]);
          add(n, g * p.filters + o, y, sum);
        });
}

// The same through the arithmetic's matrix product: columns[o,t,i] = sum_c w[c,o,t] * x[c,i].
template <class Add>
void spread_by_matrix(const Plan& p, const FloatPolicy& real, const float* x, const float* w, Add&& add) {
  const std::int64_t positions = Plan::product(p.in), rows = p.filters * p.taps();
  std::vector<float> columns(static_cast<std::size_t>(rows * positions));
  for (std::int64_t n = 0; n < p.batch; ++n)
    for (std::int64_t g = 0; g < p.group; ++g) {
      MatrixProblem m{rows, positions, p.channels, w + g * p.channels * rows, x + p.x_at(n, g * p.channels, 0), columns.data()};
      m.a_transposed = true;
      real.matrix(m);
      for (std::int64_t o = 0; o < p.filters; ++o)
        each_meeting(p, [&](std::int64_t i, std::int64_t t, std::int64_t y) {
          add(n, g * p.filters + o, y, columns[static_cast<std::size_t>((o * p.taps() + t) * positions + i)]);
        });
    }
}

Result<void> eval_float(EvalContext& c, const Plan& p) {
  const auto y = c.out[0].as<float>();
  const auto x = c.in[0]->as<float>(), w = c.in[1]->as<float>();
  std::ranges::fill(y, 0.f);  // memory of a run before may hold anything
  const auto add = [&](std::int64_t n, std::int64_t o, std::int64_t at, float sum) { y[static_cast<std::size_t>(p.y_at(n, o, at))] += sum; };
  if (c.num.real.matrix && !p.channels_last && !p.filters_first)
    spread_by_matrix(p, c.num.real, x.data(), w.data(), add);
  else spread<float>(p, x.data(), w.data(), add);
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const Activation act = activation_of(c.view);
  for (std::int64_t n = 0; n < p.batch; ++n)
    for (std::int64_t o = 0; o < p.filters * p.group; ++o)
      for (std::int64_t at = 0; at < Plan::product(p.out); ++at) {
        float& element = y[static_cast<std::size_t>(p.y_at(n, o, at))];
        if (bias) element += bias->as<float>()[static_cast<std::size_t>(o)];
        element = activate(act, element);
      }
  return {};
}

Result<void> eval_codes(EvalContext& c, const Plan& p) {
  const Value &xv = c.view.input(0), &wv = c.view.input(1), &yv = c.view.output(0);
  const RequantPolicy* const policy = transposed_policy(c.view, c.num);
  const bool wide = xv.dtype == DType::i16;
  if (!policy || (wide && !policy->apply_wide)) return no_policy(c.view, "ConvTranspose");
  const auto x = centred_codes(*c.in[0], xv.quant.zero_at(0)), w = centred_codes(*c.in[1], wv.quant.zero_at(0));
  std::vector<std::int64_t> sums(static_cast<std::size_t>(c.out[0].count()), 0);
  spread<std::int64_t>(p, x.data(), w.data(), [&](std::int64_t n, std::int64_t o, std::int64_t at, std::int64_t sum) {
    sums[static_cast<std::size_t>(p.y_at(n, o, at))] += sum;
  });
  const Tensor* const bias = c.in.size() > 2 ? c.in[2] : nullptr;
  const CodeClamp clamp = clamp_of(c.view);
  for (std::int64_t o = 0; o < p.filters * p.group; ++o) {
    const Rescale r = policy->prepare(xv.quant.scale_at(0), wv.quant.scale_at(static_cast<std::size_t>(o)), yv.quant.scale_at(0));
    for (std::int64_t n = 0; n < p.batch; ++n)
      for (std::int64_t at = 0; at < Plan::product(p.out); ++at) {
        const std::int64_t i = p.y_at(n, o, at), sum = sums[static_cast<std::size_t>(i)] + (bias ? bias->code(o) : 0);
        const std::int64_t code = wide ? policy->apply_wide(sum, r) : policy->apply(static_cast<std::int32_t>(sum), r);
        store_code(c.out[0], i, clamp_code(code + yv.quant.zero_at(0), clamp.low, clamp.high));
      }
  }
  return {};
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Plan p, plan_of(n));
  const std::int64_t filters = p.filters * p.group;
  if (n.has_input(2) && count_of(n.input(2).shape) != filters)
    return Error{n.where(), "a bias of shape " + shape_text(n.input(2).shape), std::to_string(filters) + " elements", ""};
  if (n.has_input(2) && n.input(0).dtype == DType::f32 && n.input(2).dtype != DType::f32)
    return Error{n.where(), "a bias of type " + std::string(name_of(n.input(2).dtype)), "float32 as x", ""};
  Shape y{p.batch};
  if (!p.channels_last) y.push_back(filters);
  y.insert(y.end(), p.out.end() - static_cast<std::ptrdiff_t>(p.rank), p.out.end());
  if (p.channels_last) y.push_back(filters);
  return std::vector<Facts>{{code_type(n), y, {}}};
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Plan p, plan_of(c.view));
  const Value &x = c.view.input(0), &w = c.view.input(1);
  if (is_code(x) && is_code(w) && is_code(c.view.output(0))) return eval_codes(c, p);
  if (x.dtype == DType::f32 && w.dtype == DType::f32) return eval_float(c, p);
  return Error{c.view.where(), "x " + std::string(name_of(x.dtype)) + ", w " + std::string(name_of(w.dtype)),
               "float32 throughout, or codes throughout", ""};
}

Cost cost(const NodeView& n) { return {count_of(n.input(0).shape) * (count_of(n.input(1).shape) / std::max<std::int64_t>(1, n.input(1).shape[0]))}; }

// Pads and extents of y from output_shape, auto_pad or pads, as ONNX has them.
Result<void> set_geometry(const ForeignNode& f, const Shape& x, const Shape& w, Attrs& a) {
  const std::size_t rank = x.size() - 2;
  const auto ones = std::vector<std::int64_t>(rank, 1), zeros = std::vector<std::int64_t>(rank, 0);
  const auto strides = f.attrs.integers("strides", ones), dilations = f.attrs.integers("dilations", ones);
  const auto extra = f.attrs.integers("output_padding", zeros), wish = f.attrs.integers("output_shape");
  auto pads = f.attrs.integers("pads", std::vector<std::int64_t>(2 * rank, 0));
  const std::string rule = f.attrs.text("auto_pad", "NOTSET");
  const auto wrong = [&](const char* name) { return Error{f.where, std::string("attribute '") + name + "'", "small numbers, one per spatial axis", ""}; };
  const auto fits = [&](const std::vector<std::int64_t>& list, std::size_t count) {
    return list.size() == count && std::ranges::all_of(list, [](std::int64_t v) { return v >= 0 && v <= (1 << 20); });
  };
  if (!fits(strides, rank)) return wrong("strides");
  if (!fits(dilations, rank)) return wrong("dilations");
  if (!fits(extra, rank)) return wrong("output_padding");
  if (!fits(pads, 2 * rank)) return wrong("pads");
  if (!wish.empty() && wish.size() != rank && wish.size() != rank + 2) return wrong("output_shape");
  std::vector<std::int64_t> shape(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    if (x[i + 2] > (1 << 24) || w[i + 2] > (1 << 20)) return wrong("kernel_shape");
    const std::int64_t full = strides[i] * (x[i + 2] - 1) + extra[i] + (w[i + 2] - 1) * dilations[i] + 1;
    const bool same = rule == "SAME_UPPER" || rule == "SAME_LOWER";
    if (!wish.empty()) shape[i] = wish[wish.size() - rank + i];
    else if (same) shape[i] = x[i + 2] * strides[i];
    else if (rule == "VALID") shape[i] = full;
    else shape[i] = full - pads[i] - pads[rank + i];
    if (shape[i] < 1 || shape[i] > (1 << 24)) return Error{f.where, "an output of extent " + std::to_string(shape[i]), "a positive extent", ""};
    if (wish.empty() && !same) {
      if (rule == "VALID") pads[i] = pads[rank + i] = 0;
      continue;
    }
    const std::int64_t total = std::max<std::int64_t>(0, full - shape[i]);
    if (wish.empty()) shape[i] = full - total;  // a stride beyond the window leaves nothing to cut
    pads[i] = rule == "SAME_UPPER" ? total / 2 : total - total / 2;
    pads[rank + i] = total - pads[i];
  }
  a.set("strides", strides);
  a.set("dilations", dilations);
  a.set("pads", std::move(pads));
  a.set("shape", std::move(shape));
  return {};
}

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"auto_pad", "dilations", "group", "kernel_shape", "output_padding", "output_shape", "pads", "strides"}));
  if (!has_input(f, 0) || !has_input(f, 1)) return foreign_error(f, std::to_string(f.inputs.size()) + " inputs", "input, weights and bias");
  const Shape x = input_of(f, graph, 0).shape, w = input_of(f, graph, 1).shape;
  if (x.size() < 3 || w.size() != x.size()) return foreign_error(f, "x " + shape_text(x) + ", w " + shape_text(w), "as many axes on both, three at least");
  const std::vector<std::int64_t> kernel(w.begin() + 2, w.end());
  if (f.attrs.integers("kernel_shape", kernel) != kernel)
    return foreign_error(f, "kernel_shape " + shape_text(f.attrs.integers("kernel_shape")), shape_text(kernel) + " as the weights have");
  Attrs a;
  a.set("layout", "NCHW");
  a.set("group", f.attrs.integer("group", 1));
  LOCKSTEP_CHECK(set_geometry(f, x, w, a));
  return add_like(f, graph, "ConvTranspose", f.inputs, std::move(a));
}

// The shape of y: a constant operand, or what the file says of y where the operand is fed.
Result<Shape> wished_shape(const ForeignNode& f, GraphBuilder& graph) {
  const Shape known = f.outputs.empty() || f.outputs[0] == no_id ? Shape{} : graph.value(f.outputs[0]).shape;
  const bool settled = known.size() == 4 && std::ranges::all_of(known, [](std::int64_t e) { return e > 0; });
  if (settled && !input_of(f, graph, 0).constant) return known;
  LOCKSTEP_TRY(const Tensor* const wish, constant_input(f, graph, 0, "output_shape"));
  Shape y;
  for (std::int64_t i = 0; i < wish->count(); ++i) y.push_back(wish->code(i));
  return y;
}

// Operands: the shape of y, weights, x, bias. The pads are those of the convolution from y to x.
Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  if (!has_input(f, 0) || !has_input(f, 1) || !has_input(f, 2)) return foreign_error(f, std::to_string(f.inputs.size()) + " inputs", "shape, weights, input and bias");
  LOCKSTEP_TRY(const Shape y, wished_shape(f, graph));
  const Shape x = input_of(f, graph, 2).shape, w = input_of(f, graph, 1).shape;
  if (x.size() != 4 || w.size() != 4 || y.size() != 4) return foreign_error(f, "x " + shape_text(x) + ", w " + shape_text(w), "four axes each");
  Node node = node_from(f, "ConvTranspose");
  node.inputs = {f.inputs[2], f.inputs[1]};
  if (has_input(f, 3)) node.inputs.push_back(f.inputs[3]);
  const std::vector<std::int64_t> strides{f.attrs.integer("stride_h", 0), f.attrs.integer("stride_w", 0)};
  const bool valid = f.attrs.text("padding", "SAME") == "VALID";
  std::vector<std::int64_t> shape, pads(4, 0);
  for (std::size_t a = 0; a < 2; ++a) {
    const std::int64_t out = y[a + 1], k = w[a + 1], s = strides[a];
    if (s < 1 || out < 1 || out > (1 << 24)) return foreign_error(f, "stride " + std::to_string(s) + ", extent " + std::to_string(out), "positive numbers");
    const std::int64_t steps = valid ? (out - k + s) / s : (out + s - 1) / s;
    const std::int64_t total = std::max<std::int64_t>(0, (steps - 1) * s + k - out);
    shape.push_back(out);
    pads[a] = total / 2;
    pads[a + 2] = total - total / 2;
  }
  node.attrs.set("layout", std::string("NHWC"));
  node.attrs.set("weights", std::string("OHWI"));
  node.attrs.set("strides", strides);
  node.attrs.set("pads", pads);
  node.attrs.set("shape", shape);
  if (!valid && (w[1] < strides[0] || w[2] < strides[1])) node.attrs.set("beyond", std::int64_t{1});
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  graph.add_node(std::move(node));
  return {};
}

constexpr Foreign from[] = {{Format::onnx, "ConvTranspose", from_onnx}, {Format::tflite, "TRANSPOSE_CONV", from_tflite}};

}  // namespace

extern constinit const OpDef op_conv_transpose = {
    .name = "ConvTranspose",
    .meaning = "every x is spread over a window of y, weighted by w",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = infer,
    .eval = eval,
    .cost = cost,
    .from = from,
};

}  // namespace lockstep
