#pragma once

#include "kernel/kernel_depthwise.h"

namespace lockstep {

// A depthwise convolution laid out for one ISA: how a line of results is cut into vectors, which
// places of the input it reads, and weights and constants in the order of its accumulators.
struct DepthwiseLayout {
  DepthwiseLayout(const KernelProblem& p, const DepthwiseSet& set);
  DepthwiseLayout(const DepthwiseLayout&) = delete;  // the line points into it

  // The channel of byte i of a block; -1 where there is none.
  std::int64_t channel(std::int64_t block, std::int64_t i) const;

  const DepthwiseSet& set;
  DotProblem d;                       // without its weights
  std::int64_t size, elements, sums;  // of an element; of a vector: elements, accumulators
  Stage stage;
  DepthwiseLine line;
  int join_log = 0;
  std::int64_t rows = 1;                       // lines at once
  std::vector<std::int64_t> taps, first_taps;  // of all lines, of the first alone
  std::vector<std::byte> packed;
  std::vector<std::int64_t> place;  // by element: where its accumulator stands

 private:
  // A place of the input that some of the lines computed together read, and the kernel's tap that
  // each of them has there (-1: none).
  struct Place {
    std::int64_t offset = 0, tap[2] = {-1, -1};
  };
  void lay_out_line();
  std::vector<Place> places_of(std::int64_t line_count) const;
  void choose_rows();
  std::vector<std::vector<std::int16_t>> split_weights();
  std::int64_t element(std::int64_t j, std::int64_t lane) const;
  void pack_weights();
  std::vector<std::int64_t> channels_of(std::int64_t block) const;
  void pack_constants();

  std::vector<Place> places;
  std::vector<std::int32_t> bias, multiplier, left, right;
  std::vector<float> factor;
};

}  // namespace lockstep
