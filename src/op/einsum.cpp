// y[out] = sum over the labels that out lacks of x0[labels0] * x1[labels1] * ...
#include <algorithm>

#include "base/text.h"
#include "num/real_functions.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x", Slot::variadic}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"equation", "",
     "labels of each operand, \"->\", labels of y; \"...\" stands for leading axes"}};
constexpr Rule rules[] = {{"one or two operands of float32", [](const NodeView& n) {
                             for (std::size_t i = 0; i < n.input_count(); ++i)
                               if (!n.has_input(i) || n.input(i).dtype != DType::f32) return false;
                             return n.input_count() == 1 || n.input_count() == 2;
                           }}};
constexpr Foreign from[] = {{Format::onnx, "Einsum"}};

struct Equation {
  std::vector<std::string> operands;  // one letter for each axis; axes under an ellipsis are digits
  std::string out;
  std::vector<std::int64_t> extent = std::vector<std::int64_t>(128, 0);  // by letter
  std::int64_t of(char label) const { return extent[static_cast<std::size_t>(label)]; }
};

Result<Equation> equation_of(const NodeView& n) {
  std::string text = n.attrs().text("equation", "");
  std::erase(text, ' ');
  const Error wrong{n.where(), "equation '" + text + "'", "labels that fit the operands", ""};
  if (std::ranges::any_of(text, [](char c) {
        return c < 0 ||
               (std::string_view(",->.").find(c) == std::string_view::npos && !std::isalpha(c));
      }))
    return wrong;
  const std::size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  Equation e;
  std::size_t widest = 0, first = 0;
  for (std::size_t i = 0; i < n.input_count(); ++i) {
    const std::size_t comma = left.find(',', first);
    if ((comma == std::string::npos) != (i + 1 == n.input_count())) return wrong;
    std::string labels = left.substr(first, comma == std::string::npos ? comma : comma - first);
    first = comma + 1;
    const Shape& shape = n.input(i).shape;
    if (const std::size_t dots = labels.find("..."); dots != std::string::npos) {
      if (shape.size() + 3 < labels.size()) return wrong;
      const std::size_t many = shape.size() + 3 - labels.size();
      if (many > 9) return wrong;
      std::string digits;
      for (std::size_t d = many; d > 0; --d)
        digits += static_cast<char>('0' + d);  // the last axis is 1
      labels.replace(dots, 3, digits);
      widest = std::max(widest, many);
    }
    if (labels.size() != shape.size() || labels.find('.') != std::string::npos) return wrong;
    for (std::size_t d = 0; d < labels.size(); ++d) {
      std::int64_t& known = e.extent[static_cast<std::size_t>(labels[d])];
      if (known > 1 && shape[d] > 1 && known != shape[d]) return wrong;
      known = std::max(known, shape[d]);
    }
    e.operands.push_back(std::move(labels));
  }
  std::string digits;
  for (std::size_t d = widest; d > 0; --d) digits += static_cast<char>('0' + d);
  if (arrow != std::string::npos) {
    e.out = text.substr(arrow + 2);
    if (const std::size_t dots = e.out.find("..."); dots != std::string::npos)
      e.out.replace(dots, 3, digits);
  } else {
    e.out = digits;
    for (char label = 'A'; label <= 'z'; ++label)
      if (std::ranges::count(left, label) == 1) e.out += label;
  }
  for (std::size_t i = 0; i < e.out.size(); ++i)
    if (e.of(e.out[i]) == 0 || e.out.find(e.out[i], i + 1) != std::string::npos) return wrong;
  return e;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Equation e, equation_of(n));
  Shape y;
  for (const char label : e.out) y.push_back(e.of(label));
  return std::vector<Facts>{{DType::f32, std::move(y), {}}};
}

// Elements of x by the labels of `order`: a label that stands twice is a diagonal, an extent of 1
// is repeated.
std::vector<float> by_labels(std::span<const float> x, const Shape& shape,
                             const std::string& labels, const std::string& order,
                             const Equation& e) {
  std::vector<std::int64_t> stride(order.size(), 0), extent;
  for (const char label : order) extent.push_back(e.of(label));
  const Shape strides = strides_of(shape);
  for (std::size_t d = 0; d < labels.size(); ++d)
    if (shape[d] > 1) stride[order.find(labels[d])] += strides[d];
  std::vector<float> y(static_cast<std::size_t>(count_of(extent)));
  for (std::size_t i = 0; i < y.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), at = 0;
    for (std::size_t d = order.size(); d-- > 0;)
      at += rest % extent[d] * stride[d], rest /= extent[d];
    y[i] = x[static_cast<std::size_t>(at)];
  }
  return y;
}

