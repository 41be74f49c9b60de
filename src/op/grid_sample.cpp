// y[n,c,i,j] = x[n,c] at the place grid[n,i,j] = (column, row), -1 .. 1 from edge to edge
#include <algorithm>
#include <array>
#include <cmath>

#include "num/real.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"grid"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"mode", "linear", "nearest, linear or cubic"},
    {"padding_mode", "zeros", "zeros, border or reflection: what lies beside x"},
    {"align_corners", "0",
     "1: -1 and 1 are the centres of the outermost elements, else their edges"},
};
constexpr Rule rules[] = {
    {"x is float32 [n, c, h, w] and grid float32 [n, h', w', 2]",
     [](const NodeView& n) {
       const Shape &x = n.input(0).shape, &g = n.input(1).shape;
       return n.input(0).dtype == DType::f32 && n.input(1).dtype == DType::f32 && x.size() == 4 &&
              g.size() == 4 && g[0] == x[0] && g[3] == 2 && x[2] > 0 && x[3] > 0;
     }},
};

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"align_corners", "mode", "padding_mode"}));
  Attrs a = f.attrs;
  const std::string mode = f.attrs.text("mode", "linear");
  a.set("mode", mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode);
  for (const auto& [name, known] : {std::pair{"mode", std::string("nearest linear cubic")},
                                    {"padding_mode", std::string("zeros border reflection")}})
    if (a.has(name) && known.find(a.text(name, "")) == std::string::npos)
      return Error{f.where, name + (" " + a.text(name, "")), known, ""};
  return add_like(f, graph, "GridSample", f.inputs, std::move(a));
}
constexpr Foreign from[] = {{Format::onnx, "GridSample", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Shape &x = n.input(0).shape, &g = n.input(1).shape;
  return std::vector<Facts>{{DType::f32, {x[0], x[1], g[1], g[2]}, {}}};
}

// One axis: how a number of the grid becomes a place, and what a place beside the axis means.
struct Axis {
  float extent, low, high;
  std::string_view beside;

  Axis(std::int64_t n, bool corners, std::string_view padding)
      : extent(static_cast<float>(n)),
        low(corners ? 0.0f : -0.5f),
        high(corners ? extent - 1 : extent - 0.5f),
        beside(padding) {}
  float place(float g) const {
    return low == 0 ? (g + 1) / 2 * (extent - 1) : ((g + 1) * extent - 1) / 2;
  }
  float reflected(float v) const {
    const float range = high - low;
    const bool below = v < low;
    if (!below && !(v > high)) return v;
    if (range <= 0) return low;
    const float over = below ? low - v : v - high;
    const auto turns = static_cast<std::int64_t>(over / range);
    const float rest = over - static_cast<float>(turns) * range;
    return (turns % 2 == 0) == below ? low + rest : high - rest;
  }
  // The element before a place, far from the axis where the place is.
  static std::int64_t before(float v) {
    constexpr float far = 1e9f;
    return static_cast<std::int64_t>(std::floor(v >= -far && v <= far ? v : v > far ? far : -far));
  }
  // The element at an integer place; none: -1.
  std::int64_t element(std::int64_t i) const {
    const auto n = static_cast<std::int64_t>(extent);
    if (i >= 0 && i < n) return i;
    if (beside == "zeros") return -1;
    if (beside == "border") return std::clamp<std::int64_t>(i, 0, n - 1);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(reflected(static_cast<float>(i))), 0,
                                    n - 1);
  }
};

float pixel(const float* x, std::int64_t row, std::int64_t column, std::int64_t width) {
  return row < 0 || column < 0 ? 0.0f : x[row * width + column];
}

std::array<float, 4> cubic_weights(float d) {
  constexpr float a = -0.75f;
  const float before = d + 1, after = 1 - d, last = 2 - d;
  return {((a * before - 5 * a) * before + 8 * a) * before - 4 * a,
          ((a + 2) * d - (a + 3)) * d * d + 1, ((a + 2) * after - (a + 3)) * after * after + 1,
          ((a * last - 5 * a) * last + 8 * a) * last - 4 * a};
}

// N105: the four neighbours under their products of shares where both ends are edges and nothing
// lies beside x; else row by row.
float mixed(const Axis& rows, const Axis& columns, float r, float c, const auto& at) {
  const std::int64_t row = Axis::before(r), column = Axis::before(c);
  const float dr = r - static_cast<float>(row), dc = c - static_cast<float>(column);
  const float er = static_cast<float>(row + 1) - r, ec = static_cast<float>(column + 1) - c;
  const float v[4] = {at(row, column), at(row, column + 1), at(row + 1, column),
                      at(row + 1, column + 1)};
  if (rows.beside == "zeros" && rows.low != 0 && columns.low != 0)
    return er * ec * v[0] + er * dc * v[1] + dr * ec * v[2] + dr * dc * v[3];
  return er * (ec * v[0] + dc * v[1]) + dr * (ec * v[2] + dc * v[3]);
}

float sampled(const float* x, const Axis& rows, const Axis& columns, float r, float c,
              std::string_view mode) {
  const auto width = static_cast<std::int64_t>(columns.extent);
  const auto at = [&](std::int64_t i, std::int64_t j) {
    return pixel(x, rows.element(i), columns.element(j), width);
  };
  if (mode == "nearest")
    return at(Axis::before(static_cast<float>(half_even(static_cast<double>(r)))),
              Axis::before(static_cast<float>(half_even(static_cast<double>(c)))));
  if (mode == "linear") return mixed(rows, columns, r, c, at);
  const std::int64_t row = Axis::before(r) - 1, column = Axis::before(c) - 1;
  const auto wr = cubic_weights(std::abs(r - static_cast<float>(row) - 1)),
             wc = cubic_weights(std::abs(c - static_cast<float>(column) - 1));
  std::array<float, 4> v{};
  for (std::int64_t i = 0; i < 4; ++i)
    v[static_cast<std::size_t>(i)] = wc[0] * at(row + i, column) + wc[1] * at(row + i, column + 1) +
                                     wc[2] * at(row + i, column + 2) +
                                     wc[3] * at(row + i, column + 3);
  return wr[0] * v[0] + wr[1] * v[1] + wr[2] * v[2] + wr[3] * v[3];
}

Result<void> eval(EvalContext& c) {
  const Shape &x = c.in[0]->shape(), &y = c.out[0].shape();
  const bool corners = c.view.attrs().integer("align_corners", 0) != 0;
  const std::string mode = c.view.attrs().text("mode", "linear"),
                    padding = c.view.attrs().text("padding_mode", "zeros");
  const Axis rows(x[2], corners, padding), columns(x[3], corners, padding);
  const auto grid = c.in[1]->as<float>();
  const std::int64_t places = y[2] * y[3];
  for (std::int64_t plane = 0; plane < x[0] * x[1]; ++plane)
    for (std::int64_t p = 0; p < places; ++p) {
      const auto g = static_cast<std::size_t>((plane / x[1] * places + p) * 2);
      c.out[0].as<float>()[static_cast<std::size_t>(plane * places + p)] =
          sampled(c.in[0]->as<float>().data() + plane * x[2] * x[3], rows, columns,
                  rows.place(grid[g + 1]), columns.place(grid[g]), mode);
    }
  return {};
}

}  // namespace

extern constinit const OpDef op_grid_sample = {
    .name = "GridSample",
    .meaning = "y[n,c,i,j] = x[n,c] at the place that grid[n,i,j] names",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
