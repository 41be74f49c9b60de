#pragma once

#include <cstdint>

namespace lockstep {

// How the work of sums of products is shared by several threads: output channels in `columns` runs,
// positions in `rows` runs, part i being run i / rows of the channels at run i % rows of the
// positions. A part computes its channels a chunk at a time.
struct DotShare {
  std::int64_t columns = 1, rows = 1, chunks = 1;  // chunks of a group's panels
  std::int64_t parts() const { return columns * rows; }
};

// What the choice depends on. Costs are halves of a cycle.
struct DotWork {
  std::int64_t groups = 1, panels = 1, chunks = 1;  // chunks as one thread computes them
  std::int64_t strips = 1;                          // positions come in so many equal strips
  double strip_vec[8] = {};                         // a strip by a chunk of so many panels
  double weight_bytes = 0, input_bytes = 0;
};

// The share that ends first: threads that have all positions of some channels read the whole input
// and part of the weights, those that have some positions of all channels the reverse. What is too
// little for two is one part.
DotShare share_dot(const DotWork& w, int threads);

}  // namespace lockstep
