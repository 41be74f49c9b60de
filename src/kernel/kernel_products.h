#pragma once

#include "kernel/kernel_dot.h"

namespace lockstep {

// Products of stacks of matrices whose b comes with a run: packed and summed up in each run, then
// computed by the tiles of `set`. Of a problem for which `computed_product` answers.
std::unique_ptr<PreparedKernel> prepare_products(const KernelProblem& p, const DotSet& set);

// Packs b of one product, [k][n] or, transposed, [n][k], for tiles of fold 1: w[panel][group][lane]
// [element]. Bytes become signed ones by `flip`; words lose their column's zero point. Rows from k
// on are zero, columns from n on are whatever lies there. Behind b stand `kernel_slack` bytes.
struct PanelSource {
  std::int64_t k = 0, n = 0;
  bool transposed = false, is_signed = false;
  bool words = false;
  int lanes = 8;
  std::uint8_t flip = 0;
  const std::int16_t* zero = nullptr;  // of words, by column, to whole panels
};
void pack_panel(const PanelSource& s, const std::byte* b, std::int64_t panel, std::byte* to);

}  // namespace lockstep
