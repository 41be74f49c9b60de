#include "npu/inner.h"

#include <gtest/gtest.h>

#include "arith/arith.h"
#include "base/random.h"
#include "import/import.h"
#include "run/executor.h"
#include "support/shared.h"

namespace lockstep {
namespace {

// The epochs of stft_tcnn whose sums or blocks are wrong after a change; its depthwise layers are
// cut into phases, and their sums cross memory twice before they become codes.
std::vector<int> wrong_epochs(void (*change)(NpuProgram&)) {
  const std::string folder = test::shared_folder() + "/models/";
  auto p = read_npu_program(folder + "neural-art/stft_tcnn.program.json");
  const auto model = import_model(folder + "st/stft_tcnn_medium_257x40_qdq_int8.onnx");
  EXPECT_TRUE(p.ok() && model.ok());
  const auto executor = Executor::make(*model, *find_arithmetic("ort-noopt"));
  const Value& input = model->value(model->inputs()[0]);
  Tensor x(DType::f32, input.shape);
  Random random(3);
  for (float& v : x.as<float>()) v = static_cast<float>(8 * random.unit() - 4);
  const Sample sample{{input.name, x}};
  const auto reference = executor->run(std::span(&sample, 1));
  EXPECT_TRUE(reference.ok());
  change(*p);
  const NpuMapping mapping = map_npu_buffers(*p, *model);
  auto sim = NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(p).value()));
  EXPECT_TRUE(sim.ok());
  const auto rows = compare_inner(*sim, *model, mapping, reference->samples);
  EXPECT_TRUE(rows.ok()) << (rows.ok() ? "" : rows.error().line());
  EXPECT_GE(rows->size(), 8u);
  std::vector<int> wrong;
  for (const NpuInnerRow& r : *rows)
    if (r.wrong > 0) wrong.push_back(r.epoch);
  return wrong;
}

NpuUnit& reader(NpuProgram& p, int epoch) {
  for (NpuEpoch& e : p.epochs)
    for (NpuUnit& u : e.units)
      if (e.number == epoch && u.id.kind == NpuKind::stream && u.fields["dir"].integer == 0 &&
          u.name.find("_in_0_") != std::string::npos)
        return u;
  ADD_FAILURE() << "no reader in epoch " << epoch;
  return p.epochs[0].units[0];
}

TEST(NpuInner, sums_in_memory_are_the_model_s_in_a_right_program) {
  LOCKSTEP_NEEDS_SHARED();
  EXPECT_EQ(wrong_epochs([](NpuProgram&) {}), std::vector<int>());
}

TEST(NpuInner, sums_of_other_features_are_named_in_their_epoch_and_not_where_they_become_codes) {
  LOCKSTEP_NEEDS_SHARED();
  const auto wrong = wrong_epochs([](NpuProgram& p) {
    NpuUnit& u = reader(p, 46);
    u.fields["loop_offset"].integer += 8;
  });
  ASSERT_FALSE(wrong.empty());
  EXPECT_EQ(wrong[0], 46);
}

TEST(NpuInner, features_of_another_layout_of_the_same_tensor_are_named_in_their_epoch) {
  LOCKSTEP_NEEDS_SHARED();
  const auto wrong = wrong_epochs([](NpuProgram& p) {
    NpuUnit& u = reader(p, 37);
    u.fields["offset_start"].integer -= 20480, u.fields["offset_end"].integer -= 20480;
  });
  ASSERT_FALSE(wrong.empty());
  EXPECT_EQ(wrong[0], 37);
}

}  // namespace
}  // namespace lockstep
