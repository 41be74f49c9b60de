#include "op/op_pool.h"

#include "base/text.h"

namespace lockstep {

Result<Window> pool_window(const NodeView& n) {
  const Shape& x = n.input(0).shape;
  const bool onnx = n.attrs().text("layout", "NCHW") !=
                    "NHWC";  // TFLite's and the operators on codes are refused instead
  return window_of(n, x, n.attrs().integers("kernel_shape"), onnx);
}

Result<std::vector<Facts>> pool_facts(const NodeView& n) {
  LOCKSTEP_TRY(const Window w, pool_window(n));
  const Value& x = n.input(0);
  return std::vector<Facts>{{x.dtype, w.output_shape(w.channels), x.quant}};
}

bool averages_by_library(const NodeView& n, const Numerics& num, const Window& w) {
  return num.real.window_mean && !w.channels_last && w.dilations == Window::Axes{1, 1, 1} &&
         n.attrs().text("kernel", "").empty() &&
         (n.attrs().integer("ceil_mode", 0) == 0 || n.attrs().integer("count_include_pad", 0) == 0);
}

Result<void> pads_within_window(const ForeignNode& f) {
  const auto kernel = f.attrs.integers("kernel_shape"), pads = f.attrs.integers("pads");
  for (std::size_t i = 0; i < pads.size() && pads.size() == 2 * kernel.size(); ++i)
    if (pads[i] >= kernel[i % kernel.size()])
      return foreign_error(f,
                           "pads " + shape_text(pads) + " around windows of " + shape_text(kernel),
                           "pads below the extents");
  return {};
}

WindowMeanProblem window_mean_problem(const NodeView& n, const Window& w) {
  WindowMeanProblem p{.rank = static_cast<int>(w.spatial_rank),
                      .include_pad = n.attrs().integer("count_include_pad", 0) != 0};
  for (std::size_t d = 0; d < 3; ++d) {
    p.in[d] = w.in[d], p.kernel[d] = w.kernel[d], p.out[d] = w.out[d];
    p.strides[d] = w.strides[d], p.pads_begin[d] = w.begin[d], p.pads_end[d] = w.end[d];
  }
  return p;
}

Result<void> pool_from_tflite(const ForeignNode& f, GraphBuilder& graph, std::string op) {
  if (f.inputs.empty() || f.inputs[0] == no_id) return foreign_error(f, "no input", "one input");
  Node node = node_from(f, std::move(op));
  const std::vector<std::int64_t> kernel{f.attrs.integer("filter_height", 0),
                                         f.attrs.integer("filter_width", 0)};
  node.attrs.set("layout", "NHWC");
  node.attrs.set("auto_pad", f.attrs.text("padding", "SAME") == "VALID" ? "VALID" : "SAME_UPPER");
  node.attrs.set("kernel_shape", kernel);
  node.attrs.set("strides", std::vector<std::int64_t>{f.attrs.integer("stride_h", 0),
                                                      f.attrs.integer("stride_w", 0)});
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  const Shape x = graph.value(f.inputs[0]).shape;
  if (x.size() != 4) return foreign_error(f, "input " + shape_text(x), "four axes");
  const NodeId id = graph.add_node(node);
  LOCKSTEP_TRY(const Window g, window_of({graph.so_far(), graph.node(id)}, x, kernel));
  Attrs& set = graph.node(id).attrs;
  set.set("pads", std::vector<std::int64_t>{g.begin[1], g.begin[2], g.end[1], g.end[2]});
  set.values.erase("auto_pad");
  return {};
}

}  // namespace lockstep
