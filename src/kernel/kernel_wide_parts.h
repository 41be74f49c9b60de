#pragma once

#include <memory>
#include <vector>

#include "kernel/kernel_dot_driver.h"

namespace lockstep {

// Of x some channels at a time; what its sums count in the whole.
struct WidePart {
  std::unique_ptr<const DotDriver> driver;
  std::int64_t x_at = 0, factor = 1, units_before = 0;
  std::int64_t first = 0, count = 0;  // channels
};

// So many products of an activation and a number of up to `most` fit into 32 bits.
constexpr std::int64_t products_of(std::int64_t most) {
  return 2147483647 / (32768 * most);
}
// The parts, and how their sums become codes.
class WideSums {
 public:
  WideSums(const DotSet& set, DotProblem whole)
      : set_(set), whole_(std::move(whole)), stage_(Stage::of_words(whole_.window)) {}

  const Stage& stage() const { return stage_; }
  const std::vector<WidePart>& parts() const { return parts_; }
  std::int64_t sums_bytes() const {
    return static_cast<std::int64_t>(parts_.size()) * part_bytes();
  }
  std::size_t resident_bytes() const;

  // `count` channels from `first` on; weights of the part, or none where they come with a run.
  void add_part(std::int64_t first, std::int64_t count, std::int64_t factor, bool weights);

  // x as the stage leaves it; weights(part) where they come with the run.
  template <class Weights>
  void run(const std::byte* x, std::byte* sums, std::byte* y, Workers& workers,
           Weights&& weights) const {
    workers.each(units_, [&](std::int64_t first, std::int64_t last, int) {
      std::size_t i = 0;
      for (std::int64_t u = first; u < last; ++u) {
        while (i + 1 < parts_.size() && parts_[i + 1].units_before <= u) ++i;
        const DotLayout& m = parts_[i].driver->layout();
        parts_[i].driver->unit(
            u - parts_[i].units_before,
            {x + parts_[i].x_at, m.weights() ? m.weights() : weights(i), m.d.finish.bias.data(),
             nullptr, sums + static_cast<std::int64_t>(i) * part_bytes()});
      }
    });
    workers.each(positions(), [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t at = first; at < last; ++at) finish(sums, at, y + at * whole_.oc * 2);
    });
  }

 private:
  std::int64_t positions() const { return whole_.window.batch * whole_.window.out_count(); }
  std::int64_t part_bytes() const { return (positions() * whole_.oc * 4 + 63) / 64 * 64; }

  void take(std::int64_t first, std::int64_t count, DotProblem& d) const;
  void finish(const std::byte* sums, std::int64_t at, std::byte* y) const;

  const DotSet& set_;
  const DotProblem whole_;
  const Stage stage_;
  std::vector<WidePart> parts_;
  std::int64_t units_ = 0;
};

// Whole lines of memory.
inline std::int64_t in_lines(std::int64_t bytes) {
  return (bytes + 63) / 64 * 64;
}

}  // namespace lockstep
