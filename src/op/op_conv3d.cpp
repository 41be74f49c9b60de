// TFLite's convolution over three axes: its weights lie as [depth, height, width, in, out].
#include "base/text.h"
#include "op/op_codes.h"
#include "op/op_conv.h"
#include "op/op_foreign.h"

namespace lockstep {

Result<void> conv3d_from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_TRY(const Tensor* const w, constant_input(f, graph, 1, "weights"));
  if (!w || !has_input(f, 0))
    return foreign_error(f, "no constant weights", "input, constant weights and bias");
  const Shape s = w->shape(), x = graph.value(f.inputs[0]).shape;  // copies: a value is added below
  if (w->dtype() != DType::f32 || s.size() != 5 || x.size() != 5 || s[3] == 0)
    return foreign_error(f,
                         "input " + shape_text(x) + ", weights " + shape_text(s) + " of " +
                             std::string(name_of(w->dtype())),
                         "five axes each, of float32");
  const std::int64_t taps = s[0] * s[1] * s[2], in = s[3], out = s[4];
  Tensor turned(DType::f32, {out, s[0], s[1], s[2], in});
  for (std::int64_t t = 0; t < taps * in; ++t)
    for (std::int64_t o = 0; o < out; ++o)
      turned.as<float>()[static_cast<std::size_t>(o * taps * in + t)] =
          w->as<float>()[static_cast<std::size_t>(t * out + o)];
  const std::vector<std::int64_t> kernel{s[0], s[1], s[2]};
  Node node = node_from(f, "Conv");
  node.inputs[1] = add_constant(f, graph, "weights", std::move(turned));
  node.attrs.set("layout", "NHWC");
  node.attrs.set("weights", "OHWI");
  node.attrs.set("auto_pad", f.attrs.text("padding", "SAME") == "VALID" ? "VALID" : "SAME_UPPER");
  const auto triple = [&](const char* name, const char* tail, std::int64_t fallback) {
    const auto one = [&](const char* axis) {
      return f.attrs.integer(std::string(name) + axis + tail, fallback);
    };
    return std::vector<std::int64_t>{one("d"), one("h"), one("w")};
  };
  node.attrs.set("strides", triple("stride_", "", 1));
  node.attrs.set("dilations", triple("dilation_", "_factor", 1));
  node.attrs.set("group", x[4] / in);
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  return write_out_pads(graph, graph.add_node(node), kernel);
}

}  // namespace lockstep
