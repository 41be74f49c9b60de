// The axes of the tensor, then those inside its blocks, are walked in the order that the file
// gives. A dense axis has every index; a sparse one has, for each place before it, the indices
// between two segment bounds. Values lie in the order of the walk.
#include "import/tflite_sparse.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/text.h"

namespace lockstep {
namespace {

std::vector<std::int64_t> numbers(const void* vector, tfl::SparseIndexVector type) {
  std::vector<std::int64_t> out;
  const auto take = [&](const auto* list) {
    if (list && list->values()) out.assign(list->values()->begin(), list->values()->end());
  };
  if (!vector) return out;
  if (type == tfl::SparseIndexVector::Int32Vector)
    take(static_cast<const tfl::Int32Vector*>(vector));
  if (type == tfl::SparseIndexVector::Uint16Vector)
    take(static_cast<const tfl::Uint16Vector*>(vector));
  if (type == tfl::SparseIndexVector::Uint8Vector)
    take(static_cast<const tfl::Uint8Vector*>(vector));
  return out;
}

struct Level {
  std::size_t axis = 0;  // of the tensor, or beyond its rank one inside a block
  bool dense = true;
  std::int64_t extent = 0;
  std::vector<std::int64_t> bounds, indices;
};

class Walk {
 public:
  Walk(std::span<const std::byte> raw, Tensor& out, std::size_t element)
      : raw_(raw), out_(out), element_(element), at_(out.shape().size()) {}

  bool prepare(const tfl::SparsityParameters& s) {
    const auto *order = s.traversal_order(), *blocks = s.block_map();
    const auto* metadata = s.dim_metadata();
    if (!order || !metadata || order->size() != metadata->size() || order->size() > 16)
      return false;
    const std::size_t rank = at_.size(), inside = blocks ? blocks->size() : 0;
    if (order->size() != rank + inside) return false;
    extents_.assign(out_.shape().begin(), out_.shape().end());
    extents_.resize(rank + inside, 0);
    for (std::size_t b = 0; b < inside; ++b) {
      const std::int32_t of = blocks->Get(static_cast<flatbuffers::uoffset_t>(b));
      if (of < 0 || static_cast<std::size_t>(of) >= rank) return false;
      blocked_.push_back(static_cast<std::size_t>(of));
    }
    std::vector<bool> seen(rank + inside, false);
    for (flatbuffers::uoffset_t k = 0; k < order->size(); ++k) {
      const auto axis = static_cast<std::size_t>(order->Get(k));
      const tfl::DimensionMetadata& m = *metadata->Get(k);
      if (axis >= seen.size() || seen[axis]) return false;
      seen[axis] = true;
      Level level{axis, m.format() == 0, m.dense_size(),
                  numbers(m.array_segments(), m.array_segments_type()),
                  numbers(m.array_indices(), m.array_indices_type())};
      if (level.dense && level.extent < 1) return false;
      if (axis >= rank && !level.dense) return false;  // blocks are whole
      if (axis >= rank) extents_[axis] = level.extent;
      levels_.push_back(std::move(level));
    }
    for (std::size_t b = 0; b < inside; ++b) {
      const std::int64_t block = extents_[rank + b];
      if (extents_[blocked_[b]] % block != 0) return false;
      extents_[blocked_[b]] /= block;
    }
    coordinates_.assign(rank + inside, 0);
    return std::ranges::all_of(
        levels_, [&](const Level& l) { return !l.dense || l.extent == extents_[l.axis]; });
  }

  bool run(std::size_t depth = 0, std::int64_t before = 0) {
    if (depth == levels_.size()) return put(before);
    const Level& l = levels_[depth];
    if (l.dense) {
      for (std::int64_t i = 0; i < l.extent; ++i) {
        coordinates_[l.axis] = i;
        if (!run(depth + 1, before * l.extent + i)) return false;
      }
      return true;
    }
    const auto first = static_cast<std::size_t>(before);
    if (first + 1 >= l.bounds.size()) return false;
    const std::int64_t from = l.bounds[first], to = l.bounds[first + 1];
    if (from < 0 || to < from || to > static_cast<std::int64_t>(l.indices.size()) ||
        to - from > extents_[l.axis])
      return false;
    for (std::int64_t i = from; i < to; ++i) {
      const std::int64_t index = l.indices[static_cast<std::size_t>(i)];
      if (index < 0 || index >= extents_[l.axis]) return false;
      coordinates_[l.axis] = index;
      if (!run(depth + 1, i)) return false;
    }
    return true;
  }

 private:
  bool put(std::int64_t value) {
    const std::size_t rank = at_.size();
    std::copy_n(coordinates_.begin(), rank, at_.begin());
    for (std::size_t b = 0; b < blocked_.size(); ++b)
      at_[blocked_[b]] = at_[blocked_[b]] * extents_[rank + b] + coordinates_[rank + b];
    std::int64_t flat = 0;
    for (std::size_t k = 0; k < rank; ++k) flat = flat * out_.shape()[k] + at_[k];
    const std::size_t from = static_cast<std::size_t>(value) * element_;
    if (from + element_ > raw_.size()) return false;
    std::memcpy(out_.bytes().data() + static_cast<std::size_t>(flat) * element_, raw_.data() + from,
                element_);
    return true;
  }

  std::span<const std::byte> raw_;
  Tensor& out_;
  std::size_t element_;
  std::vector<Level> levels_;
  std::vector<std::size_t> blocked_;  // by block axis: the axis of the tensor that it divides
  std::vector<std::int64_t> extents_, coordinates_, at_;
};

}  // namespace

Result<std::shared_ptr<const Tensor>> densified(std::span<const std::byte> raw,
                                                const tfl::SparsityParameters& sparsity,
                                                DType dtype, const Shape& shape,
                                                const std::string& where) {
  auto out = std::make_shared<Tensor>(dtype, shape);
  std::ranges::fill(out->bytes(), std::byte{0});
  Walk walk(raw, *out, size_of(dtype));
  if (!walk.prepare(sparsity) || !walk.run())
    return Error{where, "sparse contents that do not fill " + shape_text(shape),
                 "indices inside the tensor, a value for each", "the file is damaged"};
  return std::shared_ptr<const Tensor>(out);
}

}  // namespace lockstep
