#pragma once

#include <span>
#include <string>

#include "npu/attribute.h"
#include "npu/compare.h"
#include "npu/inner.h"
#include "npu/seeded.h"

namespace lockstep {

// What the commands of `npu` print as tables.
void print_npu_rows(std::span<const NpuRow> rows);
void print_npu_inner(std::span<const NpuInnerRow> rows);  // those that are wrong
void print_npu_attribution(std::span<const NpuAttribution> rows, const std::string& versus,
                           const std::string& ties);
void print_npu_trials(std::span<const NpuBugTrial> trials);

}  // namespace lockstep
