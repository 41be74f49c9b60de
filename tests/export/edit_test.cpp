#include "export/edit.h"

#include <gtest/gtest.h>

#ifndef ONNX_ML
#define ONNX_ML
#endif
#include <onnx/onnx_pb.h>

#include "import/import.h"
#include "run/executor.h"
#include "support/folders.h"
#include "support/nets.h"
#include "support/shared.h"
#include "support/temporary.h"

namespace lockstep {
namespace {

std::string s1() {
  return test::source_folder() + "/examples/s1/tcn_int8.onnx";
}
const std::string add = "/block2/add_out_QuantizeLinear_Output";

struct Original {
  Bytes bytes = *read_file(s1());
  Graph graph = *import_model(s1());
};

std::vector<std::string> names(const Graph& g, std::span<const ValueId> ids) {
  std::vector<std::string> found;
  for (const ValueId id : ids) found.push_back(g.value(id).name);
  return found;
}

// A quantized tensor inside s1: what the third Add's quantizer makes.
std::string inner(const Graph& g) {
  const NodeId n = g.find_node("/block2/add");
  EXPECT_NE(n, no_id);
  ValueId y = g.node(n).outputs[0];
  while (!is_integer(g.value(y).dtype)) y = g.node(g.consumers(y)[0]).outputs[0];
  return g.value(y).name;
}

TEST(Edit, more_outputs_change_nothing_else) {
  const Original o;
  const std::string wanted[] = {inner(o.graph)};
  const auto made = with_outputs(o.bytes, o.graph, wanted);
  ASSERT_TRUE(made.ok()) << made.error().line();
  onnx::ModelProto before, after;
  ASSERT_TRUE(before.ParseFromArray(o.bytes.data(), static_cast<int>(o.bytes.size())));
  ASSERT_TRUE(after.ParseFromArray(made->data(), static_cast<int>(made->size())));
  ASSERT_EQ(after.graph().output_size(), before.graph().output_size() + 1);
  EXPECT_EQ(after.graph().output(before.graph().output_size()).name(), wanted[0]);
  EXPECT_EQ(after.graph().output(before.graph().output_size()).type().tensor_type().elem_type(),
            onnx::TensorProto::INT8);
  after.mutable_graph()->mutable_output()->RemoveLast();
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
}

TEST(Edit, an_exposed_model_computes_the_same) {
  const Original o;
  const std::string wanted[] = {inner(o.graph)};
  const auto made = with_outputs(o.bytes, o.graph, wanted);
  ASSERT_TRUE(made.ok());
  const auto graph = import_onnx_bytes(*made, "exposed.onnx");
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_EQ(names(*graph, graph->outputs()).back(), wanted[0]);
  const auto samples = test::random_samples(o.graph, 2);
  const auto a = test::executor(o.graph, "ort").run(samples),
             b = test::executor(*graph, "ort").run(samples);
  for (std::size_t s = 0; s < samples.size(); ++s)
    for (const std::string& name : names(*graph, graph->outputs()))
      EXPECT_EQ(a->samples[s].at(name), b->samples[s].at(name)) << name;
}

TEST(Edit, unknown_tensors_are_refused_with_the_nearest) {
  const Original o;
  const std::string wanted[] = {inner(o.graph) + "x"};
  const auto made = with_outputs(o.bytes, o.graph, wanted);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().hint.find(inner(o.graph)), std::string::npos) << made.error().line();
  EXPECT_FALSE(with_outputs(Bytes(100, std::byte{1}), o.graph, wanted).ok());
}

TEST(Edit, a_part_between_tensors_computes_what_it_did_inside) {
  const Original o;
  const Executor whole = test::executor(o.graph, "ort");
  const NodeId n = whole.graph().find_node("/block2/add");
  const auto samples = test::random_samples(o.graph, 1);
  const auto all = whole.run(samples);
  const std::vector<std::string> in = names(whole.graph(), whole.graph().node(n).inputs),
                                 out = names(whole.graph(), whole.graph().node(n).outputs);
  const auto made = onnx_between(o.bytes, o.graph, in, out);
  ASSERT_TRUE(made.ok()) << made.error().line();
  EXPECT_LT(made->size(), o.bytes.size() / 10);
  const auto graph = import_onnx_bytes(*made, "part.onnx");
  ASSERT_TRUE(graph.ok()) << graph.error().line();
  EXPECT_EQ(names(*graph, graph->inputs()), in);
  Sample fed;
  for (const std::string& name : in) fed.emplace(name, all->samples[0].at(name));
  const auto part = test::executor(*graph, "ort").run({&fed, 1}, out);
  ASSERT_TRUE(part.ok()) << part.error().line();
  EXPECT_EQ(part->samples[0].at(out[0]), all->samples[0].at(out[0]));
}

TEST(Edit, a_part_that_needs_more_than_it_is_given_is_refused) {
  const Original o;
  const std::string out[] = {inner(o.graph)};
  EXPECT_FALSE(onnx_between(o.bytes, o.graph, {}, out).ok());
}

TEST(Edit, tflite_outputs_are_added_behind_the_file) {
  LOCKSTEP_NEEDS_SHARED();
  const std::string path = test::shared_folder() + "/models/mlperf/kws_ref_model_int8.tflite";
  const Bytes bytes = *read_file(path);
  const Graph g = *import_model(path);
  const std::string wanted[] = {g.value(g.nodes()[2].outputs[0]).name};
  const auto made = with_outputs(bytes, g, wanted);
  ASSERT_TRUE(made.ok()) << made.error().line();
  EXPECT_LE(made->size(), bytes.size() + 16);
  const test::TemporaryFolder folder;
  const std::string file = folder / "exposed.tflite";
  ASSERT_TRUE(write_file(file, *made).ok());
  const auto again = import_model(file);
  ASSERT_TRUE(again.ok()) << again.error().line();
  EXPECT_EQ(names(*again, again->outputs()).back(), wanted[0]);
  std::size_t differing = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) differing += bytes[i] != (*made)[i];
  EXPECT_LE(differing, 4u);  // the one offset
  EXPECT_FALSE(with_outputs(std::span(bytes).first(bytes.size() / 2), g, wanted).ok());
}

}  // namespace
}  // namespace lockstep
