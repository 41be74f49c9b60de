// code = sat(rnd((sat(rnd(a * A[k] >> s1)) * As + C[k]) >> sh)), a the sums in pieces of the
// kernel, 16 bits behind each
#include <algorithm>

#include <fmt/core.h>

#include "npu/lower_layer.h"

namespace lockstep {
namespace {

class ProductLowering {
 public:
  ProductLowering(const NpuProduct& l, NpuValues& values)
      : l_(l),
        values_(values),
        d_(values.draft()),
        frames_(deal_of(l)),
        x_(values.in_channels_last(l.x)),
        units_(l.kernels > npu_coefficients ? 3 : 4) {}

  Result<void> run() {
    std::vector<ProductPiece> pieces;
    for (const ProductPiece& p : l_.plan.pieces)
      if (seen_of(l_.rows, p.row, p.rows).any() && seen_of(l_.columns, p.column, p.columns).any())
        pieces.push_back(p);
    if (pieces.empty())
      return wrong("a window that sees padding alone", "a window that meets its input");
    deep_ = is_deep(pieces);
    int partial = -1;
    for (std::size_t first = 0; first < pieces.size(); first += units_) {
      const std::size_t n = std::min(units_, pieces.size() - first);
      d_.begin_epoch();
      d_.node(l_.name, "Conv");
      const NpuUnitId sums = chain(std::span(pieces).subspan(first, n), partial);
      const std::int64_t frame = 2 * frames_.kernels * l_.rows.out * l_.columns.out;
      if (first + n < pieces.size()) {
        partial = d_.add_buffer(sums_buffer());
        d_.write(sums, partial, {.depth = frame / 2, .count = frames_.count, .step = frame},
                 l_.name);
      } else {
        leave(sums);
      }
    }
    return {};
  }

 private:
  Error wrong(std::string what, std::string want) const {
    return no_npu_form(values_.graph(), *l_.node, std::move(what), std::move(want));
  }

  // One element a kernel, under whole maps that lie densely without their zero point.
  bool is_deep(const std::vector<ProductPiece>& pieces) const {
    const auto whole = [](const NpuSide& s) {
      return s.kernel == 1 && s.stride == 1 && s.before == 0 && s.in == s.out;
    };
    return pieces.size() == 1 && l_.groups == 1 && l_.channels % 8 == 0 && x_.zero_off &&
           whole(l_.rows) && whole(l_.columns);
  }

  NpuBuffer sums_buffer() const {
    NpuBuffer b;
    b.name = fmt::format("{}_out_{}_cp_in_{}", l_.name, 0, d_.epoch());
    b.shape = b.mem_shape = {1, 1, l_.rows.out * l_.columns.out, l_.kernels};
    b.chpos = "CHPos_UNDEFINED", b.type = "DataType_FXP";
    b.nbits = 16, b.qn = -l_.plan.sum_shift, b.qm = 15 + l_.plan.sum_shift;
    return b;
  }

  // One unit for each piece; each adds its sums to what the unit before it hands on.
  NpuUnitId chain(std::span<const ProductPiece> pieces, int partial) {
    NpuUnitId before;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::string name = i == 0 ? l_.name : fmt::format("{}_ca_pipe_{}", l_.name, i);
      if (i > 0) d_.node(name, "Conv");
      const NpuUnitId unit = convolution(pieces[i], name, i > 0 || partial >= 0);
      if (i > 0) d_.link(before, unit, 2);
      before = unit;
      if (i > 0 || partial < 0) continue;
      const std::int64_t frame = 2 * frames_.kernels * l_.rows.out * l_.columns.out;
      d_.link(d_.read(partial, {.depth = frame / 2, .count = frames_.count, .step = frame}, name),
              unit, 2);
    }
    return before;
  }

