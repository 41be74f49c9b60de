// code = clamp(nearest((bias[k] + sum x * w) * (x_scale * w_scale[k] / y_scale)) + y_zero): what
// the accelerator leaves to the library on the CPU
#include <bit>

#include <fmt/core.h>

#include "npu/lower_layer.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

// Extents and strides of a tensor of `bytes` an element in rows, columns and channels.
void describe_cells(NpuFields& info, const std::string& name, const std::array<std::int64_t, 4>& n,
                    std::int64_t bytes, bool is_signed) {
  constexpr const char* axes[] = {"b", "h", "w", "c"};
  std::int64_t step = bytes;
  for (std::size_t a = 4; a-- > 0;) {
    info[name + ".dim.tensor_" + axes[a]] = NpuField::of(n[a]);
    info[name + ".stride." + axes[a]] = NpuField::of(step);
    step *= n[a];
  }
  info[name + ".dim.num_elem"] = NpuField::of(step / bytes);
  info[name + ".format.is_signed"] = NpuField::of(is_signed ? 1 : 0);
}

class CpuProduct {
 public:
  CpuProduct(const NpuProduct& l, NpuValues& values)
      : l_(l), d_(values.draft()), v_{values.graph(), *l.node}, values_(values) {}

  void run() {
    const NpuHeld x = values_.in_channels_last(l_.x);
    d_.begin_epoch();
    d_.node(l_.name, "Conv");
    const int y = values_.make(l_.y);
    constants();
    constants_of("is", "izp", d_.buffer(x.buffer).scale, d_.buffer(x.buffer).zero);
    constants_of("ws", "wzp", v_.input(1).quant.scale, {0});
    constants_of("os", "ozp", d_.buffer(y).scale, d_.buffer(y).zero);
    describe_cells(info_, "general.input", {1, l_.rows.in, l_.columns.in, l_.channels}, 1,
                   !unsigned_codes(x.buffer));
    describe_cells(info_, "general.output", {1, l_.rows.out, l_.columns.out, l_.kernels}, 1,
                   !unsigned_codes(y));
    info_["general.type"] = NpuField::of_name("LL_SW_CONV");
    info_["ngroup"] = NpuField::of(1);
    info_["pads"] = list({l_.rows.before, l_.columns.before, after(l_.rows), after(l_.columns)});
    info_["strides"] = list({l_.rows.stride, l_.columns.stride});
    info_["dilations"] = list({1, 1});
    const std::string table = fmt::format("{}_sw_info", l_.name);
    d_.describe(table, "Conv_integer_sw_info", std::move(info_),
                {{"general.input", x.buffer}, {"general.output", y}});
    d_.call("ll_sw_forward_conv_integer", x.buffer, y, {table});
  }

 private:
  static NpuField list(const std::vector<std::int64_t>& numbers) {
    std::vector<NpuField> fields;
    for (const std::int64_t n : numbers) fields.push_back(NpuField::of(n));
    return NpuField::of_list(std::move(fields));
  }
  static std::int64_t after(const NpuSide& s) {
    return std::max<std::int64_t>(0, (s.out - 1) * s.stride + s.kernel - s.before - s.in);
  }
  bool unsigned_codes(int buffer) const { return d_.buffer(buffer).type == "DataType_UINT8"; }
  void place(const std::string& name, std::uint64_t address) {
    info_[name + ".mem.start_offset"] = NpuField::of(static_cast<std::int64_t>(address));
  }

  // Weights less their zero points, and biases.
  void constants() {
    const std::vector<std::int64_t> codes(l_.weights.begin(), l_.weights.end());
    const Shape shape = {l_.kernels, l_.rows.kernel, l_.columns.kernel, l_.channels};
    const std::uint64_t at = d_.constant(codes, 1);
    d_.parameter(l_.name + "_weights", at, static_cast<std::int64_t>(codes.size()), shape,
                 v_.input(1).quant.scale);
    describe_cells(info_, "weights", {shape[0], shape[1], shape[2], shape[3]}, 1, true);
    place("weights", at);
    if (!v_.has_input(2)) return;
    const auto bias = centred_codes(*v_.constant(2), 0);
    describe_cells(info_, "bias", {1, 1, 1, l_.kernels}, 4, true);
    place("bias", d_.constant(std::vector<std::int64_t>(bias.begin(), bias.end()), 4));
  }

  void constants_of(const std::string& scale, const std::string& zero,
                    const std::vector<double>& scales, const std::vector<std::int64_t>& zeros) {
    std::vector<std::int64_t> bits;
    for (const double s : scales)
      bits.push_back(std::bit_cast<std::int32_t>(static_cast<float>(s)));
    place(scale, d_.constant(bits, 4));
    place(zero, d_.constant(zeros, 1));
    info_[scale + ".dim.num_elem"] = NpuField::of(static_cast<std::int64_t>(scales.size()));
    info_[zero + ".dim.num_elem"] = NpuField::of(static_cast<std::int64_t>(zeros.size()));
    info_[scale + ".format.is_signed"] = NpuField::of(1);
    info_[zero + ".format.is_signed"] = NpuField::of(1);
  }

  const NpuProduct& l_;
  NpuDraft& d_;
  NodeView v_;
  NpuValues& values_;
  NpuFields info_;
};

}  // namespace

Result<void> lower_cpu_product(const NpuProduct& l, NpuValues& values) {
  if (l.groups != 1 || l.low > -128 || l.high < 127)
    return no_npu_form(values.graph(), *l.node,
                       "a layer of the CPU in groups, or with an activation that cuts codes",
                       "a plain layer of the CPU");
  CpuProduct(l, values).run();
  return {};
}

}  // namespace lockstep
