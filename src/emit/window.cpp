// Convolutions to C.
#include <algorithm>

#include "emit/any.h"
#include "emit/hybrid.h"
#include "num/device_form.h"
#include "op/op_codes.h"
#include "op/op_sums.h"
#include "op/op_window.h"

namespace lockstep {

std::vector<std::int64_t> window_kernel(const NodeView& v) {
  const Shape& w = v.input(1).shape;
  if (w.size() < 3) return {};
  return v.attrs().text("weights", "OIHW") == "OIHW"
             ? std::vector<std::int64_t>(w.begin() + 2, w.end())
             : std::vector<std::int64_t>(w.begin() + 1, w.end() - 1);
}

// Axes 1 and 2 alone.
bool is_flat(const Window& g) {
  return g.in[0] == 1 && g.kernel[0] == 1 && g.out[0] == 1 && g.begin[0] == 0;
}

Result<void> takes_two_axes(const NodeWriter& w, const Window& g) {
  if (!is_flat(g)) return w.unsupported("three spatial axes");
  return {};
}

Result<Window> flat_window(const NodeWriter& w, const std::vector<std::int64_t>& kernel) {
  LOCKSTEP_TRY(const Window g, window_of(w.view(), w.view().input(0).shape, kernel));
  LOCKSTEP_CHECK(takes_two_axes(w, g));
  return g;
}

void write_window(NodeWriter& w, const Window& g, std::int64_t outputs) {
  w.field("window", window_text(g, outputs));
  if (is_flat(g)) return;
  const auto n = [](std::int64_t v) { return std::to_string(v); };
  w.field("depth", "{.in = " + n(g.in[0]) + ", .out = " + n(g.out[0]) +
                       ", .kernel = " + n(g.kernel[0]) + ", .stride = " + n(g.strides[0]) +
                       ", .dilation = " + n(g.dilations[0]) + ", .front = " + n(g.begin[0]) + "}");
}

std::string window_text(const Window& g, std::int64_t outputs) {
  const auto n = [](std::int64_t v) { return std::to_string(v); };
  return "{.batch = " + n(g.batch) + ", .in_h = " + n(g.in[1]) + ", .in_w = " + n(g.in[2]) +
         ", .in_c = " + n(g.channels) + ",\n               .out_h = " + n(g.out[1]) +
         ", .out_w = " + n(g.out[2]) + ", .out_c = " + n(outputs) +
         ",\n               .kernel_h = " + n(g.kernel[1]) + ", .kernel_w = " + n(g.kernel[2]) +
         ", .stride_h = " + n(g.strides[1]) + ", .stride_w = " + n(g.strides[2]) +
         ",\n               .dilation_h = " + n(g.dilations[1]) +
         ", .dilation_w = " + n(g.dilations[2]) + ", .top = " + n(g.begin[1]) +
         ", .left = " + n(g.begin[2]) + ", .channels_last = " + n(g.channels_last ? 1 : 0) + "}";
}

bool sees_nothing(const Window& g) {
  for (std::size_t d = 0; d < 3; ++d)
    for (std::int64_t o = 0; o < g.out[d]; ++o) {
      bool any = false;
      for (std::int64_t k = 0; k < g.kernel[d]; ++k) {
        const std::int64_t at = o * g.strides[d] - g.begin[d] + k * g.dilations[d];
        any = any || (at >= 0 && at < g.in[d]);
      }
      if (!any) return true;
    }
  return false;
}

std::int64_t slide_of(const NodeView& v, const std::vector<std::int64_t>& kernel,
                      std::int64_t outputs) {
  const auto window = window_of(v, v.input(0).shape, kernel);
  if (!window.ok() || !window->channels_last || window->batch != 1 || !is_flat(*window)) return 0;
  if (size_of(v.input(0).dtype) != 1 || size_of(v.output(0).dtype) != 1) return 0;
  const Window& g = *window;
  constexpr std::int64_t block = 3;
  const std::int64_t positions = g.out[1] * g.out[2];
  const auto first_read = [&](std::int64_t position) {
    const std::int64_t h = position / g.out[2] * g.strides[1] - g.begin[1],
                       w = position % g.out[2] * g.strides[2] - g.begin[2];
    const auto inside = [](std::int64_t at, std::int64_t step) {
      return at >= 0 ? at : (step + at % step) % step;
    };
    return (inside(h, g.dilations[1]) * g.in[2] + inside(w, g.dilations[2])) * g.channels;
  };
  std::int64_t needed = g.in[1] * g.in[2] * g.channels, slide = 1;
  for (std::int64_t start = (positions - 1) / block * block; start >= 0; start -= block) {
    const std::int64_t end = std::min(start + block, positions);
    for (std::int64_t p = start; p < end; ++p) needed = std::min(needed, first_read(p));
    slide = std::max(slide, end * outputs - needed);
  }
  // As far as this there is nothing to gain.
  return slide < positions * outputs ? slide : 0;
}

NodeMemory with_slide(NodeMemory m, std::int64_t slide) {
  if (slide > 0) m.shares.push_back({0, 0, false, slide});
  return m;
}

namespace {

bool is_depthwise(const NodeView& v) {
  const std::int64_t group = v.attrs().integer("group", 1);
  const Shape& x = v.input(0).shape;
  const std::int64_t channels = v.attrs().text("layout", "NCHW") == "NHWC" ? x.back() : x[1];
  return group > 1 && group == channels;
}

NodeMemory conv_memory(const NodeView& v, const Numerics& num) {
  const Shape& w = v.input(1).shape;
  if (is_real(v)) return {.scratch = hybrid_scratch(v, num), .shares = {}};
  if (const auto g = window_of(v, v.input(0).shape, window_kernel(v)); g.ok() && is_plain_16(v, *g))
    return {scratch_16(*g, v.attrs().integer("group", 1)), {}};
  if (!is_narrow(v.input(0)) || !is_narrow(v.output(0))) return {};
  const std::string order = v.attrs().text("weights", "OIHW");
  const std::int64_t outputs = order == "1HWO" ? w.back() : w[0];
  const std::int64_t group = v.attrs().integer("group", 1);
  const std::int64_t slide = slide_of(v, window_kernel(v), outputs);
  if (is_depthwise(v)) return with_slide({group + 16, {}}, slide);
  const std::int64_t depth = count_of(w) / std::max<std::int64_t>(outputs, 1);
  // A vector of room behind the last row; of several groups each reads the whole input anew.
  return with_slide({3 * ((depth + 15) / 16 * 16) + 16, {}}, group == 1 ? slide : 0);
}

// bias - x_zero * sum(w - w_zero), 32 bits wrapping.
std::int64_t folded_bias(const Tensor* bias, std::int64_t o, std::int64_t x_zero,
                         std::int64_t w_zero, std::span<const std::int64_t> codes) {
  std::int64_t sum = bias ? bias->code(o) : 0;
  for (const std::int64_t c : codes) sum -= x_zero * (c - w_zero);
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(sum));
}

Result<void> write_conv_finish(NodeWriter& w, std::int64_t outputs) {
  const Value &x = w.view().input(0), &weights = w.view().input(1), &y = w.view().output(0);
  const RequantPolicy* const policy = conv_sums(w.view(), w.num()).policy;
  if (!policy) return w.unsupported("Conv on codes");
  std::vector<Rescale> rescales;
  for (std::int64_t o = 0; o < outputs; ++o)
    rescales.push_back(policy->prepare(x.quant.scale_at(0),
                                       weights.quant.scale_at(static_cast<std::size_t>(o)),
                                       y.quant.scale_at(0)));
  const CodeClamp clamp = clamp_of(w.view());
  return write_finish(w, requant_steps(*policy), rescales, y.quant.zero_at(0), clamp.low,
                      clamp.high);
}

// What a kernel on codes needs to know of weights and operands; otherwise the error that says why.
Result<void> takes_codes(const NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0), &weights = v.input(1);
  if (!is_short_code(x) || !is_short_code(y) || !v.constant(1) || !is_code(weights) ||
      !is_narrow(weights))
    return w.unsupported("Conv of " + std::string(name_of(x.dtype)) + " under " +
                         std::string(name_of(weights.dtype)));
  if (v.has_input(2) && !v.constant(2)) return w.unsupported("a computed bias");
  return {};
}

