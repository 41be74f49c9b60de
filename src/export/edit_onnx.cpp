#include <algorithm>
#include <map>
#include <set>

#ifndef ONNX_ML
#define ONNX_ML  // the schema with everything in it
#endif
#include <onnx/onnx_pb.h>

#include "base/text.h"
#include "export/edit.h"

namespace lockstep {
namespace {

std::int32_t number_of(DType t) {
  using P = onnx::TensorProto;
  switch (t) {
    case DType::f32:
      return P::FLOAT;
    case DType::f64:
      return P::DOUBLE;
    case DType::f16:
      return P::FLOAT16;
    case DType::i8:
      return P::INT8;
    case DType::u8:
      return P::UINT8;
    case DType::i16:
      return P::INT16;
    case DType::u16:
      return P::UINT16;
    case DType::i32:
      return P::INT32;
    case DType::u32:
      return P::UINT32;
    case DType::i64:
      return P::INT64;
    case DType::u64:
      return P::UINT64;
    case DType::boolean:
      return P::BOOL;
  }
  return P::UNDEFINED;
}

Result<onnx::ModelProto> parse(std::span<const std::byte> bytes, const std::string& file) {
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph())
    return Error{file, "not an ONNX model", "a ModelProto with a graph", ""};
  return model;
}

Bytes bytes_of(const onnx::ModelProto& model) {
  const std::string text = model.SerializeAsString();
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

const onnx::ValueInfoProto* declared(const onnx::GraphProto& g, const std::string& name) {
  for (const auto* list : {&g.input(), &g.value_info(), &g.output()})
    for (const onnx::ValueInfoProto& v : *list)
      if (v.name() == name) return &v;
  return nullptr;
}

// As the file declares it, else by the imported graph.
Result<onnx::ValueInfoProto> info_of(const onnx::GraphProto& g, const Graph& graph,
                                     const std::string& name) {
  if (const onnx::ValueInfoProto* held = declared(g, name);
      held && held->type().tensor_type().has_shape())
    return *held;
  const ValueId id = graph.find_value(name);
  if (id == no_id)
    return Error{graph.file(), "tensor '" + name + "' has no known type",
                 "a tensor of the model's main graph", ""};
  onnx::ValueInfoProto made;
  made.set_name(name);
  auto& type = *made.mutable_type()->mutable_tensor_type();
  type.set_elem_type(number_of(graph.value(id).dtype));
  type.mutable_shape();
  for (const std::int64_t extent : graph.value(id).shape)
    type.mutable_shape()->add_dim()->set_dim_value(extent);
  return made;
}

void reshape(onnx::ValueInfoProto& info, const std::map<std::string, Shape>& shapes) {
  const auto it = shapes.find(info.name());
  if (it == shapes.end()) return;
  auto& shape = *info.mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.Clear();
  for (const std::int64_t extent : it->second) shape.add_dim()->set_dim_value(extent);
}

std::map<std::string, int> makers(const onnx::GraphProto& g) {
  std::map<std::string, int> made;
  for (int n = 0; n < g.node_size(); ++n)
    for (const std::string& name : g.node(n).output())
      if (!name.empty()) made[name] = n;
  return made;
}

// Names that a node reads, those of its subgraphs included.
void reads_of(const onnx::NodeProto& node, std::vector<std::string>& names) {
  for (const std::string& name : node.input())
    if (!name.empty()) names.push_back(name);
  for (const onnx::AttributeProto& a : node.attribute()) {
    for (const onnx::NodeProto& inner : a.g().node()) reads_of(inner, names);
    for (const onnx::GraphProto& g : a.graphs())
      for (const onnx::NodeProto& inner : g.node()) reads_of(inner, names);
  }
}

template <class List, class Keep>
void keep_only(List& list, Keep&& keep) {
  List kept;
  for (const auto& item : list)
    if (keep(item)) *kept.Add() = item;
  list.Swap(&kept);
}

}  // namespace

Result<Bytes> onnx_with_outputs(std::span<const std::byte> bytes, const Graph& graph,
                                std::span<const std::string> tensors) {
  LOCKSTEP_TRY(onnx::ModelProto model, parse(bytes, graph.file()));
  onnx::GraphProto& g = *model.mutable_graph();
  const auto made = makers(g);
  for (const std::string& name : tensors) {
    const bool there =
        std::ranges::any_of(g.output(), [&](const auto& v) { return v.name() == name; });
    if (there) continue;
    if (!made.contains(name)) {
      std::vector<std::string> names;
      for (const auto& [tensor, node] : made) names.push_back(tensor);
      const std::string near = nearest(name, names);
      return Error{graph.file(), "no node makes a tensor '" + name + "'",
                   "a tensor of the file's main graph",
                   near.empty() ? "" : "did you mean '" + near + "'?"};
    }
    LOCKSTEP_TRY(*g.add_output(), info_of(g, graph, name));
  }
  return bytes_of(model);
}

Result<Bytes> onnx_between(std::span<const std::byte> bytes, const Graph& graph,
                           std::span<const std::string> inputs,
                           std::span<const std::string> outputs,
                           const std::map<std::string, Shape>& shapes) {
  LOCKSTEP_TRY(onnx::ModelProto model, parse(bytes, graph.file()));
  onnx::GraphProto& g = *model.mutable_graph();
  const auto made = makers(g);
  std::set<std::string> given(inputs.begin(), inputs.end()), constants, wanted;
  for (const onnx::TensorProto& t : g.initializer()) constants.insert(t.name());
  std::set<int> nodes;
  std::vector<std::string> open(outputs.begin(), outputs.end());
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    if (given.contains(name) || !wanted.insert(name).second || constants.contains(name)) continue;
    const auto maker = made.find(name);
    if (maker == made.end())
      return Error{graph.file(), "tensor '" + name + "' is needed",
                   "it among the tensors that the part starts from", ""};
    if (nodes.insert(maker->second).second) reads_of(g.node(maker->second), open);
  }
  std::vector<onnx::ValueInfoProto> ins, outs;
  for (const std::string& name : inputs) {
    LOCKSTEP_TRY(ins.emplace_back(), info_of(g, graph, name));
    reshape(ins.back(), shapes);
  }
  for (const std::string& name : outputs) {
    LOCKSTEP_TRY(outs.emplace_back(), info_of(g, graph, name));
    reshape(outs.back(), shapes);
  }
  int at = 0;
  keep_only(*g.mutable_node(), [&](const auto&) { return nodes.contains(at++); });
  keep_only(*g.mutable_initializer(),
            [&](const auto& t) { return wanted.contains(t.name()) && !given.contains(t.name()); });
  keep_only(*g.mutable_quantization_annotation(), [&](const auto& q) {
    return wanted.contains(q.tensor_name()) || given.contains(q.tensor_name());
  });
  g.clear_input();
  g.clear_output();
  for (auto& v : ins) *g.add_input() = std::move(v);
  for (auto& v : outs) *g.add_output() = std::move(v);
  // extents of what lies between follow from the inputs
  keep_only(*g.mutable_value_info(), [&](const auto& v) {
    return shapes.empty() && wanted.contains(v.name()) &&
           std::ranges::find(outputs, v.name()) == outputs.end();
  });
  return bytes_of(model);
}

bool is_tflite(std::span<const std::byte> model) {
  constexpr std::string_view magic = "TFL3";
  return model.size() >= 8 &&
         std::equal(magic.begin(), magic.end(), reinterpret_cast<const char*>(model.data()) + 4);
}

Result<Bytes> with_outputs(std::span<const std::byte> model, const Graph& graph,
                           std::span<const std::string> tensors) {
  return is_tflite(model) ? tflite_with_outputs(model, graph, tensors)
                          : onnx_with_outputs(model, graph, tensors);
}

}  // namespace lockstep
