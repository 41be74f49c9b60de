#pragma once

#include "kernel/kernel_dot.h"

namespace lockstep {

// How one problem lies in memory for an ISA's tiles: the input's strides, the fold that costs
// least, packed weights, constants padded to whole vectors. Where the problem has no weights they
// come with a run, in panels of fold 1.
struct DotLayout {
  DotLayout(DotProblem problem, const DotSet& set);

  std::int64_t channels_of(std::int64_t panel_count) const { return panel_count * panel_width; }
  // The first panel of chunk i: chunks are even.
  std::int64_t first_panel(std::int64_t chunk) const { return chunk * panels / chunks; }
  const std::byte* weights() const { return weights_; }  // null where they come with a run
  std::int64_t weights_at(std::int64_t g, std::int64_t panel) const {
    return (g * panels + panel) * panel_bytes;
  }

  DotProblem d;  // without w
  Stage stage;
  bool flat = false;    // all positions of the input are one line
  int fold_log = 0;     // of set.fold
  std::int64_t og = 0;  // output channels of a group
  std::int64_t panel_width = 0, panels = 0, chunks = 1, panel_bytes = 0;
  std::int64_t width = 0;  // of a group in the padded arrays
  // Rows that become codes at once without gaps between them, dense_step of them being whole
  // vectors; 0: rows begin with a vector. The padded arrays then hold all channels once for each.
  std::int64_t dense_rows = 0, dense_step = 1;
  std::vector<std::int64_t> runs;    // bytes from a window's origin
  std::int64_t run_length = 0;       // elements
  std::vector<std::int64_t> groups;  // bytes from a window's origin
  std::vector<std::int32_t> common;  // [group * width]; empty where weights are signed bytes
  std::unique_ptr<std::byte[]> packed;
  std::size_t packed_bytes = 0;

 private:
  void list_runs();
  void choose_fold(const DotSet& set, int most_log);
  void take_common(const DotSet& set);
  void pack(const DotSet& set);
  bool fills(std::int64_t count, std::int64_t cut, std::int64_t panel) const {
    return og == count * panel && d.group == 1 && cut == 1;
  }
  void find_dense(const DotSet& set);
  void pad_finish();
  std::byte* weights_ = nullptr;
};

}  // namespace lockstep
