// y[n,c,image] = sum of the columns' elements that lie there: the blocks of a sliding window laid
// back
#include <cmath>

#include "base/text.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"image_shape"}, {"block_shape"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"strides", "1", "step of the window on each axis of the image"},
    {"dilations", "1", "step of the taps on each axis of the image"},
    {"pads", "0", "positions before and after each axis that are cut off"},
};
constexpr Rule rules[] = {
    {"x is float32 [n, channels * taps, blocks]",
     [](const NodeView& n) {
       return n.input(0).dtype == DType::f32 && n.input(0).shape.size() == 3;
     }},
    {constant_rule,
     [](const NodeView& n) {
       return constants_if_there<1, 2>(n) && n.constant(1) && n.constant(2);
     }},
};
constexpr Foreign from[] = {{Format::onnx, "Col2Im"}};

struct Plan {
  Shape image, block, blocks;  // extents of the image, the window and its places
  std::vector<std::int64_t> strides, dilations, begin;
  std::int64_t channels = 0;
};

Result<Plan> plan_of(const NodeView& n) {
  Plan p;
  p.image = integers_of(*n.constant(1)), p.block = integers_of(*n.constant(2));
  const std::size_t rank = p.image.size();
  const auto ones = std::vector<std::int64_t>(rank, 1);
  p.strides = n.attrs().integers("strides", ones),
  p.dilations = n.attrs().integers("dilations", ones);
  const auto pads = n.attrs().integers("pads", std::vector<std::int64_t>(2 * rank, 0));
  if (rank == 0 || p.block.size() != rank || p.strides.size() != rank ||
      p.dilations.size() != rank || pads.size() != 2 * rank)
    return Error{n.where(), "image " + shape_text(p.image) + ", block " + shape_text(p.block),
                 "one extent, stride and dilation for each axis", ""};
  double most = 1;
  for (std::size_t d = 0; d < rank; ++d)
    most *= static_cast<double>(p.image[d]) *
            static_cast<double>(std::max<std::int64_t>(1, p.block[d]));
  for (const auto& list : {p.strides, p.dilations, pads, p.block})
    for (const std::int64_t v : list) most = std::max(most, std::abs(static_cast<double>(v)));
  if (!(most < 0x1p40))
    return Error{n.where(), "image " + shape_text(p.image), "at most 2^40 elements", ""};
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t room =
        p.image[d] + pads[d] + pads[d + rank] - p.dilations[d] * (p.block[d] - 1) - 1;
    if (p.image[d] < 1 || p.block[d] < 1 || p.strides[d] < 1 || p.dilations[d] < 1 || pads[d] < 0 ||
        pads[d + rank] < 0 || room < 0)
      return Error{n.where(), "image " + shape_text(p.image) + ", block " + shape_text(p.block),
                   "a block that fits the padded image", ""};
    p.blocks.push_back(room / p.strides[d] + 1);
    p.begin.push_back(pads[d]);
  }
  const Shape& x = n.input(0).shape;
  if (x[1] % count_of(p.block) != 0 || x[2] != count_of(p.blocks))
    return Error{n.where(), "x " + shape_text(x),
                 std::to_string(count_of(p.block)) + " taps for each channel and " +
                     std::to_string(count_of(p.blocks)) + " blocks",
                 ""};
  p.channels = x[1] / count_of(p.block);
  return p;
}

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY(const Plan p, plan_of(n));
  Shape y = {n.input(0).shape[0], p.channels};
  y.insert(y.end(), p.image.begin(), p.image.end());
  return std::vector<Facts>{{DType::f32, y, {}}};
}

// The element of the image on which a tap of a block lies; -1 where that is padding.
std::int64_t element_of(const Plan& p, std::int64_t tap, std::int64_t block) {
  std::int64_t at = 0, step = 1;
  for (std::size_t d = p.image.size(); d-- > 0;) {
    const std::int64_t i =
        block % p.blocks[d] * p.strides[d] - p.begin[d] + tap % p.block[d] * p.dilations[d];
    if (i < 0 || i >= p.image[d]) return -1;
    at += i * step;
    step *= p.image[d], tap /= p.block[d], block /= p.blocks[d];
  }
  return at;
}

Result<void> eval(EvalContext& c) {
  LOCKSTEP_TRY(const Plan p, plan_of(c.view));
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  std::ranges::fill(y, 0.0f);
  const std::int64_t taps = count_of(p.block), blocks = count_of(p.blocks),
                     image = count_of(p.image);
  const std::int64_t planes = c.in[0]->shape()[0] * p.channels;
  for (std::int64_t plane = 0; plane < planes; ++plane)
    for (std::int64_t tap = 0; tap < taps; ++tap)
      for (std::int64_t block = 0; block < blocks; ++block)
        if (const std::int64_t at = element_of(p, tap, block); at >= 0)
          y[static_cast<std::size_t>(plane * image + at)] +=
              x[static_cast<std::size_t>((plane * taps + tap) * blocks + block)];
  return {};
}

}  // namespace

extern constinit const OpDef op_col2im = {
    .name = "Col2Im",
    .meaning = "y[n,c,image] = sum of the columns' elements that lie there",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