  NpuUnitId convolution(const ProductPiece& p, const std::string& name, bool adds) {
    const NpuSeen r = seen_of(l_.rows, p.row, p.rows), c = seen_of(l_.columns, p.column, p.columns);
    const std::int64_t height = r.last - r.first + 1, width = c.last - c.first + 1;
    const std::int64_t depth = l_.groups == 1 ? p.channels : frames_.channels;
    const std::int64_t rows = (p.rows - 1) * l_.rows.dilation + 1,
                       columns = (p.columns - 1) * l_.columns.dilation + 1;
    const bool unsigned_codes = x_.zero_off;
    const std::int64_t fsub = unsigned_codes ? 0 : NpuValues::zero(values_.graph().value(l_.x));
    const NpuUnitId unit = d_.unit(NpuKind::conv, name,
                                   npu_fields({{"simd", unsigned_codes ? 1 : 2},
                                               {"fsub", fsub},
                                               {"f_unsigned", unsigned_codes},
                                               {"deepmode", deep_},
                                               {"kseten", deep_ ? 3 : 0},
                                               {"inbytes_f", deep_            ? 3
                                                             : unsigned_codes ? 1
                                                                              : 2},
                                               {"accumulate", adds},
                                               {"accumulate_first", adds},
                                               {"rounding_o", 1},
                                               {"saturation_o", 1},
                                               {"round_mode_o", 1},
                                               {"outbytes_o", 2},
                                               {"shift_o", l_.plan.sum_shift},
                                               {"shift_a", l_.plan.sum_shift},
                                               {"fWidth", width},
                                               {"fHeight", height},
                                               {"kernelWidth", columns},
                                               {"kernelHeight", rows},
                                               {"nKernels", frames_.kernels},
                                               {"batchDepth", depth},
                                               {"hstride", l_.columns.stride},
                                               {"vstride", l_.rows.stride},
                                               {"left_padding", c.before},
                                               {"right_padding", c.after},
                                               {"top_padding", r.before},
                                               {"bot_padding", r.after},
                                               {"right_crop", width - 1},
                                               {"bot_crop", height - 1}}));
    const NpuExtents e = values_.extents(l_.x);
    const std::int64_t pixel = e.channels, line = e.columns * e.channels;
    const std::int64_t channel = l_.groups == 1 ? p.channel : 0;
    const NpuWalk walk{.offset = r.first * line + c.first * pixel + channel,
                       .width = width,
                       .height = height,
                       .depth = depth,
                       .pixel = pixel,
                       .line = line,
                       .count = frames_.count,
                       .step = frames_.step};
    d_.link(deep_ ? d_.read_packed(x_.buffer, frames_.count, name)
                  : d_.read(x_.buffer, walk, name, unsigned_codes ? 0 : 16),
            unit, 0);
    const auto codes = deep_ ? deep_kernels_of(l_, p, frames_) : kernels_of(l_, p, frames_);
    const auto at = d_.constant(codes, 1);
    const auto bytes = static_cast<std::int64_t>(codes.size());
    const std::string weights = fmt::format("{}_weights_{}", l_.name, at & 0xffffff);
    d_.parameter(weights, at, bytes, {l_.kernels, depth, rows, columns}, w_scale());
    d_.link(d_.read_constant(at, bytes, weights, name, deep_ ? 24 : 8), unit, 1);
    return unit;
  }

  std::vector<double> w_scale() const {
    return values_.graph().value(l_.node->inputs[1]).quant.scale;
  }

  NpuFields affine(int out_bytes, int shift) const {
    NpuFields f = npu_fields({{"inbytes_x", 2},
                              {"outbytes_x", 2},
                              {"inbytes_y", 2},
                              {"outbytes_y", 2},
                              {"rounding_o", 1},
                              {"saturation_o", 1},
                              {"round_mode_o", 1},
                              {"outbytes_o", out_bytes},
                              {"shift_o", shift},
                              {"fWidth", l_.columns.out},
                              {"fHeight", l_.rows.out},
                              {"fChannels", l_.kernels},
                              {"batchDepth", frames_.kernels}},
                             {{"operation", "ARITH_AFFINE"}, {"bcast", "ARITH_BCAST_CHAN"}});
    const int c_bits = out_bytes == 1 ? 32 : 16;
    f["vec_precision"] =
        NpuField::of_list({NpuField::of(16), NpuField::of(16), NpuField::of(c_bits)});
    return f;
  }

