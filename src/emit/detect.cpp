// The end of detectors to C: boxes that stay of those that overlap.
#include <algorithm>

#include "emit/node.h"

namespace lockstep {
namespace {

constexpr std::int64_t number_bytes = 4;  // of an int32 or a float32

NodeMemory suppression_memory(const NodeView& v, const Numerics&) {
  return {number_bytes * v.input(1).shape.back(), {}};
}

Result<void> emit_suppression(NodeWriter& w) {
  const NodeView& v = w.view();
  const Shape& s = v.input(1).shape;
  w.field("batches", s[0]), w.field("classes", s[1]), w.field("boxes", s[2]);
  w.field("most", v.output(0).shape[0] / (s[0] * s[1])), w.field("rows", v.output(0).shape[0]);
  w.field("centre", v.attrs().integer("center_point_box", 0) != 0 ? 1 : 0);
  const auto one = [&](std::size_t i) {
    return v.has_input(i) ? w.in(i, "float") : std::string("NULL");
  };
  w.uses("ls_suppress.c");
  w.line("ls_suppress_overlaps(" + w.params("ls_suppress") + ", " + w.in(0, "float") + ", " +
         w.in(1, "float") + ", " + one(3) + ", " + one(4) + ", " + w.out(0, "int64_t") + ", " +
         w.scratch("int32_t") + ");");
  return {};
}

struct Detections {
  std::int64_t boxes, most, of_class, rows;
  bool by_class;
};
Detections detections_of(const NodeView& v) {
  Detections d{v.input(2).shape[0], v.attrs().integer("max_detections", 0),
               v.attrs().integer("detections_per_class", 100), v.output(1).shape[1],
               v.attrs().integer("use_regular_nms", 0) != 0};
  d.of_class = std::min(d.of_class, d.boxes);
  return d;
}

// Decoded boxes, candidates and what stays; after a class its own beside the best so far.
NodeMemory detection_memory(const NodeView& v, const Numerics&) {
  const Detections d = detections_of(v);
  return {number_bytes * (5 * d.boxes + d.most + (d.by_class ? d.of_class : 0)), {}};
}

std::string reals_text(const Value& v) {
  if (is_float(v.dtype)) return "{0.0f, 0.0f, 0}";
  return "{" + c_float(static_cast<float>(v.quant.scale_at(0))) + ", " +
         c_float(static_cast<float>(v.quant.zero_at(0))) + ", 1}";
}

Result<void> emit_detections(NodeWriter& w) {
  const NodeView& v = w.view();
  for (std::size_t o = 0; o < 4; ++o)
    if (o >= v.node.outputs.size() || v.node.outputs[o] == no_id)
      return w.unsupported("DetectionPostProcess without one of its results");
  const Detections d = detections_of(v);
  const std::int64_t columns = v.input(1).shape[2];
  w.field("boxes", d.boxes), w.field("width", v.input(0).shape[2]), w.field("columns", columns);
  w.field("first", columns - v.attrs().integer("num_classes", 0));
  w.field("most", d.most), w.field("of_class", d.of_class), w.field("rows", d.rows);
  w.field("by_class", d.by_class ? 1 : 0);
  w.field("encoding", reals_text(v.input(0))), w.field("score", reals_text(v.input(1)));
  w.field("anchor", reals_text(v.input(2)));
  for (const char* name : {"y_scale", "x_scale", "h_scale", "w_scale"})
    w.field(name, c_double(static_cast<double>(static_cast<float>(v.attrs().real(name, 1)))));
  w.field("least", c_float(static_cast<float>(v.attrs().real("nms_score_threshold", 0))));
  w.field("bound", c_float(static_cast<float>(v.attrs().real("nms_iou_threshold", 0))));
  w.uses("ls_detections.c");
  std::string call = "ls_detect(" + w.params("ls_detections");
  for (std::size_t i = 0; i < 3; ++i) call += ", " + w.in(i);
  for (std::size_t o = 0; o < 4; ++o) call += ", " + w.out(o, "float");
  w.line(call + ", " + w.scratch("float") + ");");
  return {};
}

constexpr NodeEmitter table[] = {
    {"NonMaxSuppression", suppression_memory, emit_suppression},
    {"DetectionPostProcess", detection_memory, emit_detections},
};

}  // namespace

std::span<const NodeEmitter> detect_emitters() {
  return table;
}

}  // namespace lockstep
