#include <gtest/gtest.h>

#include "import/import.h"
#include "npu/lowered_net.h"
#include "npu/lowered_program.h"
#include "support/shared.h"

namespace lockstep {
namespace {

using test::Net;

std::int64_t& number(NpuUnit& u, const char* field) {
  return u.fields[field].integer;
}

bool names(const std::vector<NpuFinding>& found, const char* rule, int epoch) {
  return std::ranges::any_of(
      found, [&](const NpuFinding& f) { return f.rule == rule && f.epoch == epoch; });
}

// An input in the file's order, which a copy brings into the accelerator's.
Graph one_layer() {
  Net n(5);
  const ValueId x = n.input({1, 4, 6, 7});
  return n.finish(n.conv(x, 8, {3, 3}, {1, 1}, {1, 1, 1, 1}));
}

TEST(NpuAuditMoves, a_copy_whose_rows_are_its_columns_is_named_itself) {
  const Graph g = one_layer();
  NpuProgram p = test::lowered(g);
  ASSERT_TRUE(test::errors_in(p, g).empty());
  ASSERT_EQ(p.epochs[0].nodes[0].second, "Identity");
  for (NpuUnit& u : p.epochs[0].units)
    if (number(u, "dir") == 1) std::swap(number(u, "fwidth"), number(u, "fheight"));
  EXPECT_TRUE(names(test::errors_in(p, g), "copy-wrong", p.epochs[0].number));
}

TEST(NpuAuditMoves, kernels_that_are_read_from_their_second_byte_on_are_named_where_they_are_read) {
  const Graph g = one_layer();
  NpuProgram p = test::lowered(g);
  int epoch = 0;
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (u.id.kind == NpuKind::stream && u.buffer.find("weights") != std::string::npos)
        number(u, "offset_start") += 1, epoch = e.number;
  ASSERT_GT(epoch, 0);
  EXPECT_TRUE(names(test::errors_in(p, g), "constants-late", epoch));
}

// Two layers of one shape: the second reads the first's kernels.
TEST(NpuAuditMoves,
     the_kernels_of_another_layer_of_the_same_shape_are_named_at_the_layer_that_reads_them) {
  Net n(6);
  ValueId x = n.input({1, 8, 5, 5});
  for (int i = 0; i < 3; ++i) x = n.conv(x, 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 1, -20);
  const Graph g = n.finish(x);
  NpuProgram p = test::lowered(g);
  std::vector<std::pair<int, NpuUnit*>> kernels;
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (u.id.kind == NpuKind::stream && u.buffer.find("weights") != std::string::npos)
        kernels.emplace_back(e.number, &u);
  ASSERT_GE(kernels.size(), 3u);
  auto& [epoch, second] = kernels[kernels.size() / 2];
  for (const char* field : {"addr_base", "offset_start", "offset_end"})
    number(*second, field) = number(*kernels[0].second, field);
  second->buffer = kernels[0].second->buffer;
  const auto found = test::errors_in(p, g);
  EXPECT_TRUE(names(found, "weights-differ", epoch));
  EXPECT_FALSE(names(found, "weights-differ", kernels[0].first));
}

TEST(NpuAuditMoves, a_library_call_that_looks_for_its_input_elsewhere_is_named) {
  LOCKSTEP_NEEDS_SHARED();
  const std::string folder = test::shared_folder() + "/models/";
  auto p = read_npu_program(folder + "neural-art/stft_tcnn.program.json");
  const auto model = import_model(folder + "st/stft_tcnn_medium_257x40_qdq_int8.onnx");
  ASSERT_TRUE(p.ok() && model.ok());
  for (NpuEpoch& e : p->epochs)
    if (e.number == 23)
      for (auto& [name, table] : e.tables)
        for (NpuFields& row : table.rows)
          if (name.find("_in_") != std::string::npos && row.contains("offset_start"))
            row["offset_start"].integer += 64, row["offset_end"].integer += 64;
  EXPECT_TRUE(names(test::errors_in(*p, *model), "no-such-buffer", 23));
}

}  // namespace
}  // namespace lockstep
