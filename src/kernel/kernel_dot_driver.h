#pragma once

#include <array>

#include "kernel/kernel_dot_layout.h"
#include "kernel/kernel_dot_share.h"

namespace lockstep {

// What one computation of a DotProblem reads and writes.
struct DotOperands {
  const std::byte* x;          // as the layout's stage leaves it
  const std::byte* weights;    // packed as the layout says
  const std::int32_t* start;   // what sums start from, [group * width] and a vector more
  const std::int32_t* common;  // DotLayout::common, null where weights are what was packed
  std::byte* out;
};

// Cuts a DotProblem into units of work, or into parts for a team of threads, and drives an ISA's
// tiles through them.
class DotDriver {
 public:
  static constexpr std::int64_t most_rows = 4 * 16;  // 4 tiles of 16 rows of one vector

  DotDriver(DotProblem problem, const DotSet& set);
  const DotLayout& layout() const { return m_; }
  std::int64_t units() const { return units_; }
  void unit(std::int64_t u, const DotOperands& o) const;
  DotShare share(int threads) const;
  void part(const DotShare& share, std::int64_t i, const DotOperands& o) const;
  // Where every part can stage what it reads for itself: lines of the staged input that runs of
  // positions first to last read, or its pixels where the layout is flat.
  bool stages_itself(const DotShare& share) const;
  struct Reach {
    std::int64_t first, last;
  };
  Reach reach(const DotShare& share, std::int64_t first, std::int64_t last) const;
  // Bytes that a part stages for itself beside the lines that follow those of the one before.
  std::int64_t own_room() const;

 private:
  static constexpr int known_shares = 8;
  struct Columns {
    std::int64_t g, panel, vecs;
  };
  struct Tiles {
    std::int64_t tall = 0, low = 0, low_rows = 0;  // so many of low_rows + 1, of low_rows
  };
  void cut();
  void plan_tiles();
  DotWork work() const;
  bool dense(std::int64_t vecs) const { return m_.dense_rows > 0 && vecs == m_.panels; }
  Columns columns(std::int64_t chunk, std::int64_t chunks) const;
  void compute(DotTile& t, std::int64_t tiles, std::int64_t rows, std::int64_t vecs,
               std::int64_t acc_step) const;
  void row_of_tiles(const Columns& c, std::int64_t line, std::int64_t first, std::int64_t last,
                    const DotOperands& o) const;
  void add_sums(const std::byte* origin, const FinishTile& f, const std::int32_t* common,
                std::int32_t* acc) const;

  const DotSet& set_;
  const DotLayout m_;
  const DotFold& fold_;
  void (*finish_)(const FinishTile&) = nullptr;
  std::vector<std::int64_t> line_start_;  // bytes to the window of a line's first position
  std::array<std::array<Tiles, most_rows + 1>, 7> plan_;  // by vecs, rows
  std::int64_t lines_ = 0, line_ = 0, piece_ = 0, pieces_ = 0, lines_at_once_ = 1, units_ = 0;
  std::array<std::int64_t, 7> block_{};          // by vecs: positions that become codes at once
  bool far_ = false;                             // the result is larger than the nearest cache
  std::int64_t strip_ = 0, strips_ = 0;          // positions of one, of which a line has strips_
  std::array<DotShare, known_shares> shares_{};  // by threads - 1
};

}  // namespace lockstep
