#include <gtest/gtest.h>

#include "diagnose/judge.h"
#include "support/nets.h"

namespace lockstep {
namespace {

// An unexplained operation of x -> r1 -> r2 -> r3 -> y on a device whose input bytes were not recorded.
std::string next_for(const std::string& node, const std::string& tensor) {
  const Graph g = test::relu_chain();
  const Executor reference = test::executor(g);
  std::vector<Sample> device(1);
  device[0].emplace(tensor, Tensor(DType::f32, {1, 4, 6, 6}));
  const Case c{.reference = reference, .recorded = {{}, {}, device, StateMode::reset}, .tolerance = {}, .others = {}, .search = {}, .carriers = {}, .model = "m", .target = "t", .input = "", .units = {}};
  Verdict v;
  Row row;
  row.value = g.find_value(tensor);
  row.node = g.find_node(node);
  row.segment = {row.node};
  row.tensor = tensor;
  v.comparison.rows = {row};
  v.suspects.resize(1);
  std::string all;
  for (const std::string& line : capture_next(c, v)) all += line + "\n";
  return all;
}

TEST(CaptureNext, asks_for_the_input_bytes_only_where_the_operation_reads_them) {
  EXPECT_NE(next_for("r1", "t1").find("record the input bytes"), std::string::npos) << next_for("r1", "t1");
  EXPECT_EQ(next_for("r2", "t2").find("record the input bytes"), std::string::npos) << next_for("r2", "t2");
}

}  // namespace
}  // namespace lockstep
