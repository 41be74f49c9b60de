#pragma once

#include <optional>
#include <vector>

#include "num/resize.h"

namespace lockstep {

// Linear Resize over the last two axes, line by line: lines of x are spread to the width of y once,
// and lines of y are sums of two of them. Every sum is that of the operator's eval, corner by
// corner.
class BlendRows {
 public:
  using Axis = std::vector<std::vector<Tap>>;
  // Nothing where a place has more than two neighbours.
  static std::optional<BlendRows> make(const Axis& rows, const Axis& columns, std::int64_t x_width,
                                       double outside);

  static constexpr std::int64_t most_columns = 256;  // of a block
  std::int64_t blocks() const;
  // One block of the columns of a plane.
  template <class T>
  void run(const T* x, T* y, std::int64_t block) const;

 private:
  struct Line {
    std::int64_t at[2];
    float weight[2];
    int taps;
  };
  static std::vector<Line> lines_of(const Axis& axis);
  template <class T>
  struct Block;
  template <class T>
  void rows(const Block<T>& b) const;
  template <class T>
  static void portable(const BlendRows& r, const Block<T>& b);
  template <class T>
  static void by_avx2(const BlendRows& r, const Block<T>& b);
  template <class T>
  static void by_avx512(const BlendRows& r, const Block<T>& b);

  std::vector<Line> rows_, columns_;
  std::vector<float> left_, right_;  // weights of columns
  std::vector<std::int64_t> odd_;    // columns of other than two neighbours
  std::int64_t x_width_ = 0;
  double outside_ = 0;
};

}  // namespace lockstep
