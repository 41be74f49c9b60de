#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "npu/audit.h"

namespace lockstep::test {

// The two compiled networks by program, and their models.
inline const std::map<std::string, std::string> models = {
    {"yamnet_1024", "yamnet_1024_64x96_qdq_int8"},
    {"stft_tcnn", "stft_tcnn_medium_257x40_qdq_int8"}};

inline Result<std::vector<NpuFinding>> findings(NpuProgram program, const Graph& model) {
  LOCKSTEP_TRY(const NpuSimulator sim,
               NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program))));
  return audit_npu(sim, &model);
}

}  // namespace lockstep::test
