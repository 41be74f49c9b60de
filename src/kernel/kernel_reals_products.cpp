#include <algorithm>
#include <cmath>
#include <optional>

#include "kernel/kernel_activation.h"
#include "kernel/kernel_products_reals.h"
#include "kernel/kernel_reals.h"
#include "num/activation.h"
#include "num/ort_float.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

constexpr std::int64_t rows_of_piece = 48;
constexpr std::int64_t most_rows = 16, most_columns = 64;  // of a tile

struct Ordered {
  RealProducts r;
  SumOrder order = SumOrder::loops;
  std::int64_t block = 0;  // of k
  bool starts = false;     // the first block meets the bias
  bool from_bias = false;  // the sum begins at it (N107)
};

// One matrix b for all of a's, which makes one matrix of their rows.
bool join(RealProducts& r, const NodeView& v) {
  if (v.input(1).shape.size() != 2 || v.input(0).shape.size() < 2) return false;
  r.m = count_of(v.input(0).shape) / r.k;
  r.list = {{0, 0, 0}};
  return true;
}

// N30 to N32: how onnxruntime takes the sums; nothing where it takes them along a vector.
std::optional<Ordered> in_order(const KernelProblem& p, Ordered o) {
  const bool matmul = p.view.node.op == "MatMul";
  if (matmul && (o.r.trans_a || o.r.trans_b)) return o;
  const Value& b = p.view.input(1);
  const bool joined = matmul && join(o.r, p.view);
  const bool stored = b.constant && !b.folded && (!matmul || joined || b.shape.size() == 2);
  o.order = SumOrder::fused;
  o.starts = o.r.biased && o.r.alpha == 1 && o.r.beta == 1;
  o.block = 256;
  if (stored) return o;
  if (o.r.n == 1 || (o.r.m == 1 && !o.r.trans_a)) return {};
  o.block = 128;
  for (std::int64_t columns = 128;
       o.r.n < o.r.k && !o.r.trans_a && columns > 16 && columns / 2 >= o.r.n; columns /= 2)
    o.block *= 2;
  return o;
}

std::optional<Ordered> ordered(const KernelProblem& p) {
  const auto r = real_products_of(p);
  if (!r || r->m < 1 || r->n < 1 || r->k < 1 || r->list.empty()) return {};
  Ordered o{*r, SumOrder::loops, r->k};
  if (products_from_bias(p, *r)) {
    if (r->bias_row != 0) return {};
    o.order = SumOrder::fused;
    o.from_bias = r->biased;
    return o;
  }
  if (!p.num.real.matrix) return o;
  if (p.num.real.matrix != ort_matrix) return {};
  return in_order(p, std::move(o));
}

class RealProductKernel : public PreparedKernel {
 public:
  RealProductKernel(const KernelProblem& p, const RealSet& set)
      : set_(set), o_(*ordered(p)), packed_once_(p.constants[1] != nullptr) {
    const RealProducts& r = o_.r;
    if (p.view.node.op == "Gemm") activation_ = activation_of(p.view);
    panels_ = (r.n + set_.lanes - 1) / set_.lanes;
    chunks_ = (panels_ + set_.max_vecs - 1) / set_.max_vecs;
    size_ = panels_ * set_.lanes * r.k;
    for (std::int64_t k = 0; k < r.k; ++k) offset_.push_back(r.trans_a ? k * r.m : k);
    if (r.biased) {
      const auto c = p.constants[2]->as<float>();
      bias_.assign(c.begin(), c.end());
      in_tiles_ = o_.from_bias || (r.bias_row == 0 && r.alpha == 1 && r.beta == 1);
      if (in_tiles_ && r.bias_column == 0) bias_.assign(static_cast<std::size_t>(r.n), c[0]);
      if (in_tiles_) bias_.resize(static_cast<std::size_t>(panels_ * set_.lanes), 0.0f);
    }
    if (!packed_once_) return;
    const auto b = p.constants[1]->as<float>();
    const std::int64_t matrices = std::ssize(b) / (r.k * r.n);
    packed_.assign(static_cast<std::size_t>(matrices * size_), 0.0f);
    for (std::int64_t i = 0; i < matrices; ++i)
      for (std::int64_t panel = 0; panel < panels_; ++panel)
        pack(b.data() + i * r.k * r.n, packed_.data() + i * size_, panel);
  }

  std::size_t scratch_bytes(int) const override {
    return packed_once_ ? 0 : static_cast<std::size_t>(size_) * sizeof(float) + kernel_slack;
  }
  std::size_t resident_bytes() const override {
    return (packed_.size() + bias_.size() + 2 * offset_.size()) * sizeof(float);
  }

  void run(const KernelRun& r) const override {
    const auto* const a = reinterpret_cast<const float*>(r.in[0]);
    const auto* const b = reinterpret_cast<const float*>(r.in[1]);
    auto* const y = reinterpret_cast<float*>(r.out[0]);
    auto* const room = reinterpret_cast<float*>(r.scratch);
    const std::int64_t pieces = (o_.r.m + rows_of_piece - 1) / rows_of_piece;
    std::int64_t there = -1;
    for (const RealProducts::Matrices& at : o_.r.list) {
      const float* w = packed_.data() + at.b * size_;
      if (!packed_once_) {
        if (at.b != there)
          r.workers.each(panels_, [&](std::int64_t first, std::int64_t last, int) {
            for (std::int64_t i = first; i < last; ++i) pack(b + at.b * o_.r.k * o_.r.n, room, i);
          });
        there = at.b;
        w = room;
      }
      r.workers.each(chunks_ * pieces, [&](std::int64_t first, std::int64_t last, int) {
        for (std::int64_t u = first; u < last; ++u)
          piece(a + at.a * o_.r.m * o_.r.k, w, y + at.y * o_.r.m * o_.r.n, u / pieces,
                u % pieces * rows_of_piece);
      });
    }
  }

