#include "diff/structure.h"

#include "base/random.h"
#include "support/nets.h"

namespace lockstep {
namespace {

const Shape shape = {1, 8, 16, 16};

Tensor codes(std::uint64_t seed) {
  Tensor t(DType::i8, shape);
  Random random(seed);
  for (std::int64_t i = 0; i < t.count(); ++i) t.set_code(i, random.between(-100, 100));
  return t;
}

// Changes the codes for which `where` holds by `step(i)`.
template <class Where, class Step>
std::string kind_of(Where where, Step step, std::uint64_t seed = 1) {
  StructureTest test(shape, 1);
  const Tensor expected = codes(seed);
  Tensor device = expected;
  for (std::int64_t i = 0; i < device.count(); ++i)
    if (where(i)) device.set_code(i, device.code(i) + step(i));
  test.add(expected, device);
  return test.result().kind;
}

TEST(Structure, scattered_rounding_has_none) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed * 77);
    EXPECT_EQ(kind_of([&](auto) { return random.unit() < 0.05; },
                      [&](auto) { return random.unit() < 0.5 ? 1 : -1; }, seed),
              "");
  }
}

TEST(Structure, a_few_ties_that_go_one_way_are_rounding) {
  EXPECT_EQ(kind_of([](std::int64_t i) { return i % 8 == 0; }, [](auto) { return 1; }), "");
}

TEST(Structure, truncation_is_one_sided) {
  EXPECT_EQ(kind_of([](std::int64_t i) { return i % 2 == 0; }, [](auto) { return -1; }),
            "one-sided");
}

TEST(Structure, truncation_toward_zero_is_seen_and_ties_that_go_there_are_rounding) {
  const Tensor at = codes(1);
  const auto toward = [&](std::int64_t i) { return at.code(i) > 0 ? -1 : at.code(i) < 0 ? 1 : 0; };
  EXPECT_EQ(kind_of([](std::int64_t i) { return i % 2 == 0; }, toward), "toward zero");
  EXPECT_EQ(kind_of([](std::int64_t i) { return i % 17 == 0; }, toward), "");
  EXPECT_EQ(kind_of([](std::int64_t i) { return i % 2 == 0; },
                    [&](std::int64_t i) { return -toward(i); }),
            "");
}

TEST(Structure, one_channel_is_seen) {
  EXPECT_EQ(kind_of([](std::int64_t i) { return i / 256 % 8 == 3 && i % 3 == 0; },
                    [](std::int64_t i) { return i % 2 ? 1 : -1; }),
            "one channel");
}

TEST(Structure, a_border_is_seen) {
  const auto edge = [](std::int64_t i) { return i % 16 == 15 || i / 16 % 16 == 0; };
  EXPECT_EQ(kind_of(edge, [](std::int64_t i) { return i % 2 ? 1 : -1; }), "border");
}

TEST(Structure, one_constant_patch_is_a_coincidence) {
  StructureTest test(shape, 1);
  Tensor expected(DType::i8, shape), device(DType::i8, shape);
  for (std::int64_t i = 0; i < 256; ++i) device.set_code(i, 1);
  test.add(expected, device);
  EXPECT_EQ(test.result().kind, "");
}

}  // namespace
}  // namespace lockstep
