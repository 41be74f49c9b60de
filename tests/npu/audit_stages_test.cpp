#include <gtest/gtest.h>

#include "import/import.h"
#include "npu/audit.h"
#include "npu/network_c.h"
#include "npu/small_program.h"
#include "support/shared.h"

namespace lockstep {
namespace {

TEST(AuditStages, a_graph_agrees_with_itself_and_departs_from_another) {
  LOCKSTEP_NEEDS_SHARED();
  const auto a = import_model(test::shared_folder() + "/models/st/yamnet_1024_64x96_qdq_int8.onnx");
  const auto b =
      import_model(test::shared_folder() + "/models/st/stft_tcnn_medium_257x40_qdq_int8.onnx");
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(compare_graphs(*a, *a).empty());
  const auto found = compare_graphs(*a, *b);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].rule, "graph-departs");
}

TEST(AuditStages, side_files_of_another_build_are_errors) {
  const NpuProgram p = test::small_program();
  NpuSideFiles side;
  side.buffers = p.buffers;
  side.epochs.push_back({1, "HW", {}, {}, 0, 0, 0});
  EXPECT_TRUE(audit_build(p, side).empty());
  side.buffers[1].start += 32, side.buffers[1].end += 32;
  side.epochs[0].mapping = "SW";
  const auto found = audit_build(p, side);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].rule, "mixed-build");
}

TEST(AuditStages, a_blob_that_the_header_lacks_is_named) {
  const auto text = format_network_c_with_blobs(test::small_program(), "n_ecblobs.h");
  ASSERT_TRUE(text.ok());
  std::string c = text->c;
  const std::size_t at = c.find("_ec_blob_1)");
  ASSERT_NE(at, std::string::npos);
  c.replace(at, 10, "_ec_blob_7");
  const NpuBlobText blobs{"n_ecblobs.h", text->header};
  const auto p = parse_network_c(c, "network.c", &blobs);
  ASSERT_FALSE(p.ok());
  EXPECT_NE(p.error().line().find("_ec_blob_7"), std::string::npos) << p.error().line();
}

}  // namespace
}  // namespace lockstep
