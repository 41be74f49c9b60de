// y[n,c,h*b+i,w*b+j] = x[n,(i*b+j)*C+c,h,w] (DCR) or x[n,(c*b+i)*b+j,h,w] (CRD), C channels of y, b
// blocksize
#include "base/text.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"blocksize", "", "b: a channel group of b * b becomes a square of b by b"},
    {"mode", "DCR", "DCR: the square's place is the outer part of the channel; CRD: the inner"},
    {"layout", "NCHW", "NCHW or NHWC"},
};
constexpr Rule rules[] = {
    {"x has four axes", [](const NodeView& n) { return n.input(0).shape.size() == 4; }},
    {"the block size is 1 .. 32768",
     [](const NodeView& n) {
       return n.attrs().integer("blocksize", 0) >= 1 && n.attrs().integer("blocksize", 0) <= 32768;
     }},
    {"the channels are a multiple of blocksize * blocksize",
     [](const NodeView& n) {
       const std::int64_t b = n.attrs().integer("blocksize", 0);
       return n.input(0).shape[n.attrs().text("layout", "NCHW") == "NHWC" ? 3 : 1] % (b * b) == 0;
     }},
    {"the mode is DCR or CRD",
     [](const NodeView& n) {
       return n.attrs().text("mode", "DCR") == "DCR" || n.attrs().text("mode", "DCR") == "CRD";
     }},
    {codes_rule, first_keeps_codes},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  const std::int64_t b = n.attrs().integer("blocksize", 0);
  const bool inner = n.attrs().text("layout", "NCHW") == "NHWC";
  Shape y = x.shape;
  y[inner ? 3 : 1] /= b * b;
  y[inner ? 1 : 2] *= b;
  y[inner ? 2 : 3] *= b;
  return std::vector<Facts>{
      {x.dtype, std::move(y), x.quant.per_channel() ? QuantParams{} : x.quant}};
}

Result<void> eval(EvalContext& c) {
  const Tensor& x = *c.in[0];
  const Attrs& a = c.view.attrs();
  const std::int64_t b = a.integer("blocksize", 0);
  const bool inner = a.text("layout", "NCHW") == "NHWC",
             outer_square = a.text("mode", "DCR") == "DCR";
  const Shape s = strides_of(x.shape());
  const std::size_t ch = inner ? 3 : 1, h = inner ? 1 : 2, w = inner ? 2 : 3;
  const std::int64_t channels = x.shape()[ch] / (b * b);
  const std::int64_t per_i = (outer_square ? b * channels : b) * s[ch],
                     per_j = (outer_square ? channels : 1) * s[ch];
  const std::int64_t per_c = (outer_square ? 1 : b * b) * s[ch];
  const std::int64_t n = x.shape()[0], rows = x.shape()[h], columns = x.shape()[w];
  if (inner)
    copy_strided(x, {n, rows, b, columns, b, channels}, {s[0], s[h], per_i, s[w], per_j, per_c}, 0,
                 c.out[0]);
  else
    copy_strided(x, {n, channels, rows, b, columns, b}, {s[0], per_c, s[h], per_i, s[w], per_j}, 0,
                 c.out[0]);
  return {};
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs canonical;
  canonical.set("blocksize", f.attrs.integer("block_size", 0));
  canonical.set("layout", std::string("NHWC"));
  return add_like(f, graph, "DepthToSpace", f.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::onnx, "DepthToSpace"},
                            {Format::tflite, "DEPTH_TO_SPACE", from_tflite}};

}  // namespace

extern constinit const OpDef op_depth_to_space = {
    .name = "DepthToSpace",
    .meaning = "y[n,c,h*b+i,w*b+j] = x[n,(i*b+j)*C+c,h,w] (DCR) or x[n,(c*b+i)*b+j,h,w] (CRD)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
