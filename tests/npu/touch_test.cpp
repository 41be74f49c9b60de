#include "npu/touch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "import/import.h"
#include "npu/audit.h"
#include "npu/network_c.h"
#include "npu/small_program.h"
#include "support/shared.h"

namespace lockstep {
namespace {

NpuBuffer bytes_at(std::string name, int epoch, std::int64_t start, std::int64_t size) {
  NpuBuffer b;
  b.name = std::move(name), b.epoch = epoch, b.base = test::ram, b.start = start,
  b.end = start + size;
  b.shape = b.mem_shape = {1, 1, 1, size};
  b.chpos = "CHPos_Last", b.type = "DataType_INT8", b.batch = static_cast<int>(size);
  b.scale = {1}, b.zero = {0};
  return b;
}

// A copy of `size` bytes without names: what ST's blobs leave of one.
NpuEpoch copy(int number, std::int64_t from, std::int64_t to, std::int64_t size) {
  NpuEpoch e;
  e.number = number;
  const NpuUnitId in{NpuKind::stream, 0}, out{NpuKind::stream, 1};
  for (const auto& [id, at, dir] : {std::tuple{in, from, 0}, std::tuple{out, to, 1}})
    e.units.push_back({id, dir ? "out" : "in", "",
                       test::fields({{"dir", dir},
                                     {"raw", 1},
                                     {"addr_base", static_cast<std::int64_t>(test::ram)},
                                     {"offset_start", at},
                                     {"offset_end", at + size},
                                     {"frame_tot_cnt", 1},
                                     {"nbits_in", 8},
                                     {"nbits_out", 8}})});
  e.links = {test::link(in, out)};
  return e;
}

std::vector<NpuFinding> errors_of(NpuProgram p) {
  name_npu_streams(p);
  const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(p)));
  EXPECT_TRUE(sim.ok());
  auto found = audit_npu(*sim, nullptr);
  EXPECT_TRUE(found.ok());
  std::erase_if(*found, [](const NpuFinding& f) { return f.severity != NpuSeverity::error; });
  return *found;
}

// x (64) -> the two halves of a Split, in place of one another -> both together.
NpuProgram split_program() {
  NpuProgram p;
  p.pools.push_back({"ram", test::ram, 4096, false});
  p.buffers = {bytes_at("x", 0, 0, 64), bytes_at("Split_1_out_0", 1, 64, 32),
               bytes_at("Split_1_out_1", 1, 96, 32), bytes_at("Concat_2_out_0", 2, 128, 64)};
  p.epochs = {copy(1, 0, 64, 64), copy(2, 64, 128, 64)};
  return p;
}

TEST(NpuTouch, outputs_that_lie_side_by_side_are_read_and_written_as_one) {
  EXPECT_TRUE(errors_of(split_program()).empty());
}

TEST(NpuTouch, an_unnamed_stream_takes_the_tensor_that_its_maker_left_whole) {
  NpuProgram p = split_program();
  // A later, smaller tensor over the place of x: read as itself, x is gone by then.
  p.buffers.push_back(bytes_at("Relu_3_out_0", 3, 0, 16));
  p.buffers.push_back(bytes_at("Relu_4_out_0", 4, 256, 16));
  p.epochs.push_back(copy(3, 128, 0, 16));
  p.epochs.push_back(copy(4, 0, 256, 16));
  name_npu_streams(p);
  EXPECT_EQ(p.epochs[3].units[0].buffer, "Relu_3_out_0");
  EXPECT_TRUE(p.epochs[3].units[0].inferred);
  EXPECT_TRUE(errors_of(p).empty());
}

TEST(NpuTouch, a_tensor_written_over_in_part_is_found_without_names) {
  NpuProgram p = split_program();
  p.buffers.push_back(bytes_at("Relu_3_out_0", 3, 160, 64));  // over the second half of the Concat
  p.buffers.push_back(bytes_at("Relu_4_out_0", 4, 256, 64));
  p.epochs.push_back(copy(3, 64, 160, 64));
  p.epochs.push_back(copy(4, 128, 256, 64));
  const auto errors = errors_of(p);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].rule, "overwritten");
  EXPECT_EQ(errors[0].epoch, 3);
  EXPECT_EQ(errors[0].where, "Concat_2_out_0");
}

TEST(NpuTouch, bytes_that_nothing_wrote_are_found_without_names) {
  NpuProgram p = split_program();
  p.epochs[0] = copy(1, 0, 64, 48);
  const auto errors = errors_of(p);
  ASSERT_FALSE(errors.empty());
  EXPECT_EQ(errors[0].rule, "never-written");
  EXPECT_EQ(errors[0].epoch, 2);
}

TEST(NpuTouch, a_stream_of_absurd_size_is_not_followed) {
  NpuProgram p = split_program();
  auto& f = p.epochs[1].units[0].fields;
  f["raw"] = NpuField::of(0), f["fwidth"] = f["fheight"] = NpuField::of(8192);
  f["batch_depth"] = NpuField::of(1), f["batch_offset"] = NpuField::of(2);
  f["frame_tot_cnt"] = NpuField::of(1 << 20), f["frame_offset"] = NpuField::of(1);
  name_npu_streams(p);
  EXPECT_EQ(p.epochs[0].units[0].buffer, "x");
}

// The programs of both compiled networks with all names of hardware epochs taken away.
TEST(NpuTouch, compiled_networks_as_blobs_have_no_errors) {
  LOCKSTEP_NEEDS_SHARED();
  for (const auto& [name, model_name] :
       {std::pair{"yamnet_1024", "yamnet_1024_64x96_qdq_int8"},
        std::pair{"stft_tcnn", "stft_tcnn_medium_257x40_qdq_int8"}}) {
    auto p =
        read_npu_program(test::shared_folder() + "/models/neural-art/" + name + ".program.json");
    auto model =
        import_model(test::shared_folder() + "/models/st/" + std::string(model_name) + ".onnx");
    ASSERT_TRUE(p.ok() && model.ok());
    const auto text = format_network_c_with_blobs(*p, "n_ecblobs.h");
    ASSERT_TRUE(text.ok()) << text.error().line();
    const NpuBlobText blobs{"n_ecblobs.h", text->header};
    auto again = parse_network_c(text->c, "network.c", &blobs);
    ASSERT_TRUE(again.ok()) << again.error().line();
    for (NpuImage& i : p->images) again->images.push_back(i);
    again->pools = p->pools;
    const auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(*again)));
    ASSERT_TRUE(sim.ok()) << sim.error().line();
    const auto found = audit_npu(*sim, &*model);
    ASSERT_TRUE(found.ok()) << found.error().line();
    for (const NpuFinding& f : *found)
      EXPECT_NE(f.severity, NpuSeverity::error)
          << name << ": epoch " << f.epoch << " " << f.rule << " " << f.where << " " << f.what;
  }
}

}  // namespace
}  // namespace lockstep
