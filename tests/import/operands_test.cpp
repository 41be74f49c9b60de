#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "import/import.h"
#include "support/folders.h"

namespace lockstep {
namespace {

// A computed tensor, a constant of two integers, and one of four reals.
std::vector<ValueId> operands_in(GraphBuilder& graph) {
  std::vector<ValueId> ids;
  for (int k = 0; k < 3; ++k) {
    Value v;
    v.name = "v" + std::to_string(k);
    v.dtype = k == 1 ? DType::i64 : DType::f32;
    v.shape = k == 0 ? Shape{1, 2, 3, 4} : k == 1 ? Shape{2} : Shape{4};
    if (k > 0) v.constant = std::make_shared<const Tensor>(v.dtype, v.shape);
    ids.push_back(graph.add_value(std::move(v)));
  }
  graph.add_input(ids[0]);
  return ids;
}

// `pick` in base 4: which operand stands at each place; 3: none.
bool is_a_node(const OpDef& op, const Foreign& row, int inputs, int pick, int outputs) {
  GraphBuilder graph("m", row.format == Format::onnx ? "onnx" : "tflite");
  const std::vector<ValueId> there = operands_in(graph);
  ForeignNode node;
  node.format = row.format;
  node.op = row.op;
  node.version = 1;
  node.name = "n", node.where = "m: n";
  for (int k = 0; k < inputs; ++k, pick /= 4)
    node.inputs.push_back(pick % 4 == 3 ? no_id : there[static_cast<std::size_t>(pick % 4)]);
  for (int k = 0; k < outputs; ++k) {
    Value y;
    y.name = "y" + std::to_string(k);
    node.outputs.push_back(graph.add_value(std::move(y)));
  }
  if (!map_foreign(node, {&op, &row}, graph).ok()) return false;
  return settle_nodes(graph, 0).ok();
}

TEST(Operands, any_number_of_any_kind_is_a_node_or_an_error_for_every_operator) {
  int nodes = 0, errors = 0;
  for (const OpDef* op : op_table())
    for (const Foreign& row : op->from)
      for (int inputs = 0; inputs <= 6; ++inputs)
        for (int pick = 0; pick < (inputs < 4 ? 1 << 2 * inputs : 64); ++pick)
          for (int outputs = 0; outputs <= 2; ++outputs)
            ++(is_a_node(*op, row, inputs, pick * (inputs < 4 ? 1 : 85), outputs) ? nodes : errors);
  EXPECT_GT(nodes, 100);
  EXPECT_GT(errors, 1000);
}

// Each seed of the fuzzers of models, among them the files with which they found something.
TEST(Operands, files_that_broke_a_reader_are_sound_graphs_or_errors) {
  int seen = 0;
  for (const char* reader : {"onnx", "tflite"}) {
    const auto folder = std::filesystem::path(test::source_folder()) / "tests/fuzz/seeds" /
                        (std::string("fuzz_") + reader);
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const auto bytes = read_file(entry.path().string());
      ASSERT_TRUE(bytes.ok());
      const auto graph = std::string(reader) == "onnx" ? import_onnx_bytes(*bytes, "seed.onnx")
                                                       : import_tflite_bytes(*bytes, "seed.tflite");
      EXPECT_TRUE(!graph.ok() || verify(*graph).ok()) << entry.path();
      if (!graph.ok()) {
        EXPECT_EQ(graph.error().line().find("memory"), std::string::npos) << entry.path();
      }
      ++seen;
    }
  }
  EXPECT_GE(seen, 9);
}

}  // namespace
}  // namespace lockstep
