#include "support/kernel_case.h"

#include "base/text.h"

namespace lockstep::test {

QuantParams CaseMaker::quant(DType t, std::int64_t channels, int axis, bool zero_point) {
  QuantParams q;
  const CodeRange r = code_range(t);
  for (std::int64_t c = 0; c < channels; ++c) {
    q.scale.push_back(scale());
    q.zero.push_back(!zero_point ? 0
                                 : static_cast<std::int32_t>(coin()   ? from(r.low, r.high)
                                                             : coin() ? r.low
                                                                      : r.high));
  }
  if (channels > 1) q.axis = axis;
  return q;
}

Tensor CaseMaker::codes(DType t, Shape shape) {
  Tensor x(t, std::move(shape));
  const CodeRange r = code_range(t);
  const std::int64_t kind = from(0, 3), all = coin() ? r.low : r.high;
  for (std::int64_t i = 0; i < x.count(); ++i)
    x.set_code(i, kind == 0 ? all : kind == 1 ? (coin() ? r.low : r.high) : from(r.low, r.high));
  return x;
}

Tensor CaseMaker::bias(std::int64_t n) {
  Tensor x(DType::i32, {n});
  const std::int64_t most = coin() ? 2000 : 2147483647;
  for (std::int64_t i = 0; i < n; ++i) x.set_code(i, from(-most, most));
  return x;
}

Tensor CaseMaker::wide_bias(std::int64_t n) {
  Tensor x(DType::i64, {n});
  for (std::int64_t i = 0; i < n; ++i) x.set_code(i, from(-2000000, 2000000));
  return x;
}

Tensor CaseMaker::reals(Shape shape) {
  Tensor x(DType::f32, std::move(shape));
  for (float& v : x.as<float>()) {
    v = static_cast<float>(random_.unit() * 8 - 4);
    if (v > 3.9f) v = 0.0f;  // zeros of either sign
    if (v < -3.9f) v = -0.0f;
  }
  return x;
}

CaseBuilder::CaseBuilder(std::string op) : graph_("problem", "onnx") {
  node_.name = std::string("n");
  node_.op = std::move(op);
}

void CaseBuilder::input(Tensor t, QuantParams q, bool constant) {
  Value v;
  v.name = "i" + std::to_string(tensors_.size());
  v.dtype = t.dtype();
  v.shape = t.shape();
  v.quant = std::move(q);
  if (constant) v.constant = std::make_shared<const Tensor>(t);
  const ValueId id = graph_.add_value(v);
  if (!constant) graph_.add_input(id);
  node_.inputs.push_back(id);
  tensors_.push_back(std::move(t));
}

std::optional<KernelCase> CaseBuilder::finish(DType y, QuantParams q) {
  Value v;
  v.name = "y";
  v.dtype = y;
  v.quant = std::move(q);
  const ValueId id = graph_.add_value(v);
  node_.outputs = {id};
  const auto facts = find_op(node_.op)->infer(NodeView{graph_.so_far(), node_});
  if (!facts.ok()) return {};
  graph_.value(id).shape = (*facts)[0].shape;
  if (count_of((*facts)[0].shape) < 1) return {};
  graph_.add_output(id);
  return close();
}

// One tensor of reals for each output.
std::optional<KernelCase> CaseBuilder::finish_reals(std::size_t outputs) {
  node_.outputs.assign(outputs, no_id);
  const auto facts = find_op(node_.op)->infer(NodeView{graph_.so_far(), node_});
  if (!facts.ok()) return {};
  for (std::size_t i = 0; i < outputs; ++i) {
    Value v;
    v.name = "y" + std::to_string(i);
    v.shape = (*facts)[i].shape;
    node_.outputs[i] = graph_.add_value(v);
    graph_.add_output(node_.outputs[i]);
  }
  return close();
}

std::optional<KernelCase> CaseBuilder::finish_all(QuantParams q) {
  const std::size_t count = find_op(node_.op)->outputs.size();
  node_.outputs.assign(count, no_id);
  Value y;
  y.name = "y0";
  y.quant = std::move(q);
  node_.outputs[0] = graph_.add_value(y);
  const auto facts = find_op(node_.op)->infer(NodeView{graph_.so_far(), node_});
  if (!facts.ok()) return {};
  for (std::size_t i = 0; i < count; ++i) {
    Value v;
    v.name = "y" + std::to_string(i);
    if (i > 0) node_.outputs[i] = graph_.add_value(v);
    Value& made = graph_.value(node_.outputs[i]);
    made.dtype = (*facts)[i].dtype;
    made.shape = (*facts)[i].shape;
    if (i > 0) made.quant = (*facts)[i].quant;
    graph_.add_output(node_.outputs[i]);
  }
  return close();
}

std::optional<KernelCase> CaseBuilder::close() {
  graph_.add_node(node_);
  auto graph = std::move(graph_).finish();
  if (!graph.ok()) return {};
  KernelCase p{std::move(graph).value(), std::move(tensors_), ""};
  for (const Value& value : p.graph.values())
    p.text += " " + value.name + " " + std::string(name_of(value.dtype)) + shape_text(value.shape);
  for (const char* key : {"strides", "pads", "dilations"})
    p.text += std::string(" ") + key + shape_text(p.graph.nodes()[0].attrs.integers(key));
  p.text += " group " + std::to_string(p.graph.nodes()[0].attrs.integer("group", 1)) + " " +
            p.graph.nodes()[0].attrs.text("layout", "");
  return p;
}

}  // namespace lockstep::test
