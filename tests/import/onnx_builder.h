#pragma once

#include <gtest/gtest.h>

#include "import/import.h"
#include "import/onnx_proto.h"
#include "run/executor.h"

namespace lockstep::test {

// An ONNX file as a test writes it, and what the importer makes of its bytes.
struct OnnxBuilder {
  onnx::ModelProto model;

  explicit OnnxBuilder(std::int64_t opset = 17) {
    model.set_ir_version(8);
    model.add_opset_import()->set_version(opset);
    model.mutable_graph()->set_name("g");
  }
  OnnxBuilder& input(const std::string& name, const std::vector<std::int64_t>& dims,
                     int type = onnx::TensorProto::FLOAT) {
    describe(model.mutable_graph()->add_input(), name, dims, type);
    return *this;
  }
  OnnxBuilder& output(const std::string& name) {
    describe(model.mutable_graph()->add_output(), name, {}, onnx::TensorProto::FLOAT);
    return *this;
  }
  template <class T>
  OnnxBuilder& constant(const std::string& name, const std::vector<std::int64_t>& dims,
                        const std::vector<T>& elements, int type) {
    auto* t = model.mutable_graph()->add_initializer();
    t->set_name(name);
    t->set_data_type(type);
    for (const auto d : dims) t->add_dims(d);
    t->set_raw_data(elements.data(), elements.size() * sizeof(T));
    return *this;
  }
  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs) {
    return add_node(*model.mutable_graph(), op, inputs, outputs);
  }
  static onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& op,
                                   const std::vector<std::string>& inputs,
                                   const std::vector<std::string>& outputs) {
    auto* n = graph.add_node();
    n->set_op_type(op);
    n->set_name(op + std::to_string(graph.node_size()));
    for (const auto& i : inputs) n->add_input(i);
    for (const auto& o : outputs) n->add_output(o);
    return *n;
  }
  static void describe(onnx::ValueInfoProto* info, const std::string& name,
                       const std::vector<std::int64_t>& dims, int type) {
    info->set_name(name);
    auto* t = info->mutable_type()->mutable_tensor_type();
    t->set_elem_type(type);
    t->mutable_shape();
    for (const auto d : dims) t->mutable_shape()->add_dim()->set_dim_value(d);
  }
  Result<Graph> import(const ImportOptions& options = {}) const {
    return import_text(model.SerializeAsString(), options);
  }
  static Result<Graph> import_text(const std::string& text, const ImportOptions& options = {}) {
    return import_onnx_bytes(std::as_bytes(std::span(text)), "m.onnx", options);
  }
};

inline void set_ints(onnx::NodeProto& node, const std::string& name,
                     const std::vector<std::int64_t>& list) {
  auto* a = node.add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::INTS);
  for (const auto i : list) a->add_ints(i);
}

inline void set_int(onnx::NodeProto& node, const std::string& name, std::int64_t i) {
  auto* a = node.add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::INT);
  a->set_i(i);
}

inline void set_text(onnx::NodeProto& node, const std::string& name, const std::string& text) {
  auto* a = node.add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::STRING);
  a->set_s(text);
}

inline Tensor run_float(const Graph& graph, const Sample& inputs, const std::string& wanted) {
  const auto executor = Executor::make(graph, *find_arithmetic("float"));
  EXPECT_TRUE(executor.ok()) << executor.error().line();
  const auto capture = executor->run({&inputs, 1}, std::vector{wanted});
  EXPECT_TRUE(capture.ok()) << capture.error().line();
  return capture->samples[0].at(wanted);
}

inline Tensor floats(Shape shape, std::vector<float> elements) {
  return Tensor::of<float>(std::move(shape), elements);
}

inline void expect_refused(const Result<Graph>& g, const std::vector<std::string>& parts) {
  ASSERT_FALSE(g.ok());
  for (const std::string& part : parts)
    EXPECT_NE((g.error().where + " " + g.error().what + " " + g.error().want).find(part),
              std::string::npos)
        << part << " in " << g.error().line();
}

// s' = s + x[t], y[t] = s'
inline OnnxBuilder running_sum() {
  OnnxBuilder m;
  m.input("start", {1}).input("x", {3, 1}).output("last").output("sums");
  auto& scan = m.node("Scan", {"start", "x"}, {"last", "sums"});
  set_int(scan, "num_scan_inputs", 1);
  auto* a = scan.add_attribute();
  a->set_name("body");
  a->set_type(onnx::AttributeProto::GRAPH);
  auto* body = a->mutable_g();
  OnnxBuilder::describe(body->add_input(), "s", {1}, onnx::TensorProto::FLOAT);
  OnnxBuilder::describe(body->add_input(), "v", {1}, onnx::TensorProto::FLOAT);
  OnnxBuilder::add_node(*body, "Add", {"s", "v"}, {"next"});
  OnnxBuilder::add_node(*body, "Identity", {"next"}, {"out"});
  OnnxBuilder::describe(body->add_output(), "next", {1}, onnx::TensorProto::FLOAT);
  OnnxBuilder::describe(body->add_output(), "out", {1}, onnx::TensorProto::FLOAT);
  return m;
}

// for i < 3: s = s * 2
inline OnnxBuilder doubling(bool constant_trips) {
  OnnxBuilder m;
  m.input("start", {1}).output("last");
  if (constant_trips)
    m.constant<std::int64_t>("trips", {}, {3}, onnx::TensorProto::INT64);
  else
    m.input("trips", {}, onnx::TensorProto::INT64);
  auto& loop = m.node("Loop", {"trips", "", "start"}, {"last"});
  auto* a = loop.add_attribute();
  a->set_name("body");
  a->set_type(onnx::AttributeProto::GRAPH);
  auto* body = a->mutable_g();
  for (const char* const name : {"i", "go", "s"})
    OnnxBuilder::describe(body->add_input(), name, {}, onnx::TensorProto::FLOAT);
  OnnxBuilder::add_node(*body, "Identity", {"go"}, {"still"});
  OnnxBuilder::add_node(*body, "Add", {"s", "s"}, {"next"});
  for (const char* const name : {"still", "next"})
    OnnxBuilder::describe(body->add_output(), name, {}, onnx::TensorProto::FLOAT);
  return m;
}

}  // namespace lockstep::test
