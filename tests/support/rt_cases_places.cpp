// Problems of elements and blocks at computed places.
#include <array>

#include "support/rt_cases_parts.h"

namespace lockstep::test {
namespace {

Tensor indices(CaseMaker& m, Shape shape, std::int64_t low, std::int64_t high) {
  Tensor t(m.coin() ? DType::i64 : DType::i32, std::move(shape));
  for (std::int64_t i = 0; i < t.count(); ++i) t.set_code(i, m.from(low, high));
  return t;
}

// Reals, codes or bytes of no quantization.
struct Content {
  DType type;
  QuantParams quant;
  Tensor of(CaseMaker& m, const Shape& shape) const {
    return type == DType::f32 ? m.reals(shape) : m.codes(type, shape);
  }
};
Content content(CaseMaker& m) {
  const DType t = m.coin() ? DType::f32 : code_type(m);
  return {t, t == DType::f32 ? QuantParams{} : quant_of(m, t)};
}

Shape of_rank(CaseMaker& m, std::int64_t rank) {
  Shape s;
  for (std::int64_t d = 0; d < rank; ++d) s.push_back(m.from(1, 6));
  return s;
}

// As many tuples as drawn, each naming the first axes behind `batch`.
std::optional<KernelCase> tuples(CaseMaker& m) {
  CaseBuilder b("GatherND");
  const Shape x = of_rank(m, m.from(1, 4));
  const std::int64_t batch = x.size() > 1 ? m.from(0, 1) : 0,
                     named = m.from(1, std::ssize(x) - batch);
  Shape at = batch > 0 ? Shape{x[0], m.from(1, 5), named} : Shape{m.from(1, 5), named};
  const Content c = content(m);
  b.input(c.of(m, x), c.quant, false);
  Tensor index = indices(m, at, 0, 0);
  for (std::int64_t i = 0; i < index.count(); ++i) {
    const std::int64_t extent = x[static_cast<std::size_t>(batch + i % named)];
    index.set_code(i, m.from(-extent, extent - 1));
  }
  b.input(std::move(index), {}, false);
  b.node().attrs.set("batch_dims", batch);
  return b.finish(c.type, c.quant);
}

std::string reduction(CaseMaker& m, const Content& c) {
  static constexpr std::array names{"add", "mul", "max", "min"};
  return c.type == DType::f32 && m.coin() ? one_of(m, names) : "none";
}

// Integers of no quantization: 8 and 16 bits wrap around where they are joined.
Tensor integers(CaseMaker& m, DType type, const Shape& shape) {
  Tensor t(type, shape);
  const bool short_code = size_of(type) <= 2;
  const CodeRange all = code_range(type);
  for (std::int64_t i = 0; i < t.count(); ++i)
    t.set_code(i, short_code ? m.from(all.low, all.high) : m.from(-9, 9));
  return t;
}

// Several updates meet at some places.
std::optional<KernelCase> joined_integers(CaseMaker& m) {
  static constexpr std::array types{DType::i8, DType::u8, DType::i16, DType::i32, DType::i64};
  static constexpr std::array names{"add", "mul", "max", "min"};
  const bool by_rows = m.coin();
  CaseBuilder b(by_rows ? "ScatterND" : "ScatterElements");
  const DType type = types[static_cast<std::size_t>(m.from(0, std::ssize(types) - 1))];
  const std::int64_t rows = m.from(1, 4), columns = m.from(1, 5), updates = m.from(1, 8);
  b.input(integers(m, type, {rows, columns}), {}, false);
  b.input(indices(m, by_rows ? Shape{updates, 1} : Shape{updates, columns}, 0, rows - 1), {},
          m.coin());
  b.input(integers(m, type, {updates, columns}), {}, false);
  b.node().attrs.set("reduction", one_of(m, names));
  return b.finish(type, {});
}

// Places that come twice are written in the order of the updates.
std::optional<KernelCase> updates(CaseMaker& m) {
  CaseBuilder b("ScatterND");
  const Shape x = of_rank(m, m.from(1, 4));
  const std::int64_t named = m.from(1, std::ssize(x)), count = m.from(1, 5);
  const Content c = content(m);
  Shape rows{count};
  rows.insert(rows.end(), x.begin() + named, x.end());
  b.input(c.of(m, x), c.quant, m.from(0, 2) == 0);
  Tensor index = indices(m, {count, named}, 0, 0);
  for (std::int64_t i = 0; i < index.count(); ++i)
    index.set_code(i, m.from(0, x[static_cast<std::size_t>(i % named)] - 1));
  b.input(std::move(index), {}, m.coin());
  b.input(c.of(m, rows), c.quant, false);
  b.node().attrs.set("reduction", reduction(m, c));
  return b.finish(c.type, c.quant);
}

std::optional<KernelCase> elements(CaseMaker& m) {
  const bool gathers = m.coin();
  CaseBuilder b(gathers ? "GatherElements" : "ScatterElements");
  const Shape x = of_rank(m, m.from(1, 4));
  const std::int64_t axis = m.from(0, std::ssize(x) - 1),
                     extent = x[static_cast<std::size_t>(axis)];
  const Content c = content(m);
  Shape at = x;
  for (std::int64_t& e : at) e = m.from(1, e);
  b.input(c.of(m, x), c.quant, false);
  b.input(indices(m, at, -extent, extent - 1), {}, false);
  if (!gathers) {
    b.input(c.of(m, at), c.quant, false);
    b.node().attrs.set("reduction", reduction(m, c));
  }
  b.node().attrs.set("axis", axis - (m.coin() ? std::ssize(x) : 0));
  return b.finish(c.type, c.quant);
}

// Some indices lie outside: nothing is hot there.
std::optional<KernelCase> hot(CaseMaker& m) {
  CaseBuilder b("OneHot");
  const Shape x = of_rank(m, m.from(1, 3));
  const std::int64_t depth = m.from(1, 7);
  b.input(indices(m, x, -depth - 1, depth), {}, false);
  Tensor extent(DType::i64, {});
  extent.set_code(0, depth);
  b.input(std::move(extent), {}, true);
  b.input(m.reals({2}), {}, m.coin());
  b.node().attrs.set("axis", m.from(-1, std::ssize(x)));
  b.node().attrs.set("from_end", m.from(0, 1));
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> block(CaseMaker& m) {
  CaseBuilder b("DynamicUpdateSlice");
  const Shape x = of_rank(m, m.from(1, 4));
  Shape part = x;
  for (std::int64_t& e : part) e = m.from(1, e);
  const Content c = content(m);
  b.input(c.of(m, x), c.quant, false);
  b.input(c.of(m, part), c.quant, m.coin());
  b.input(indices(m, {std::ssize(x)}, -2, 7), {}, false);
  return b.finish(c.type, c.quant);
}

// Rows of x by indices behind a shared axis.
std::optional<KernelCase> by_batch(CaseMaker& m) {
  CaseBuilder b("Gather");
  const Shape x = of_rank(m, m.from(2, 4));
  const Content c = content(m);
  b.input(c.of(m, x), c.quant, false);
  b.input(indices(m, {x[0], m.from(1, 5)}, 0, x[1] - 1), {}, false);
  b.node().attrs.set("axis", std::int64_t{1});
  b.node().attrs.set("batch_dims", std::int64_t{1});
  return b.finish(c.type, c.quant);
}

std::optional<KernelCase> neighbours(CaseMaker& m) {
  CaseBuilder b("LRN");
  b.input(m.reals(of_rank(m, m.from(2, 4))), {}, false);
  b.node().attrs.set("axis", m.coin() ? std::int64_t{1} : std::int64_t{-1});
  b.node().attrs.set("size", m.from(1, 9));
  b.node().attrs.set("alpha", 0.25);
  b.node().attrs.set("beta", m.coin() ? 0.75 : 0.5);
  b.node().attrs.set("bias", 2.0);
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> angle(CaseMaker& m) {
  CaseBuilder b("Atan2");
  const Shape x = small_shape(m, m.from(0, 3));
  b.input(m.reals(x), {}, false), b.input(m.reals(x), {}, false);
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> truths(CaseMaker& m) {
  CaseBuilder b(m.coin() ? "ReduceMax" : "ReduceMin");
  const Shape x = of_rank(m, m.from(1, 4));
  const bool words = m.coin();
  Tensor t(words ? DType::i32 : DType::boolean, x);
  for (std::int64_t i = 0; i < t.count(); ++i)
    t.set_code(i, words ? m.from(-70000, 70000) : m.from(0, 1));
  b.input(std::move(t), {}, false);
  b.node().attrs.set("axes", std::vector<std::int64_t>{m.from(0, std::ssize(x) - 1)});
  return b.finish(words ? DType::i32 : DType::boolean, {});
}

// All of x, among one value.
std::optional<KernelCase> surrounded(CaseMaker& m) {
  CaseBuilder b("Pad");
  const Shape x = of_rank(m, m.from(1, 4));
  const Content c = content(m);
  b.input(c.of(m, x), c.quant, false);
  Tensor pads(DType::i64, {2 * std::ssize(x)});
  for (auto& e : pads.as<std::int64_t>()) e = m.from(0, 3);
  pads.as<std::int64_t>()[0] = m.from(1, 3);
  b.input(std::move(pads), {}, true);
  if (m.coin()) b.input(c.of(m, {}), {}, true);
  return b.finish(c.type, c.quant);
}

constexpr RtSource sources[] = {
    {"tuples", tuples},         {"updates", updates},
    {"elements", elements},     {"hot", hot},
    {"block", block},           {"by_batch", by_batch},
    {"neighbours", neighbours}, {"angle", angle},
    {"truths", truths},         {"joined_integers", joined_integers, 2},
    {"surrounded", surrounded},
};

}  // namespace

std::span<const RtSource> rt_places() {
  return sources;
}

}  // namespace lockstep::test