// Sixteen channels and their taps in turn.
std::vector<std::int64_t> packed_channels(const Filters& f, std::int64_t depth) {
  std::vector<std::int64_t> packed;
  for (std::int64_t first = 0; first < f.outputs; first += 16)
    for (std::int64_t t = 0; t < depth; ++t)
      for (std::int64_t o = first; o < first + 16; ++o)
        packed.push_back(o < f.outputs ? f.codes[static_cast<std::size_t>(o * depth + t)] : 0);
  return packed;
}

// Whether the products of two neighbouring taps, the even one first, always fit in 16 bits: two of
// -128 by -128 do not, every other two do.
bool pairs_fit(std::span<const std::int64_t> packed, std::int64_t taps) {
  const std::size_t block = static_cast<std::size_t>(taps) * 16;
  for (std::size_t first = 0; first < packed.size(); first += block)
    for (std::size_t t = 0; t + 1 < static_cast<std::size_t>(taps); t += 2)
      for (std::size_t at = first + t * 16; at < first + t * 16 + 16; ++at)
        if (packed[at] == -128 && packed[at + 16] == -128) return false;
  return true;
}

// The rows of each group.
std::vector<std::int64_t> packed_groups(const Filters& f, std::int64_t depth) {
  const auto size = static_cast<std::size_t>(f.outputs / f.group * depth);
  std::vector<std::int64_t> packed;
  for (std::int64_t i = 0; i < f.group; ++i) {
    const auto part =
        pack_rows(std::span(f.codes).subspan(static_cast<std::size_t>(i) * size, size), depth);
    packed.insert(packed.end(), part.begin(), part.end());
  }
  return packed;
}

