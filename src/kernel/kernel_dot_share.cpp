#include "kernel/kernel_dot_share.h"

#include <algorithm>
#include <limits>

namespace lockstep {
namespace {

constexpr std::int64_t parts(std::int64_t v, std::int64_t of) {
  return (v + of - 1) / of;
}

constexpr double worth_sharing = 18000;  // some two microseconds in halves of a cycle
constexpr double worth_a_part = 3000;    // less costs more to take than it evens out
constexpr double bytes_a_step = 16;      // that come from behind the nearest cache in half a cycle
constexpr std::int64_t parts_a_thread = 4;

double chunk_cost(const DotWork& w, std::int64_t chunks, std::int64_t chunk) {
  const std::int64_t vecs = (chunk + 1) * w.panels / chunks - chunk * w.panels / chunks;
  return w.strip_vec[vecs];
}

// Of the costliest of `columns` runs of chunks.
double column_cost(const DotWork& w, std::int64_t chunks, std::int64_t columns) {
  const std::int64_t all = w.groups * chunks;
  double most = 0;
  for (std::int64_t c = 0; c < columns; ++c) {
    double cost = 0;
    for (std::int64_t i = c * all / columns; i < (c + 1) * all / columns; ++i)
      cost += chunk_cost(w, chunks, i % chunks);
    most = std::max(most, cost);
  }
  return most;
}

}  // namespace

DotShare share_dot(const DotWork& w, int threads) {
  DotShare best{1, 1, w.chunks};
  const double alone = column_cost(w, w.chunks, 1) * static_cast<double>(w.strips);
  if (threads == 1 || alone < worth_sharing) return best;
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t columns = 1; columns <= threads; ++columns) {
    if (threads % columns != 0 || columns > w.groups * w.panels) continue;
    // Chunks of which every run has as many, where one group alone must yield them.
    const std::int64_t chunks =
        w.groups % columns == 0 ? w.chunks : std::min(w.panels, parts(w.chunks, columns) * columns);
    if (columns > w.groups * chunks) continue;
    const std::int64_t rows = threads / columns;
    const double cost =
        column_cost(w, chunks, columns) * static_cast<double>(parts(w.strips, rows)) +
        (w.weight_bytes / static_cast<double>(columns) +
         w.input_bytes / static_cast<double>(rows)) /
            bytes_a_step;
    if (cost >= least) continue;
    least = cost;
    best = {columns, rows, chunks};
  }
  // More parts than threads, so that one that comes late leaves some to the others.
  const std::int64_t most = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(alone / static_cast<double>(best.parts()) / worth_a_part));
  best.rows = std::min(w.strips, best.rows * std::min(parts_a_thread, most));
  return best;
}

}  // namespace lockstep
