#pragma once

#include <string>
#include <vector>

#include "npu/layers.h"
#include "npu/map.h"
#include "npu/model_layers.h"
#include "npu/provenance.h"
#include "npu/side_files.h"

namespace lockstep {

enum class NpuSeverity : std::uint8_t { note, warning, error };
std::string_view name_of(NpuSeverity severity);

// One thing found without running the program: where, the figure, what it costs in codes (LSB) of
// the output tensor, and what to do about it.
struct NpuFinding {
  std::string rule;  // "multiplier-wrong", one of the list in docs/neural-art.md
  NpuSeverity severity = NpuSeverity::note;
  int epoch = 0;  // 0: the program as a whole
  std::string where, what, consequence, advice;
  double lsb = 0;  // bound on the change of one output code; 0 when it is not about numbers
};

// A layer of the program and its counterpart in the model; null when there is none.
struct NpuLayerPair {
  const NpuLayer* layer;
  const ModelLayer* model;
  const ModelLayer* piece_of = nullptr;  // whose kernel is cut: this computes a part of its sums
};
// `outputs`: the model's tensor that each layer's codes are stored as, "" where nothing says it.
std::vector<NpuLayerPair> pair_layers(const std::vector<NpuLayer>& layers,
                                      const std::vector<ModelLayer>& model,
                                      std::span<const std::string> outputs = {});
std::vector<std::string> npu_layer_outputs(const NpuSimulator& simulator,
                                           const std::vector<NpuLayer>& layers,
                                           const NpuMapping& mapping);

// Everything that can be said without running. `model` null: the constants are not checked.
Result<std::vector<NpuFinding>> audit_npu(const NpuSimulator& simulator, const Graph* model);

// Where two compilations of one network depart: first layer and stage, then all others.
Result<std::vector<NpuFinding>> compare_npu(const NpuSimulator& a, const NpuSimulator& b);

// Where the compiler's optimized graph departs from the model it was made of, layer by layer.
std::vector<NpuFinding> compare_graphs(const Graph& original, const Graph& optimized);

// Whether the files of a compilation belong together.
std::vector<NpuFinding> audit_build(const NpuProgram& program, const NpuSideFiles& side);

// The parts, in the order in which they run.
void audit_layers(const std::vector<NpuLayerPair>& pairs, std::vector<NpuFinding>& found);
void audit_windows(const NpuSimulator& simulator, const std::vector<NpuLayerPair>& pairs,
                   std::vector<NpuFinding>& found);
Result<void> audit_operands(const NpuSimulator& simulator, const std::vector<NpuLayerPair>& pairs,
                            std::vector<NpuFinding>& found);
void audit_flags(const NpuSimulator& simulator, std::vector<NpuFinding>& found);
void audit_memory(const NpuSimulator& simulator, std::vector<NpuFinding>& found);
void audit_flow(const NpuSimulator& simulator, const std::vector<NpuMaking>& makings,
                const Graph& model, const NpuMapping& mapping, std::vector<NpuFinding>& found);
void audit_reads(const NpuSimulator& simulator, const NpuProvenance& provenance,
                 const std::vector<NpuLayer>& layers, std::vector<NpuFinding>& found);
void audit_moves(const NpuSimulator& simulator, std::vector<NpuFinding>& found);
void audit_cache(const NpuSimulator& simulator, std::vector<NpuFinding>& found);
void audit_cpu(const NpuSimulator& simulator, const std::vector<ModelLayer>& model,
               const NpuMapping& mapping, std::vector<NpuFinding>& found);
void audit_run(const NpuSimulator& simulator, std::vector<NpuFinding>& found);
void audit_schedule(const NpuSimulator& simulator, const std::vector<NpuLayer>& layers,
                    std::vector<NpuFinding>& found);

// The buffer that a stream engine touches: of its name where the program has one, else the latest
// that holds its address. Null when none does.
const NpuBuffer* buffer_of(const NpuProgram& program, const NpuUnit& unit, const NpuStream& stream,
                           int epoch);

}  // namespace lockstep
