#include "kernel/kernel_reals_rows.h"

#include <algorithm>

#include "num/ort_float.h"

namespace lockstep {
namespace {

constexpr std::int64_t most_rows = 16, most_columns = 64;  // of a tile

}  // namespace

RealRows::RealRows(const RealSet& set, const FloatPolicy& real, const float* w, std::int64_t n,
                   std::int64_t k, bool stored)
    : set_(&set),
      n_(n),
      k_(k),
      panels_((n + set.lanes - 1) / set.lanes),
      block_(k),
      fused_(real.matrix != nullptr),
      stored_(stored) {
  if (fused_) {  // N30
    block_ = stored ? 256 : 128;
    for (std::int64_t columns = 128; !stored && n < k && columns > 16 && columns / 2 >= n;
         columns /= 2)
      block_ *= 2;
  }
  for (std::int64_t i = 0; i < k; ++i) offset_.push_back(i);
  packed_.assign(static_cast<std::size_t>(panels_ * set.lanes * k), 0.0f);
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = 0; i < k; ++i)
      packed_[static_cast<std::size_t>(j / set.lanes * set.lanes * k + i * set.lanes +
                                       j % set.lanes)] = w[j * k + i];
  if (fused_ && !stored) plain_.assign(w, w + n * k);
}

std::size_t RealRows::bytes() const {
  return (packed_.size() + plain_.size() + 2 * offset_.size()) * sizeof(float);
}

// N32: not packed, a single row is summed in eight parts.
bool RealRows::along_vectors(std::int64_t rows) const {
  return fused_ && !stored_ && rows == 1;
}

void RealRows::run(const float* x, std::int64_t rows, float* y, bool add) const {
  if (along_vectors(rows)) {
    ort_gemm({.m = rows,
              .n = n_,
              .k = k_,
              .a = x,
              .lda = k_,
              .b = plain_.data(),
              .ldb = k_,
              .c = y,
              .ldc = n_,
              .b_transposed = true,
              .add = add});
    return;
  }
  for (std::int64_t k = 0; k < k_; k += block_)
    block(x, rows, k, std::min(k_, k + block_), y, add || k > 0);
}

void RealRows::block(const float* x, std::int64_t rows, std::int64_t first, std::int64_t end,
                     float* y, bool add) const {
  float sums[most_rows * most_columns];
  for (std::int64_t panel = 0; panel < panels_; panel += set_->max_vecs) {
    const auto vecs = static_cast<int>(std::min<std::int64_t>(set_->max_vecs, panels_ - panel));
    const std::int64_t column = panel * set_->lanes;
    RealTile t{nullptr,
               offset_.data() + first,
               end - first,
               end - first,
               k_,
               packed_.data() + column * k_ + first * set_->lanes,
               k_ * set_->lanes,
               nullptr,
               std::min<std::int64_t>(n_ - column, vecs * set_->lanes),
               nullptr,
               add ? most_columns : n_};
    for (std::int64_t at = 0; at < rows;) {
      const std::int64_t count = std::min<std::int64_t>(rows - at, set_->max_rows[vecs]);
      t.origin = x + at * k_;
      float* const to = y + at * n_ + column;
      t.out = add ? sums : to;
      set_->tile[fused_ ? 0 : 1][count][vecs](t);
      if (add)
        for (std::int64_t i = 0; i < count; ++i)
          for (std::int64_t j = 0; j < t.channels; ++j)
            to[i * n_ + j] = sums[i * most_columns + j] + to[i * n_ + j];
      at += count;
    }
  }
}

}  // namespace lockstep
