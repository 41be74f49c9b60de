// Mistakes of a compiler in the two compiled networks, one by one
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "arith/arith.h"
#include "base/random.h"
#include "import/import.h"
#include "npu/compare.h"
#include "npu/compiled_networks.h"
#include "run/executor.h"
#include "support/shared.h"

namespace lockstep {
namespace {

using test::findings;
using test::models;

struct Bug {
  const char* name;
  const char* program;  // "yamnet_1024" or "stft_tcnn"
  int epoch;            // where it must be found
  std::function<void(NpuProgram&)> plant;
};

NpuUnit& unit(NpuProgram& p, int epoch, std::string_view part) {
  for (NpuEpoch& e : p.epochs)
    if (e.number == epoch)
      for (NpuUnit& u : e.units)
        if (u.name.find(part) != std::string::npos) return u;
  ADD_FAILURE() << "epoch " << epoch << " has no unit " << part;
  return p.epochs.back().units.front();
}

std::int64_t& field(NpuUnit& u, const char* name) {
  return u.fields[name].integer;
}

void drop_cache_calls(NpuProgram& p, std::string_view kind, int low, int high) {
  for (NpuEpoch& e : p.epochs)
    if (e.number >= low && e.number <= high)
      std::erase_if(e.calls,
                    [&](const NpuCall& c) { return c.function.find(kind) != std::string::npos; });
}

const std::vector<Bug> bugs = {
    {"the sums are shifted one bit too far", "yamnet_1024", 4,
     [](NpuProgram& p) { ++field(unit(p, 4, "Conv2D_10_init"), "shift_o"); }},
    {"the product is shifted one bit too little", "yamnet_1024", 9,
     [](NpuProgram& p) { --field(unit(p, 9, "_mul_scale_"), "shift_o"); }},
    {"the common scale is 5 % off", "yamnet_1024", 12,
     [](NpuProgram& p) {
       auto& a = field(unit(p, 12, "_off_bias_"), "A_scalar");
       a += a / 20;
     }},
    {"the final shift is one bit off", "yamnet_1024", 16,
     [](NpuProgram& p) { --field(unit(p, 16, "_off_bias_"), "shift_o"); }},
    {"the Add's coefficients are swapped", "stft_tcnn", 7,
     [](NpuProgram& p) {
       auto& u = unit(p, 7, "Add_15");
       std::swap(field(u, "A_scalar"), field(u, "B_scalar"));
     }},
    {"the Add's constant is lost", "stft_tcnn", 16,
     [](NpuProgram& p) { field(unit(p, 16, "Add_29"), "C_scalar") = 0; }},
    {"the Add's second operand is halved", "stft_tcnn", 25,
     [](NpuProgram& p) { ++field(unit(p, 25, "Add_43"), "By_shift"); }},
    {"the zero point is not removed behind a layer", "stft_tcnn", 4,
     [](NpuProgram& p) { field(unit(p, 4, "_suboff_"), "B_scalar") = 0; }},
    {"the input's zero point is not subtracted", "yamnet_1024", 2,
     [](NpuProgram& p) { field(unit(p, 2, "Conv2D_3_init"), "fsub") = 0; }},
    {"unsigned codes are read as signed", "yamnet_1024", 5,
     [](NpuProgram& p) { field(unit(p, 5, "Conv2D_14_init"), "f_unsigned") = 0; }},
    {"the weights are read from another place", "yamnet_1024", 8,
     [](NpuProgram& p) {
       auto& u = unit(p, 8, "_dma_init_in_1_");
       field(u, "offset_start") += 24;
       field(u, "offset_end") += 24;
     }},
    {"the multipliers are another layer's", "yamnet_1024", 13,
     [](NpuProgram& p) {
       field(unit(p, 13, "_mul_scale_"), "A_vector") =
           unit(p, 11, "_mul_scale_").fields["A_vector"].integer;
     }},
    {"the biases begin four bytes late", "yamnet_1024", 10,
     [](NpuProgram& p) { field(unit(p, 10, "_off_bias_"), "C_vector") += 4; }},
    {"an output lies on a tensor still needed", "stft_tcnn", 5,
     [](NpuProgram& p) { field(unit(p, 5, "_dma_init_out_0_"), "offset_start") = 0; }},
    {"a buffer table and its streams agree on a place still needed", "stft_tcnn", 4,
     [](NpuProgram& p) {
       auto& u = unit(p, 4, "_dma_init_out_0_");
       const std::int64_t move = 0 - field(u, "offset_start");
       for (NpuBuffer& b : p.buffers)
         if (b.name == "Conv2D_8_zero_off_out_1") b.start += move, b.end += move;
       field(u, "offset_start") = 0;
       if (u.fields.contains("offset_end")) field(u, "offset_end") += move;
       auto& r = unit(p, 5, "Conv2D_8_dma_init_in_0_");
       field(r, "offset_start") += move, field(r, "offset_end") += move;
     }},
    {"an input is read from another buffer", "yamnet_1024", 19,
     [](NpuProgram& p) {
       auto& u = unit(p, 19, "_dma_init_in_0_");
       field(u, "offset_start") = 24576;
       field(u, "offset_end") = 24768;
     }},
    {"the CPU's input is not invalidated", "yamnet_1024", 38,
     [](NpuProgram& p) { drop_cache_calls(p, "Invalidate", 37, 38); }},
    {"the CPU's output is not cleaned", "stft_tcnn", 9,
     [](NpuProgram& p) { drop_cache_calls(p, "Clean", 9, 10); }},
    {"the average divides by another window", "yamnet_1024", 36,
     [](NpuProgram& p) { field(unit(p, 36, "AveragePool"), "mulval") = 16384; }},
    {"the lines of an output are too short", "yamnet_1024", 6,
     [](NpuProgram& p) { field(unit(p, 6, "_dma_init_out_0_"), "batch_offset") = 256; }},
};

TEST(NpuAuditPlanted, every_planted_compiler_bug_is_found_at_its_epoch) {
  LOCKSTEP_NEEDS_SHARED();
  std::map<std::string, NpuProgram> programs;
  std::map<std::string, Graph> graphs;
  for (const auto& [name, model] : models) {
    auto p =
        read_npu_program(test::shared_folder() + "/models/neural-art/" + name + ".program.json");
    auto g = import_model(test::shared_folder() + "/models/st/" + model + ".onnx");
    ASSERT_TRUE(p.ok() && g.ok());
    programs.emplace(name, std::move(*p));
    graphs.emplace(name, std::move(*g));
  }
  for (const Bug& bug : bugs) {
    NpuProgram p = programs.at(bug.program);
    bug.plant(p);
    const auto found = findings(std::move(p), graphs.at(bug.program));
    ASSERT_TRUE(found.ok()) << bug.name << ": " << found.error().line();
    std::string seen;
    bool at_epoch = false;
    for (const NpuFinding& f : *found)
      if (f.severity == NpuSeverity::error) {
        seen +=
            "\n  epoch " + std::to_string(f.epoch) + " " + f.rule + " " + f.where + ": " + f.what;
        at_epoch = at_epoch || f.epoch == bug.epoch;
      }
    EXPECT_TRUE(at_epoch) << bug.name << " in epoch " << bug.epoch << ", found:" << seen;
  }
}

// Wiring that no constant shows: the simulator's comparison finds the epoch.
const std::vector<Bug> wiring_bugs = {
    {"two units of a pipe take each other's kernels", "yamnet_1024", 6,
     [](NpuProgram& p) {
       auto &a = unit(p, 6, "_ca_pipe_1_init"), &b = unit(p, 6, "_ca_pipe_2_init");
       std::swap(field(a, "kfilt_first"), field(b, "kfilt_first")),
           std::swap(field(a, "kfilt_last"), field(b, "kfilt_last"));
     }},
    {"the padding is on the other side", "yamnet_1024", 5,
     [](NpuProgram& p) {
       auto& u = unit(p, 5, "Conv2D_14_init");
       std::swap(field(u, "left_padding"), field(u, "right_padding"));
     }},
    {"features are read in another layout", "yamnet_1024", 19,
     [](NpuProgram& p) {
       auto& u = unit(p, 19, "_dma_init_in_0_");
       field(u, "offset_start") = 0;
       field(u, "offset_end") = 192;
     }},
    {"the second unit drops the first one's sums", "yamnet_1024", 12,
     [](NpuProgram& p) { field(unit(p, 12, "_ca_pipe_1_init"), "accumulate") = 0; }},
    {"the last pass starts from zero", "yamnet_1024", 32,
     [](NpuProgram& p) { field(unit(p, 32, "Conv2D_87_init"), "afilt_last") = 2; }},
    {"the first pass is passed on instead of the last", "yamnet_1024", 17,
     [](NpuProgram& p) {
       for (NpuEpoch& e : p.epochs)
         for (NpuLink& l : e.links)
           if (e.number == 17 && l.from.size() == 2)
             std::swap(l.from[0].context, l.from[1].context);
     }},
    {"coefficients step through the wrong block", "yamnet_1024", 10,
     [](NpuProgram& p) { field(unit(p, 10, "_mul_scale_"), "batchDepth") /= 2; }},
    {"a stream repeats too few frames", "stft_tcnn", 7,
     [](NpuProgram& p) { field(unit(p, 7, "Conv2D_11_dma_init_in_0_"), "frame_loop_cnt") = 4; }},
};

TEST(NpuAuditPlanted, planted_wiring_is_found_by_simulation_at_its_epoch) {
  LOCKSTEP_NEEDS_SHARED();
  for (const auto& [name, model_name] : models) {
    auto clean =
        read_npu_program(test::shared_folder() + "/models/neural-art/" + name + ".program.json");
    auto model = import_model(test::shared_folder() + "/models/st/" + model_name + ".onnx");
    ASSERT_TRUE(clean.ok() && model.ok());
    const auto executor = Executor::make(*model, *find_arithmetic("ort-noopt"));
    Tensor x(DType::f32, model->value(model->inputs()[0]).shape);
    Random random(3);
    for (float& v : x.as<float>()) v = static_cast<float>(8 * random.unit() - 4);
    const Sample sample{{model->value(model->inputs()[0]).name, x}};
    const auto reference = executor->run(std::span(&sample, 1));
    ASSERT_TRUE(reference.ok());
    const NpuMapping mapping = map_npu_buffers(*clean, *model);
    const auto rows = [&](const NpuProgram& p) -> Result<std::vector<NpuRow>> {
      LOCKSTEP_TRY(NpuSimulator sim, NpuSimulator::make(std::make_shared<const NpuProgram>(p)));
      return compare_epochs(sim, *model, mapping, reference->samples, NpuMode::forced);
    };
    const auto usual = rows(*clean);
    ASSERT_TRUE(usual.ok()) << usual.error().line();
    for (const Bug& bug : wiring_bugs) {
      if (bug.program != name) continue;
      NpuProgram p = *clean;
      bug.plant(p);
      const auto got = rows(p);
      if (!got.ok()) {
        EXPECT_NE(got.error().line().find("epoch " + std::to_string(bug.epoch)), std::string::npos)
            << bug.name << ": " << got.error().line();
        continue;
      }
      int first = 0;
      for (std::size_t i = 0; i < got->size() && first == 0; ++i)
        if ((*got)[i].max_lsb > (*usual)[i].max_lsb ||
            (*got)[i].share > 2 * (*usual)[i].share + 0.01)
          first = (*got)[i].epoch;
      EXPECT_EQ(first, bug.epoch) << bug.name;
    }
  }
}

}  // namespace
}  // namespace lockstep