 private:
  // Columns of a panel, [k][lanes]; what is beyond n holds zeros.
  void pack(const float* b, float* to, std::int64_t panel) const {
    const std::int64_t first = panel * set_.lanes, count = std::min(set_.lanes, o_.r.n - first);
    const std::int64_t bk = o_.r.trans_b ? 1 : o_.r.n, bj = o_.r.trans_b ? o_.r.k : 1;
    to += first * o_.r.k;
    for (std::int64_t k = 0; k < o_.r.k; ++k, to += set_.lanes) {
      const float* const row = b + k * bk + first * bj;
      for (std::int64_t j = 0; j < count; ++j) to[j] = row[j * bj];
      for (std::int64_t j = count; j < set_.lanes; ++j) to[j] = 0;
    }
  }

  void piece(const float* a, const float* w, float* y, std::int64_t chunk,
             std::int64_t first) const {
    const RealProducts& r = o_.r;
    const std::int64_t panel = chunk * set_.max_vecs, last = std::min(r.m, first + rows_of_piece);
    const auto vecs = static_cast<int>(std::min<std::int64_t>(set_.max_vecs, panels_ - panel));
    const std::int64_t step = r.trans_a ? 1 : r.k, column = panel * set_.lanes;
    RealTile t{nullptr,
               offset_.data(),
               r.k,
               o_.block,
               step,
               w + column * r.k,
               r.k * set_.lanes,
               in_tiles_ && !o_.from_bias ? bias_.data() + column : nullptr,
               std::min<std::int64_t>(r.n - column, vecs * set_.lanes),
               nullptr,
               r.n,
               o_.from_bias ? bias_.data() + column : nullptr};
    t.bias_first = o_.starts;
    for (std::int64_t at = first; at < last;) {
      const std::int64_t left = last - at,
                         turns = (left + set_.max_rows[vecs] - 1) / set_.max_rows[vecs],
                         rows = (left + turns - 1) / turns;
      t.origin = a + at * step;
      t.out = y + at * r.n + column;
      const auto tile = set_.tile[o_.order == SumOrder::fused ? 0 : 1][rows][vecs];
      if (o_.starts && r.k > o_.block && !in_tiles_)
        by_blocks(t, tile, at, rows, column);
      else
        tile(t);
      finish(t, at, rows, column);
      at += rows;
    }
  }

  float term(std::int64_t row, std::int64_t column) const {
    return bias_[static_cast<std::size_t>(row * o_.r.bias_row + column * o_.r.bias_column)];
  }

  // N30 from a start: y = bias, then y = block + y for each block of k.
  void by_blocks(const RealTile& t, void (*tile)(const RealTile&), std::int64_t row,
                 std::int64_t rows, std::int64_t column) const {
    float sums[most_rows * most_columns];
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < t.channels; ++j)
        t.out[i * t.out_step + j] = term(row + i, column + j);
    RealTile one = t;
    one.out = sums;
    one.out_step = most_columns;
    for (std::int64_t k = 0; k < t.k; k += t.block) {
      one.k = std::min(t.block, t.k - k);
      one.offset = t.offset + k;
      one.w = t.w + k * set_.lanes;
      tile(one);
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < t.channels; ++j)
          t.out[i * t.out_step + j] = sums[i * most_columns + j] + t.out[i * t.out_step + j];
    }
  }

  void finish(const RealTile& t, std::int64_t row, std::int64_t rows, std::int64_t column) const {
    const RealProducts& r = o_.r;
    const bool added = in_tiles_ || (o_.starts && r.k > o_.block);
    const bool factors = r.alpha != 1 || (r.biased && r.beta != 1);
    const bool fuses = o_.order == SumOrder::fused && factors;
    if (factors || (r.biased && !added))
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < t.channels; ++j) {
          float& y = t.out[i * t.out_step + j];
          const float c = r.biased && !added ? term(row + i, column + j) : 0.0f;
          if (fuses) {
            y = std::fma(y, r.alpha, r.beta * c);
          } else {
            if (r.alpha != 1) y *= r.alpha;
            if (r.biased && !added) y += r.beta == 1 ? c : r.beta * c;
          }
        }
    if (activation_ == Activation::none) return;
    for (std::int64_t i = 0; i < rows; ++i)
      activate_all(activation_, t.out + i * t.out_step, t.channels);
  }

  const RealSet& set_;
  Ordered o_;
  bool packed_once_;
  bool in_tiles_ = false;  // the bias is one row, of whole vectors
  Activation activation_ = Activation::none;
  std::int64_t panels_ = 0, chunks_ = 0, size_ = 0;
  std::vector<std::int64_t> offset_;
  std::vector<float> packed_, bias_;
};

}  // namespace

bool real_products_fit(const KernelProblem& p) {
  return ordered(p).has_value();
}

std::unique_ptr<PreparedKernel> prepare_real_products(const KernelProblem& p, const RealSet& set) {
  return std::make_unique<RealProductKernel>(p, set);
}

}  // namespace lockstep
