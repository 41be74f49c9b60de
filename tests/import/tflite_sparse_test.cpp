#include "import/tflite_sparse.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

namespace fb = flatbuffers;

// Two rows of four in blocks of two: each row holds one block.
const tfl::SparsityParameters* halves(fb::FlatBufferBuilder& b,
                                      const std::vector<std::uint8_t>& indices) {
  const std::vector<std::uint8_t> bounds{0, 1, 2};
  const auto segments = tfl::CreateUint8VectorDirect(b, &bounds),
             places = tfl::CreateUint8VectorDirect(b, &indices);
  const std::vector<fb::Offset<tfl::DimensionMetadata>> axes = {
      tfl::CreateDimensionMetadata(b, 0, 2),
      tfl::CreateDimensionMetadata(b, 1, 0, tfl::SparseIndexVector::Uint8Vector, segments.Union(),
                                   tfl::SparseIndexVector::Uint8Vector, places.Union()),
      tfl::CreateDimensionMetadata(b, 0, 2)};
  const std::vector<std::int32_t> order{0, 1, 2}, blocks{1};
  b.Finish(tfl::CreateSparsityParametersDirect(b, &order, &blocks, &axes));
  return fb::GetRoot<tfl::SparsityParameters>(b.GetBufferPointer());
}

std::span<const std::byte> bytes_of(const std::vector<std::int8_t>& v) {
  return std::as_bytes(std::span(v));
}

TEST(TfliteSparse, blocks_fall_in_their_places_and_the_rest_is_zero) {
  fb::FlatBufferBuilder b;
  const std::vector<std::int8_t> values{1, 2, 3, 4};
  const auto t = densified(bytes_of(values), *halves(b, {1, 0}), DType::i8, {2, 4}, "w");
  ASSERT_TRUE(t.ok()) << t.error().line();
  EXPECT_EQ(*t.value(),
            (Tensor::of<std::int8_t>({2, 4}, std::vector<std::int8_t>{0, 0, 1, 2, 3, 4, 0, 0})));
}

TEST(TfliteSparse, refuses_indices_values_and_axes_that_are_not_there) {
  fb::FlatBufferBuilder a, b, c;
  const std::vector<std::int8_t> values{1, 2, 3, 4}, few{1, 2, 3};
  EXPECT_FALSE(densified(bytes_of(values), *halves(a, {1, 2}), DType::i8, {2, 4}, "w").ok());
  EXPECT_FALSE(densified(bytes_of(few), *halves(b, {1, 0}), DType::i8, {2, 4}, "w").ok());
  EXPECT_FALSE(densified(bytes_of(values), *halves(c, {1, 0}), DType::i8, {2, 5}, "w").ok());
}

}  // namespace
}  // namespace lockstep
