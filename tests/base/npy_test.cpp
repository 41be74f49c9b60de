#include "base/npy.h"

#include <gtest/gtest.h>

#include <cstring>

namespace lockstep {
namespace {

template <class T>
NpyArray array_of(std::vector<std::int64_t> shape, std::vector<T> elements) {
  NpyArray array{dtype_of<T>(), std::move(shape), Bytes(elements.size() * sizeof(T))};
  if (!elements.empty()) std::memcpy(array.bytes.data(), elements.data(), array.bytes.size());
  return array;
}

Bytes file_of(const std::string& header, std::vector<unsigned char> elements, char version = 1) {
  std::string text = "\x93NUMPY";
  text += {version, 0, static_cast<char>(header.size()), 0};
  if (version > 1) text += {0, 0};
  text += header;
  text.append(elements.begin(), elements.end());
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

template <class T>
std::vector<T> elements_of(const NpyArray& array) {
  std::vector<T> out(array.bytes.size() / sizeof(T));
  std::memcpy(out.data(), array.bytes.data(), array.bytes.size());
  return out;
}

TEST(Npy, what_was_written_is_read) {
  for (const auto& shape : std::vector<std::vector<std::int64_t>>{{6}, {2, 3}, {1, 2, 1, 3}}) {
    const NpyArray array = array_of<std::int16_t>(shape, {1, -2, 3, -4, 5, -6});
    const auto read = parse_npy(format_npy(array), "x.npy");
    ASSERT_TRUE(read.ok()) << read.error().line();
    EXPECT_EQ(read->shape, shape);
    EXPECT_EQ(read->dtype, DType::i16);
    EXPECT_EQ(read->bytes, array.bytes);
  }
}

TEST(Npy, scalars_and_empty_arrays_are_arrays) {
  const auto scalar = parse_npy(format_npy(array_of<float>({}, {2.5f})), "x.npy");
  ASSERT_TRUE(scalar.ok());
  EXPECT_TRUE(scalar->shape.empty());
  EXPECT_EQ(elements_of<float>(*scalar), std::vector<float>{2.5f});
  const auto empty = parse_npy(format_npy(array_of<float>({0, 4}, {})), "x.npy");
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE(empty->bytes.empty());
}

TEST(Npy, big_endian_and_fortran_order_become_little_endian_and_c_order) {
  const auto big = parse_npy(
      file_of("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", {1, 2, 3, 4}), "x");
  ASSERT_TRUE(big.ok()) << big.error().line();
  EXPECT_EQ(elements_of<std::int16_t>(*big), (std::vector<std::int16_t>{0x0102, 0x0304}));
  // [[1,2,3],[4,5,6]] stored by columns
  const auto fortran = parse_npy(
      file_of("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", {1, 4, 2, 5, 3, 6}, 2),
      "x");
  ASSERT_TRUE(fortran.ok()) << fortran.error().line();
  EXPECT_EQ(elements_of<std::uint8_t>(*fortran), (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}));
}

TEST(Npy, a_claimed_gigabyte_in_a_small_file_is_refused) {
  const auto read = parse_npy(
      file_of("{'descr': '<f4', 'fortran_order': False, 'shape': (268435456,), }", {0}), "x.npy");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().where, "x.npy");
  EXPECT_NE(read.error().want.find("1073741824"), std::string::npos) << read.error().line();
}

TEST(Npy, extents_that_overflow_are_refused) {
  const std::string shape = "(4294967296, 4294967296, 4294967296)";
  const auto read = parse_npy(
      file_of("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }", {}), "x");
  EXPECT_FALSE(read.ok());
  EXPECT_FALSE(
      parse_npy(file_of("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", {}), "x")
          .ok());
}

TEST(Npy, shapes_of_no_numbers_are_refused) {
  for (const char* shape : {"(L,)", "( L )", "(1L2,)", "(,L)", "(0x10,)", "(1 2,)", "2",
                            "(0, 4294967296, 4294967296)"}) {
    const std::string header = std::string("{'descr': '|i1', 'fortran_order': False, 'shape': ");
    EXPECT_FALSE(parse_npy(file_of(header + shape + ", }", {0}), "x").ok()) << shape;
  }
}

TEST(Npy, objects_and_records_are_refused_by_type) {
  const auto read =
      parse_npy(file_of("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", {0}), "x.npy");
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().what.find("|O"), std::string::npos);
  EXPECT_FALSE(
      parse_npy(file_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
                        {0, 0, 0, 0}),
                "x")
          .ok());
}

TEST(Npy, no_prefix_of_a_file_is_read_and_no_flipped_bit_crashes) {
  const Bytes whole = format_npy(array_of<float>({3, 2}, {1, 2, 3, 4, 5, 6}));
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_FALSE(parse_npy(std::span(whole).first(n), "x").ok()) << n << " bytes";
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= std::byte{1} << bit % 8;
    if (const auto read = parse_npy(flipped, "x"); read.ok()) {
      std::uint64_t needed = size_of(read->dtype);
      for (const auto extent : read->shape) needed *= static_cast<std::uint64_t>(extent);
      EXPECT_EQ(read->bytes.size(), needed) << "bit " << bit;
    }
  }
}

}  // namespace
}  // namespace lockstep
