#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "diff/diff.h"
#include "ir/tensor.h"

namespace lockstep {

// Looks for a pattern in the codes that differ between a tensor and its recomputation. Rounding
// that is merely other scatters: it goes both ways, into every channel, and does not know the
// border.
//   one-sided    nine of ten go one way and the mean difference is 0.2 LSB or more (truncation:
//   0.5) one channel  nine of ten lie in one channel of four or more toward zero  of codes on both
//   sides of the zero point, at least a quarter on each, 19 of 20 are nearer to it, and
//                they are 15 in a hundred of all (ties that are broken so are few)
//   border       19 of 20 lie within three of an edge, where at most half of the tensor is
// Less than `enough` differing codes, or codes of fewer than `kinds` values, are no evidence: one
// constant patch that rounds the other way is one coincidence, however large.
class StructureTest {
 public:
  // `channel` is the axis of channels, -1 when there is none; the axes after the batch and beside
  // the channel are spatial.
  StructureTest(Shape shape, int channel, std::int64_t zero = 0);
  void add(const Tensor& expected, const Tensor& device);
  Structure result() const;

  static constexpr std::int64_t enough = 24;
  static constexpr std::size_t kinds = 3;

 private:
  struct Tally {
    std::int64_t differing = 0;
    std::bitset<256> codes;  // expected codes (low byte) at differing places
    void add(std::int64_t expected) {
      ++differing;
      codes.set(static_cast<std::size_t>(expected & 0xff));
    }
    bool evidence() const { return differing >= enough && codes.count() >= kinds; }
  };
  int edge_distance(
      std::int64_t element) const;  // to the nearest spatial edge; 99 without spatial axes
  double border_share(int width) const;

  Shape shape_, strides_;
  int channel_;
  Tally total_;
  std::int64_t zero_, added_ = 0, up_ = 0, down_ = 0, sum_ = 0, nearer_ = 0, above_ = 0, below_ = 0;
  std::vector<Tally> channels_;
  std::array<Tally, 3> within_;  // elements closer to an edge than 1, 2, 3
};

// The axis of channels of a node's output: by its `layout`, else by the layout of the file's
// format.
int channel_axis(const Graph& graph, ValueId id);

}  // namespace lockstep
