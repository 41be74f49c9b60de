// Convolutions and products of float32 under weights in codes to C.
#include "emit/hybrid.h"

#include <algorithm>

#include "emit/finish.h"
#include "num/tflite_policies.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

// N88: a window of one element that reads every pixel once codes each pixel by itself.
bool by_pixel(const NodeView& v, const Numerics& num, const Window& g, std::int64_t group) {
  return num.hybrid->always_asymmetric && v.input(1).dtype == DType::i8 && g.channels_last &&
         group == 1 && g.kernel_count() == 1 && g.in_count() == g.out_count();
}

// Files of the first converters call their signed bytes uint8: what filters took off is put back.
void as_signed_bytes(std::vector<std::int64_t>& codes, DType type) {
  if (type != DType::u8) return;
  for (std::int64_t& c : codes) c = static_cast<std::int8_t>(static_cast<std::uint8_t>(c + 128));
}

const char* coding_name(const HybridPolicy& policy, bool asymmetric) {
  if (policy.asymmetric != tflite_hybrid.asymmetric) return "LS_DYNAMIC";
  return asymmetric ? "LS_ASYMMETRIC" : "LS_SYMMETRIC";
}

struct Hybrid {
  Window window;
  std::int64_t group = 1, outputs = 1, fours = 0;
  std::vector<std::int64_t> codes;
  const char *coding = "", *steps = "";
};

Result<void> write_hybrid(NodeWriter& w, const Hybrid& h) {
  const NodeView& v = w.view();
  const QuantParams& q = v.input(1).quant;
  std::vector<double> scales;
  for (std::int64_t o = 0; o < (q.per_channel() ? h.outputs : 1); ++o)
    scales.push_back(q.scale_at(static_cast<std::size_t>(o)));
  w.field("window", window_text(h.window, h.outputs)), w.field("group", h.group),
      w.field("fours", h.fours);
  w.field("coding", h.coding), w.field("steps", h.steps), w.field("by", q.per_channel() ? 1 : 0);
  LOCKSTEP_CHECK(write_bounds(w));
  w.field("weights", w.constants().add("int8_t", std::span<const std::int64_t>(h.codes),
                                       w.label() + "_weights"));
  w.field("scales",
          w.constants().add("float", std::span<const double>(scales), w.label() + "_scales"));
  w.field("bias",
          v.constant(2) ? w.constants().add_tensor(*v.constant(2), w.label() + "_bias") : "NULL");
  w.uses("ls_hybrid.c"), w.uses("ls_code_row.c");
  w.line("ls_hybrid_f32(" + w.params("ls_hybrid") + ", " + w.in(0, "float") + ", " +
         w.out(0, "float") + ", " + w.scratch() + ");");
  return {};
}

Result<void> takes_hybrid(const NodeWriter& w) {
  const NodeView& v = w.view();
  const bool bias = !v.has_input(2) || (v.constant(2) && v.input(2).dtype == DType::f32);
  if (!w.num().hybrid || !v.constant(1) || !is_narrow(v.input(1)) || !bias)
    return w.unsupported(v.node.op + " of float32 by codes");
  return {};
}

Window gemm_window(const NodeView& v) {
  const Shape& b = v.input(1).shape;
  Window g;
  g.channels = b[v.attrs().integer("transB", 0) != 0 ? 1 : 0], g.channels_last = true;
  g.batch = count_of(v.input(0).shape) / std::max<std::int64_t>(g.channels, 1);
  return g;
}

}  // namespace

bool is_hybrid(const NodeView& v) {
  return is_real(v) && v.node.inputs.size() > 1 && is_code(v.input(1));
}

std::int64_t hybrid_scratch(const NodeView& v, const Numerics& num) {
  if (!is_hybrid(v) || !num.hybrid) return 0;
  if (v.node.op == "Gemm") return v.input(1).shape.size() == 2 ? gemm_window(v).channels : 0;
  const auto g = window_of(v, v.input(0).shape, window_kernel(v));
  if (!g.ok()) return 0;
  return by_pixel(v, num, *g, v.attrs().integer("group", 1)) ? g->channels
                                                             : g->in_count() * g->channels;
}

Result<void> write_hybrid_conv(NodeWriter& w) {
  const NodeView& v = w.view();
  LOCKSTEP_CHECK(takes_hybrid(w));
  LOCKSTEP_TRY(Window g, flat_window(w, window_kernel(v)));
  if (!g.channels_last) return w.unsupported("Conv of float32 by codes, channels first");
  Filters f = filters_of(v);
  as_signed_bytes(f.codes, v.input(1).dtype);
  const auto& scale = v.input(1).quant.scale;
  const bool depthwise = v.attrs().text("weights", "OIHW") == "1HWO",
             old = v.input(1).dtype == DType::u8, litert = sums_from_bias(w.num()),
             left = litert && (depthwise || old),
             by_channel =
                 depthwise || std::ranges::any_of(scale, [&](double s) { return s != scale[0]; });
  const HybridPolicy& coding = left ? tflite_hybrid : *w.num().hybrid;
  if (by_pixel(v, w.num(), g, f.group)) g.batch *= g.in_count(), g.in = g.out = {1, 1, 1};
  Hybrid h{g, f.group, f.outputs, depthwise ? f.outputs / 4 * 4 : 0, std::move(f.codes)};
  h.coding = coding_name(coding, by_channel || coding.always_asymmetric);
  h.steps = litert && (depthwise || !old) ? (depthwise ? "LS_HYBRID_FOURS" : "LS_HYBRID_FUSED")
            : depthwise || !by_channel    ? "LS_HYBRID_JOINED"
                                          : "LS_HYBRID_WEIGHTS";
  return write_hybrid(w, h);
}

Result<void> write_hybrid_gemm(NodeWriter& w) {
  const NodeView& v = w.view();
  LOCKSTEP_CHECK(takes_hybrid(w));
  if (v.attrs().integer("transA", 0) != 0 || v.attrs().real("alpha", 1) != 1 ||
      v.attrs().real("beta", 1) != 1)
    return w.unsupported("Gemm of float32 by codes with factors");
  const Tensor& b = *v.constant(1);
  const bool transposed = v.attrs().integer("transB", 0) != 0,
             old = v.input(1).dtype == DType::u8 || v.attrs().text("kernel", "") == "left";
  Hybrid h;
  h.window = gemm_window(v);
  h.outputs = b.shape()[transposed ? 0 : 1];
  if (v.constant(2) && v.constant(2)->count() != h.outputs)
    return w.unsupported("a bias that differs by row");
  const std::int64_t depth = h.window.channels;
  for (std::int64_t o = 0; o < h.outputs; ++o)
    for (std::int64_t k = 0; k < depth; ++k)
      h.codes.push_back(b.code(transposed ? o * depth + k : k * h.outputs + o) -
                        flip_of(v.input(1)));
  as_signed_bytes(h.codes, v.input(1).dtype);
  const HybridPolicy& coding = old ? tflite_hybrid : *w.num().hybrid;
  h.coding =
      coding_name(coding, coding.always_asymmetric || v.attrs().integer("asymmetric", 0) != 0);
  h.steps = sums_from_bias(w.num()) && !old ? "LS_HYBRID_FUSED" : "LS_HYBRID_JOINED";
  return write_hybrid(w, h);
}

}  // namespace lockstep
