#include "npu/seeded.h"

#include <gtest/gtest.h>

#include <set>

#include "arith/arith.h"
#include "import/import.h"
#include "run/executor.h"
#include "support/shared.h"

namespace lockstep {
namespace {

// One place of every kind in each program; `lockstep npu seed` prints the table for more.
TEST(NpuSeeded, planted_compiler_bugs_are_found_at_their_epoch) {
  LOCKSTEP_NEEDS_SHARED();
  std::set<std::string_view> kinds;
  for (const auto& [name, model_name] :
       {std::pair{"yamnet_1024", "yamnet_1024_64x96_qdq_int8"},
        std::pair{"stft_tcnn", "stft_tcnn_medium_257x40_qdq_int8"}}) {
    const auto program =
        read_npu_program(test::shared_folder() + "/models/neural-art/" + name + ".program.json");
    const auto model =
        import_model(test::shared_folder() + "/models/st/" + std::string(model_name) + ".onnx");
    ASSERT_TRUE(program.ok() && model.ok());
    const auto executor = Executor::make(*model, *find_arithmetic("ort-noopt"));
    ASSERT_TRUE(executor.ok());
    const Value& input = model->value(model->inputs()[0]);
    Tensor x(DType::f32, input.shape);
    Random random(3);
    for (float& v : x.as<float>()) v = static_cast<float>(8 * random.unit() - 4);
    const Sample sample{{input.name, x}};
    const auto reference = executor->run(std::span(&sample, 1));
    ASSERT_TRUE(reference.ok());
    const auto trials =
        try_npu_bugs(*program, *model, map_npu_buffers(*program, *model), reference->samples, 1, 1);
    ASSERT_TRUE(trials.ok()) << trials.error().line();
    for (const NpuBugTrial& t : *trials) {
      if (t.epoch == 0) continue;
      kinds.insert(t.kind);
      EXPECT_TRUE(t.by_audit || t.by_run)
          << name << ": " << t.kind << " in epoch " << t.epoch << ": " << t.first;
    }
  }
  EXPECT_GE(kinds.size(), 20u);
}

}  // namespace
}  // namespace lockstep
