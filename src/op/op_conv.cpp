// Convolutions as files say them, and the layout of their weights.
#include "op/op_conv.h"

#include <algorithm>

#include "base/text.h"
#include "op/op_codes.h"
#include "op/op_qlinear.h"

namespace lockstep {

Result<ConvLayout> conv_layout(const NodeView& n) {
  const Shape& w = n.input(1).shape;
  const std::string order = n.attrs().text("weights", "OIHW");
  if (w.size() < 3 || w.size() != n.input(0).shape.size())
    return Error{n.where(), "weights of shape " + shape_text(w),
                 "as many axes as the input has, three at least", ""};
  ConvLayout l;
  const int rank = static_cast<int>(w.size());
  if (order == "OHWI") {
    l.in_axis = rank - 1;
    l.kernel.assign(w.begin() + 1, w.end() - 1);
  } else if (order == "1HWO") {
    l.out_axis = rank - 1;
    l.in_axis = 0;
    l.kernel.assign(w.begin() + 1, w.end() - 1);
  } else {
    l.kernel.assign(w.begin() + 2, w.end());
  }
  l.out_channels = w[static_cast<std::size_t>(l.out_axis)];
  l.in_per_group = w[static_cast<std::size_t>(l.in_axis)];
  l.group = n.attrs().integer("group", 1);
  const std::int64_t channels =
      n.attrs().text("layout", "NCHW") == "NHWC" ? n.input(0).shape.back() : n.input(0).shape[1];
  if (l.group < 1 || l.in_per_group < 1 || l.in_per_group * l.group != channels ||
      l.out_channels % l.group != 0)
    return Error{
        n.where(),
        std::to_string(channels) + " channels, group " + std::to_string(l.group) + ", weights " +
            shape_text(w),
        "channels = group * the weights' input channels, and output channels a multiple of group",
        ""};
  return l;
}

namespace {

// TFLite's kernels take int8 weights as symmetric and read no zero point (N55). The tensor's other
// readers and its maker do, so the node gets one of its own.
void leave_out_zero_points(GraphBuilder& graph, Node& node) {
  const ValueId id = node.inputs[1];
  Value own = graph.value(id);
  if (own.dtype != DType::i8 || std::ranges::count(own.quant.zero, 0) == std::ssize(own.quant.zero))
    return;
  if (graph.value(node.inputs[0]).quant.quantized()) node.attrs.set("off_centre", std::int64_t{1});
  own.name = graph.unique_name(own.name + "/symmetric");
  own.producer = no_id;
  std::ranges::fill(own.quant.zero, 0);
  const bool made = !own.constant;
  node.inputs[1] = graph.add_value(std::move(own));
  if (!made) return;
  Node same;
  same.name = graph.unique_node_name(node.name + "/symmetric");
  same.op = "Cast";
  same.attrs.set("to", std::string(name_of(DType::i8)));
  same.inputs = {id};
  same.outputs = {node.inputs[1]};
  same.origin = node.origin;
  graph.add_node(std::move(same));
}

}  // namespace

Result<void> conv_from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  if (f.inputs.size() < 2 || f.inputs[0] == no_id || f.inputs[1] == no_id)
    return foreign_error(f, std::to_string(f.inputs.size()) + " inputs", "input, weights and bias");
  Node node = node_from(f, "Conv");
  const bool depthwise = f.op == "DEPTHWISE_CONV_2D";
  leave_out_zero_points(graph, node);
  node.attrs.set("layout", "NHWC");
  node.attrs.set("weights", depthwise ? "1HWO" : "OHWI");
  node.attrs.set("auto_pad", f.attrs.text("padding", "SAME") == "VALID" ? "VALID" : "SAME_UPPER");
  node.attrs.set("strides", std::vector<std::int64_t>{f.attrs.integer("stride_h", 0),
                                                      f.attrs.integer("stride_w", 0)});
  node.attrs.set("dilations", std::vector<std::int64_t>{f.attrs.integer("dilation_h_factor", 1),
                                                        f.attrs.integer("dilation_w_factor", 1)});
  const Shape &x = graph.value(f.inputs[0]).shape, &w = graph.value(f.inputs[1]).shape;
  if (x.size() != 4 || w.size() != 4 || w[3] == 0)
    return foreign_error(f, "input " + shape_text(x) + ", weights " + shape_text(w),
                         "four axes each");
  node.attrs.set("group", depthwise ? x[3] : x[3] / w[3]);
  if (f.attrs.integer("filter_axis", 0) != 0) node.attrs.set("undelegated", std::int64_t{1});
  LOCKSTEP_CHECK(read_activation(f, node.attrs));
  // The window's pads are written out, so that whoever edits the node sees them.
  return write_out_pads(graph, graph.add_node(node), {w[1], w[2]});
}

// kernel_shape says what the weights' shape says; the pads of auto_pad are written out.
Result<void> conv_from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(
      known_attributes(f, {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}));
  if (!has_input(f, 0) || !has_input(f, 1))
    return foreign_error(f, std::to_string(f.inputs.size()) + " inputs", "input, weights and bias");
  const Shape w = graph.value(f.inputs[1]).shape;
  const std::vector<std::int64_t> kernel(w.begin() + std::min<std::ptrdiff_t>(2, std::ssize(w)),
                                         w.end());
  if (f.attrs.has("kernel_shape") && f.attrs.integers("kernel_shape") != kernel)
    return foreign_error(f, "kernel_shape " + shape_text(f.attrs.integers("kernel_shape")),
                         shape_text(kernel) + " as the weights have");
  Attrs a = f.attrs;
  a.values.erase("kernel_shape");
  if (const std::string rule = a.text("auto_pad", "NOTSET"); !rule.empty() && rule != "NOTSET")
    a.set("by_rule", std::int64_t{1});
  a.set("layout", "NCHW");
  LOCKSTEP_CHECK(add_like(f, graph, "Conv", f.inputs, std::move(a)));
  const auto id = static_cast<NodeId>(graph.so_far().nodes().size() - 1);
  return write_out_pads(graph, id, kernel);
}

}  // namespace lockstep
