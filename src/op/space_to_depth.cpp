// y[n,(i*b+j)*C+c,h,w] = x[n,c,h*b+i,w*b+j], C channels of x, b blocksize
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"blocksize", "", "b: a square of b by b becomes a channel group of b * b"},
    {"layout", "NCHW", "NCHW or NHWC"},
};
constexpr Rule rules[] = {
    {"x has four axes", [](const NodeView& n) { return n.input(0).shape.size() == 4; }},
    {"the block size is 1 .. 32768",
     [](const NodeView& n) {
       return n.attrs().integer("blocksize", 0) >= 1 && n.attrs().integer("blocksize", 0) <= 32768;
     }},
    {"height and width are multiples of blocksize",
     [](const NodeView& n) {
       const std::int64_t b = n.attrs().integer("blocksize", 0);
       const std::size_t h = n.attrs().text("layout", "NCHW") == "NHWC" ? 1 : 2;
       return n.input(0).shape[h] % b == 0 && n.input(0).shape[h + 1] % b == 0;
     }},
    {codes_rule, first_keeps_codes},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  const std::int64_t b = n.attrs().integer("blocksize", 0);
  const bool inner = n.attrs().text("layout", "NCHW") == "NHWC";
  Shape y = x.shape;
  y[inner ? 3 : 1] *= b * b;
  y[inner ? 1 : 2] /= b;
  y[inner ? 2 : 3] /= b;
  return std::vector<Facts>{
      {x.dtype, std::move(y), x.quant.per_channel() ? QuantParams{} : x.quant}};
}

Result<void> eval(EvalContext& c) {
  const Tensor& x = *c.in[0];
  const std::int64_t b = c.view.attrs().integer("blocksize", 0);
  const bool inner = c.view.attrs().text("layout", "NCHW") == "NHWC";
  const Shape s = strides_of(x.shape());
  const std::size_t ch = inner ? 3 : 1, h = inner ? 1 : 2, w = inner ? 2 : 3;
  const std::int64_t n = x.shape()[0], channels = x.shape()[ch], rows = x.shape()[h] / b,
                     columns = x.shape()[w] / b;
  if (inner)
    copy_strided(x, {n, rows, columns, b, b, channels},
                 {s[0], s[h] * b, s[w] * b, s[h], s[w], s[ch]}, 0, c.out[0]);
  else
    copy_strided(x, {n, b, b, channels, rows, columns},
                 {s[0], s[h], s[w], s[ch], s[h] * b, s[w] * b}, 0, c.out[0]);
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs canonical;
  canonical.set("blocksize", f.attrs.integer("block_size", 0));
  canonical.set("layout", std::string("NHWC"));
  return add_like(f, graph, "SpaceToDepth", f.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::onnx, "SpaceToDepth"},
                            {Format::tflite, "SPACE_TO_DEPTH", from_tflite}};

}  // namespace

extern constinit const OpDef op_space_to_depth = {
    .name = "SpaceToDepth",
    .meaning = "y[n,(i*b+j)*C+c,h,w] = x[n,c,h*b+i,w*b+j]",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
