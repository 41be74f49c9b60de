// Convolutions and poolings by CMSIS-NN.
#include <algorithm>

#include "emit/finish.h"
#include "emit/library.h"
#include "emit/window.h"
#include "num/device_form.h"
#include "op/op_codes.h"
#include "op/op_pool.h"

namespace lockstep {
namespace {

bool on_int8(const NodeView& v) {
  return is_int8(v.input(0)) && is_int8(v.output(0));
}

// Channels last, at most two spatial axes.
bool is_flat(const NodeView& v, const std::vector<std::int64_t>& kernel) {
  const auto g = window_of(v, v.input(0).shape, kernel);
  return g.ok() && g->channels_last && g->in[0] == 1 && g->kernel[0] == 1 && g->out[0] == 1;
}

bool is_fixed(const RequantPolicy* policy) {
  if (!policy) return false;
  const RequantSteps steps = requant_steps(*policy);
  return steps == RequantSteps::fixed_twice || steps == RequantSteps::fixed_once;
}

bool conv_fits(const NodeView& v, const Numerics& num) {
  if (!on_int8(v) || !v.constant(1) || !is_int8(v.input(1)) || !is_fixed(num.conv)) return false;
  if (v.has_input(2) && !v.constant(2)) return false;
  if (num.pairs_saturate || num.product) return false;
  if (!std::ranges::all_of(v.input(1).quant.zero, [](std::int32_t z) { return z == 0; }))
    return false;
  return is_flat(v, window_kernel(v));
}

bool by_channel(const NodeView& v) {
  const std::int64_t group = v.attrs().integer("group", 1);
  return group > 1 && group == v.input(0).shape.back();
}

// Bytes that the library asks for at most, of its portable, DSP and Helium forms: four rows of
// whole vectors, or two rows of 16-bit codes.
std::int64_t conv_scratch(std::int64_t depth) {
  return std::max((depth + 15) / 16 * 64, (depth + 3) / 4 * 16);
}

std::int64_t scratch_of(const NodeView& v) {
  const auto kernel = window_kernel(v);
  const std::int64_t taps = count_of(kernel), channels = v.input(0).shape.back(),
                     outputs = v.output(0).shape.back();
  if (!by_channel(v)) {
    const auto g = window_of(v, v.input(0).shape, kernel);
    const std::int64_t pad = g.ok() ? g->begin[2] + g->end[2] : 0;
    // One row of a window that moves along one axis, and the padding beside it.
    return conv_scratch(taps * channels) + (kernel[0] == 1 ? 2 * pad * channels : 0);
  }
  constexpr std::int64_t block = 124;  // channels that Helium takes at a time
  std::int64_t bytes = std::max(4 * block * taps, 2 * channels * taps);
  // One input channel becomes a plain convolution, its weights turned first.
  if (channels == 1) bytes = std::max(bytes, conv_scratch(taps) + taps * outputs);
  return bytes;
}

// A channel of one input alone (group 1) is no depthwise convolution.
NodeMemory conv_memory(const NodeView& v, const Numerics&) {
  return {scratch_of(v), {}};
}

struct Conv {
  Window window;
  Filters filters;
  std::string x, y, filter, params, factors, bias_dims, bias;
};

void write_conv_params(NodeWriter& w, const Window& g, std::int64_t multiplier) {
  const NodeView& v = w.view();
  const auto tile = [](std::int64_t width, std::int64_t height) {
    return "{.w = " + std::to_string(width) + ", .h = " + std::to_string(height) + "}";
  };
  w.field("input_offset", -v.input(0).quant.zero_at(0));
  w.field("output_offset", v.output(0).quant.zero_at(0));
  if (multiplier > 0) w.field("ch_mult", multiplier);
  w.field("stride", tile(g.strides[2], g.strides[1]));
  w.field("padding", tile(g.begin[2], g.begin[1]));
  w.field("dilation", tile(g.dilations[2], g.dilations[1]));
  w.field("activation", library_clamp(v));
}

std::string write_factors(NodeWriter& w, std::int64_t outputs) {
  const NodeView& v = w.view();
  std::vector<Rescale> rescales;
  for (std::int64_t o = 0; o < outputs; ++o)
    rescales.push_back(w.num().conv->prepare(v.input(0).quant.scale_at(0),
                                             v.input(1).quant.scale_at(static_cast<std::size_t>(o)),
                                             v.output(0).quant.scale_at(0)));
  const LibraryFactors f = library_factors(w, rescales);
  w.field("multiplier", f.multiplier), w.field("shift", f.shift);
  return w.params("cmsis_nn_per_channel_quant_params", "factors");
}

std::string write_bias(NodeWriter& w, std::int64_t outputs) {
  std::vector<std::int64_t> bias(static_cast<std::size_t>(outputs), 0);
  if (const Tensor* t = w.view().constant(2))
    for (std::int64_t o = 0; o < outputs; ++o)
      bias[static_cast<std::size_t>(o)] = t->code(t->count() == 1 ? 0 : o);
  return w.constants().add("int32_t", std::span<const std::int64_t>(bias), w.label() + "_bias");
}

// As the library reads them: [output][tap][channel], of depthwise ones [tap][output].
std::string write_weights(NodeWriter& w, const Filters& f, bool depthwise) {
  std::vector<std::int64_t> codes = f.codes;
  const std::int64_t taps = count_of(f.kernel);
  if (depthwise)
    for (std::int64_t o = 0; o < f.outputs; ++o)
      for (std::int64_t t = 0; t < taps; ++t)
        codes[static_cast<std::size_t>(t * f.outputs + o)] =
            f.codes[static_cast<std::size_t>(o * taps + t)];
  return w.constants().add("int8_t", std::span<const std::int64_t>(codes), w.label() + "_weights");
}

Result<void> emit_conv(NodeWriter& w) {
  const NodeView& v = w.view();
  LOCKSTEP_TRY(const Window g, flat_window(w, window_kernel(v)));
  const Filters f = filters_of(v);
  const bool depthwise = by_channel(v);
  const std::string type = depthwise ? "cmsis_nn_dw_conv_params" : "cmsis_nn_conv_params";
  const std::string function =
      depthwise ? "arm_depthwise_conv_wrapper_s8" : "arm_convolve_wrapper_s8";
  write_conv_params(w, g, depthwise ? f.outputs / g.channels : 0);
  const std::string params = w.params(type, "params"), factors = write_factors(w, f.outputs);
  const std::string x = library_dims(w, "x", g.batch, g.in[1], g.in[2], g.channels),
                    filter = library_dims(w, "filter", depthwise ? 1 : f.outputs, g.kernel[1],
                                          g.kernel[2], depthwise ? f.outputs : f.channels),
                    bias = library_dims(w, "bias", 1, 1, 1, f.outputs),
                    y = library_dims(w, "y", g.batch, g.out[1], g.out[2], f.outputs);
  const std::int64_t scratch = scratch_of(v);
  library_call(w, function,
               "&context, " + params + ", " + factors + ", " + x + ", " + w.in(0, "int8_t") + ", " +
                   filter + ", " + write_weights(w, f, depthwise) + ", " + bias + ", " +
                   write_bias(w, f.outputs) + ", " + y + ", " + w.out(0, "int8_t"),
               function + "_get_buffer_size(" + params + ", " + x + ", " + filter + ", " + y + ")",
               w.scratch("void"), scratch);
  return {};
}

bool pool_fits(const NodeView& v, const Numerics& num) {
  if (!on_int8(v) || v.node.outputs.size() > 1) return false;
  if (v.input(0).quant.scale_at(0) != v.output(0).quant.scale_at(0) ||
      v.input(0).quant.zero_at(0) != v.output(0).quant.zero_at(0))
    return false;
  const auto kernel = v.attrs().integers("kernel_shape");
  if (!is_flat(v, kernel)) return false;
  const auto g = window_of(v, v.input(0).shape, kernel);
  if (g->dilations[1] != 1 || g->dilations[2] != 1) return false;
  if (sees_nothing(*g)) return false;
  if (v.node.op == "MaxPool") return true;
  return num.average && average_steps(*num.average) == AverageSteps::of_codes &&
         v.attrs().integer("count_include_pad", 0) == 0;
}

// Sums of a row of channels, where the processor has DSP instructions alone.
NodeMemory average_memory(const NodeView& v, const Numerics&) {
  return {4 * v.input(0).shape.back(), {}};
}

Result<void> emit_pool(NodeWriter& w) {
  const NodeView& v = w.view();
  const bool average = v.node.op == "AveragePool";
  LOCKSTEP_TRY(const Window g, flat_window(w, v.attrs().integers("kernel_shape")));
  const auto tile = [](std::int64_t width, std::int64_t height) {
    return "{.w = " + std::to_string(width) + ", .h = " + std::to_string(height) + "}";
  };
  w.field("stride", tile(g.strides[2], g.strides[1]));
  w.field("padding", tile(g.begin[2], g.begin[1]));
  w.field("activation", library_clamp(v));
  const std::string params = w.params("cmsis_nn_pool_params", "params");
  const std::string x = library_dims(w, "x", g.batch, g.in[1], g.in[2], g.channels),
                    filter = library_dims(w, "filter", 1, g.kernel[1], g.kernel[2], 1),
                    y = library_dims(w, "y", g.batch, g.out[1], g.out[2], g.channels);
  const std::int64_t scratch = average ? 4 * g.channels : 0;
  library_call(w, average ? "arm_avgpool_s8" : "arm_max_pool_s8",
               "&context, " + params + ", " + x + ", " + w.in(0, "int8_t") + ", " + filter + ", " +
                   y + ", " + w.out(0, "int8_t"),
               average ? "arm_avgpool_s8_get_buffer_size(" + std::to_string(g.out[2]) + ", " +
                             std::to_string(g.channels) + ")"
                       : "",
               w.scratch("void"), scratch);
  return {};
}

constexpr LibraryEmitter table[] = {
    {"Conv", conv_fits, {"Conv", conv_memory, emit_conv}},
    {"MaxPool", pool_fits, {"MaxPool", nullptr, emit_pool}},
    {"AveragePool", pool_fits, {"AveragePool", average_memory, emit_pool}},
};

}  // namespace

std::span<const LibraryEmitter> library_windows() {
  return table;
}

}  // namespace lockstep