  // 16-bit sums -> reals in 16 bits -> codes.
  void leave(NpuUnitId sums) {
    values_.make(l_.y);
    const std::string scale = l_.name + fmt::format("_mul_scale_{}", d_.epoch()),
                      bias = l_.name + fmt::format("_off_bias_{}", d_.epoch());
    d_.node(scale, "Mul");
    d_.node(bias, "Add");
    NpuFields times = affine(2, l_.plan.product_shift), plus = affine(1, l_.plan.final_shift);
    plus["A_scalar"] = NpuField::of(l_.plan.common);
    npu_clip(plus, l_.low, l_.high);
    const bool streamed = l_.kernels > npu_coefficients;
    if (streamed) {
      take_streamed(times, plus);
    } else {
      times["A_scalar"] = NpuField::of(1);
      times["A_vector"] = NpuField::of(static_cast<std::int64_t>(d_.constant(multipliers(), 2)));
      plus["combinebc"] = NpuField::of(1);
      plus["C_vector"] = NpuField::of(static_cast<std::int64_t>(d_.constant(l_.plan.constant, 4)));
    }
    const NpuUnitId mul = d_.unit(NpuKind::arith, scale, std::move(times)),
                    add = d_.unit(NpuKind::arith, bias, std::move(plus));
    d_.link(sums, mul);
    d_.link(mul, add);
    if (streamed) {
      d_.link(table(multipliers(), scale), mul, 1);
      d_.link(table(biases(), bias), add, 1);
    }
    const NpuWalk walk{.width = l_.columns.out,
                       .height = l_.rows.out,
                       .depth = frames_.kernels,
                       .pixel = l_.kernels,
                       .line = l_.columns.out * l_.kernels,
                       .count = frames_.count,
                       .step = frames_.kernels};
    npu_write(values_, add, l_.y, l_.name, walk, {l_.rows.out, l_.columns.out, frames_.kernels});
  }

  std::vector<std::int64_t> multipliers() const {
    return {l_.plan.multiplier.begin(), l_.plan.multiplier.end()};
  }
  std::int64_t y_zero() const { return NpuValues::zero(values_.graph().value(l_.y)); }

  // Biases of 16 bits in the fractions of the scaled sums.
  std::vector<std::int64_t> biases() const {
    std::vector<std::int64_t> b;
    for (const std::int64_t c : l_.plan.constant)
      b.push_back((c - y_zero() * (std::int64_t{1} << l_.plan.final_shift)) / l_.plan.common);
    return b;
  }

  // More channels than the unit's memory has rows: multipliers and biases arrive as second
  // operands.
  void take_streamed(NpuFields& times, NpuFields& plus) const {
    for (NpuFields* f : {&times, &plus}) {
      f->erase("vec_precision");
      (*f)["dualinput"] = NpuField::of(1);
      (*f)["scalar"] = NpuField::of(1);
    }
    times["operation"] = NpuField::of_name("ARITH_MUL");
    const int c_shift = std::max(0, l_.plan.final_shift - 8);
    plus["B_scalar"] = NpuField::of(l_.plan.common);
    plus["C_scalar"] =
        NpuField::of(y_zero() * (std::int64_t{1} << (l_.plan.final_shift - c_shift)));
    plus["C_shift"] = NpuField::of(c_shift);
  }

  // A row for each run of channels, spread over the columns, replayed for every row of the map.
  NpuUnitId table(const std::vector<std::int64_t>& by_channel, const std::string& node) {
    std::vector<std::int64_t> rows;
    for (std::int64_t f = 0; f < frames_.count; ++f)
      for (std::int64_t x = 0; x < l_.columns.out; ++x)
        for (std::int64_t k = 0; k < frames_.kernels; ++k)
          rows.push_back(by_channel[static_cast<std::size_t>(f * frames_.kernels + k)]);
    const std::int64_t row = 2 * l_.columns.out * frames_.kernels;
    return d_.read_table(d_.constant(rows, 2), row, frames_.count, l_.rows.out, node);
  }

  const NpuProduct& l_;
  NpuValues& values_;
  NpuDraft& d_;
  NpuDeal frames_;
  NpuHeld x_;
  bool deep_ = false;
  std::size_t units_;  // of convolution in an epoch: ten stream engines feed them
};

}  // namespace

Result<void> lower_product(const Node& node, NpuValues& values) {
  LOCKSTEP_TRY(const NpuProduct l, npu_product_of(node, values));
  if (l.plan.pieces.empty()) return lower_cpu_product(l, values);
  return ProductLowering(l, values).run();
}

}  // namespace lockstep