// The fields w_zero, flip, pad, weights and bias of either kernel, `packed` of the weights' codes.
void write_conv_operands(NodeWriter& w, const Filters& f, const WeightZeros& zeros,
                         std::span<const std::int64_t> packed, std::size_t bias_unit) {
  const NodeView& v = w.view();
  const Value& x = v.input(0);
  const std::int64_t x_zero = x.quant.zero_at(0) - flip_of(x);
  const auto depth = f.codes.size() / static_cast<std::size_t>(f.outputs);
  std::vector<std::int64_t> bias;
  for (std::int64_t o = 0; o < f.outputs; ++o)
    bias.push_back(
        folded_bias(v.constant(2), o, x_zero, zeros.of(o),
                    std::span(f.codes).subspan(static_cast<std::size_t>(o) * depth, depth)));
  while (bias.size() % bias_unit != 0) bias.push_back(0);  // kernels read whole groups
  write_weight_zeros(w, zeros);
  w.field("flip", flip_of(x)), w.field("pad", x_zero);
  w.field("weights", w.constants().add("int8_t", packed, w.label() + "_weights"));
  w.field("bias",
          w.constants().add("int32_t", std::span<const std::int64_t>(bias), w.label() + "_bias"));
}

Result<void> write_depthwise(NodeWriter& w, const Window& g, const Filters& f,
                             const WeightZeros& zeros) {
  const auto packed = packed_channels(f, g.kernel_count());
  w.field("window", window_text(g, f.outputs));
  w.field("pairs", pairs_fit(packed, g.kernel_count()) ? 1 : 0);
  write_conv_operands(w, f, zeros, packed, 16);
  LOCKSTEP_CHECK(write_conv_finish(w, f.outputs));
  w.uses("ls_depthwise.c"), w.uses("ls_depthwise_helium.c");
  w.line("ls_depthwise_8(" + w.params("ls_depthwise") + ", " + w.in(0) + ", " + w.out(0) + ", " +
         w.scratch() + ");");
  return {};
}

Result<void> write_dense_conv(NodeWriter& w, const Window& g, const Filters& f,
                              const WeightZeros& zeros) {
  const std::int64_t depth = g.kernel_count() * f.channels;
  w.field("window", window_text(g, f.outputs));
  w.field("group", f.group), w.field("depth", depth), w.field("y_bytes", 1);
  write_conv_operands(w, f, zeros, packed_groups(f, depth), 2);
  LOCKSTEP_CHECK(write_conv_finish(w, f.outputs));
  w.uses("ls_conv.c"), w.uses("ls_conv_helium.c");
  w.line("ls_conv_8(" + w.params("ls_conv") + ", " + w.in(0) + ", " + w.out(0) + ", " +
         w.scratch() + ");");
  return {};
}

Result<void> emit_conv(NodeWriter& w) {
  const NodeView& v = w.view();
  LOCKSTEP_CHECK(plain_products(w));
  if (is_hybrid(v)) return write_hybrid_conv(w);
  if (is_real(v)) return write_real_conv(w);
  LOCKSTEP_CHECK(takes_codes(w));
  LOCKSTEP_TRY(const Window g, window_of(v, v.input(0).shape, window_kernel(v)));
  Filters f = filters_of(v);
  if (is_plain_16(v, g))
    return write_conv_16(w, g, f.codes, f.group, SumRules(conv_sums(v, w.num()), f.outputs));
  if (!is_flat(g) || !is_narrow(v.input(0)) || !is_narrow(v.output(0))) {
    w.field("group", f.group);
    return write_conv_any(w, g, f.codes, SumRules(conv_sums(v, w.num()), f.outputs));
  }
  const WeightZeros zeros = centred_weights(f.codes, f.outputs, v.input(1));
  return is_depthwise(v) ? write_depthwise(w, g, f, zeros) : write_dense_conv(w, g, f, zeros);
}

constexpr NodeEmitter table[] = {
    {"Conv", conv_memory, emit_conv},
};

}  // namespace

std::span<const NodeEmitter> window_emitters() {
  return table;
}

}  // namespace lockstep