// The sum of x over all labels that `keep` lacks, its axes in the order of `keep`.
std::vector<float> arranged(const EvalContext& c, const Tensor& x, const std::string& labels,
                            const std::string& keep, const Equation& e) {
  std::string order, kept;
  Shape extents, kept_extents;
  std::vector<std::uint8_t> reduced;
  for (const char label : e.operands.front() + e.operands.back() + labels)
    if (labels.find(label) != std::string::npos && order.find(label) == std::string::npos) {
      order += label;
      extents.push_back(e.of(label));
      reduced.push_back(keep.find(label) == std::string::npos);
      if (!reduced.back()) kept += label, kept_extents.push_back(e.of(label));
    }
  const auto full = by_labels(x.as<float>(), x.shape(), labels, order, e);
  if (kept == order) return by_labels(full, extents, order, keep, e);
  std::vector<float> sums(static_cast<std::size_t>(count_of(kept_extents)), 0.0f);
  if (const RealFunctions* const own = c.num.real.functions; own && own->reduce) {
    own->reduce(RealReduction::sum, full, extents, reduced, sums);
  } else {
    for (std::size_t i = 0; i < full.size(); ++i) {
      std::int64_t rest = static_cast<std::int64_t>(i), to = 0, step = 1;
      for (std::size_t d = order.size(); d-- > 0;) {
        if (!reduced[d]) to += rest % extents[d] * step, step *= extents[d];
        rest /= extents[d];
      }
      sums[static_cast<std::size_t>(to)] += full[i];
    }
  }
  return by_labels(sums, kept_extents, kept, keep, e);
}

std::int64_t extent_of(const Equation& e, const std::string& labels) {
  std::int64_t n = 1;
  for (const char label : labels) n *= e.of(label);
  return n;
}

void product(const EvalContext& c, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
             const float* b, float* y) {
  if (c.num.real.matrix) return c.num.real.matrix({.m = m, .n = n, .k = k, .a = a, .b = b, .y = y});
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      float sum = 0;
      for (std::int64_t r = 0; r < k; ++r) sum += a[i * k + r] * b[r * n + j];
      y[i * n + j] = sum;
    }
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Equation e, equation_of(c.view));
  const auto y = c.out[0].as<float>();
  if (y.empty()) return {};
  if (c.in.size() == 1) {
    std::ranges::copy(arranged(c, *c.in[0], e.operands[0], e.out, e), y.begin());
    return {};
  }
  // Labels by who has them: both and y, one and y, both only. What one has alone is summed first.
  std::string batch, rows, columns, depth;
  for (const char label : e.out) {
    const bool a = e.operands[0].find(label) != std::string::npos,
               b = e.operands[1].find(label) != std::string::npos;
    (a && b ? batch : a ? rows : columns) += label;
  }
  for (const char label : e.operands[0])
    if (e.out.find(label) == std::string::npos && e.operands[1].find(label) != std::string::npos &&
        depth.find(label) == std::string::npos)
      depth += label;
  const auto a = arranged(c, *c.in[0], e.operands[0], batch + rows + depth, e);
  const auto b = arranged(c, *c.in[1], e.operands[1], batch + depth + columns, e);
  const std::int64_t m = extent_of(e, rows), n = extent_of(e, columns), k = extent_of(e, depth);
  Shape made_shape;
  for (const char label : batch + rows + columns) made_shape.push_back(e.of(label));
  Tensor made(DType::f32, made_shape);
  for (std::int64_t i = 0; i < extent_of(e, batch); ++i)
    product(c, m, n, k, a.data() + i * m * k, b.data() + i * k * n,
            made.as<float>().data() + i * m * n);
  std::ranges::copy(arranged(c, made, batch + rows + columns, e.out, e), y.begin());
  return {};
}

}  // namespace

extern constinit const OpDef op_einsum = {
    .name = "Einsum",
    .meaning = "y[out] = sum over the labels that out lacks of the product of the operands",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
