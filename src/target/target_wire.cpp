#include "target/target_wire.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "base/text.h"

namespace lockstep {
namespace {

Shape without_ones(const Shape& shape) {
  Shape out;
  std::ranges::copy_if(shape, std::back_inserter(out),
                       [](std::int64_t extent) { return extent != 1; });
  return out;
}

Shape in_order(const Shape& shape, const std::vector<std::size_t>& axes) {
  Shape out;
  for (const std::size_t axis : axes) out.push_back(shape[axis]);
  return out;
}

// Channels from the second place to the last, and back.
std::vector<std::size_t> channels_last(std::size_t rank) {
  std::vector<std::size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  std::rotate(axes.begin() + 1, axes.begin() + 2, axes.end());
  return axes;
}

std::vector<std::size_t> channels_first(std::size_t rank) {
  std::vector<std::size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  std::rotate(axes.begin() + 1, axes.end() - 1, axes.end());
  return axes;
}

std::string facts(DType dtype, const Shape& shape) {
  return std::string(name_of(dtype)) + shape_text(shape);
}

Result<void> plan_layout(InputPlan& plan, const Value& model, const Error& mismatch) {
  const Shape& shape = model.shape;
  const Shape wanted = without_ones(plan.to.shape);
  const bool as_is = without_ones(shape) == wanted;
  const bool deep = shape.size() >= 3;
  const bool last = deep && without_ones(in_order(shape, channels_last(shape.size()))) == wanted;
  const bool first = deep && without_ones(in_order(shape, channels_first(shape.size()))) == wanted;
  if (as_is) return {};  // also where equal extents do not tell the layout
  if (wanted.size() == 1) {
    plan.note = "sent in the model's order, for the device describes it flat";
    return {};
  }
  if (!last && !first) return mismatch;
  plan.axes = last ? channels_last(shape.size()) : channels_first(shape.size());
  plan.note = last ? "turned to channels last" : "turned to channels first";
  return {};
}

Result<void> plan_codes(InputPlan& plan, const Value& model, const Error& mismatch) {
  const DType from = model.dtype, to = *plan.to.dtype;
  if (from == to) {
    // Codes under another scale or zero point would be other numbers.
    if (is_integer(from) && model.quant.quantized() && plan.to.quantized() &&
        model.quant.zero_at(0) != plan.to.zero)
      plan.shift = plan.to.zero - model.quant.zero_at(0);
    if (plan.shift != 0) plan.codes = InputPlan::Codes::shift;
    return {};
  }
  if (from == DType::f32 && is_integer(to) && plan.to.quantized()) {
    plan.codes = InputPlan::Codes::quantize;
    plan.note += fmt::format("{}quantized by the device's scale {:.6g}, zero {}",
                             plan.note.empty() ? "" : ", ", plan.to.scale, plan.to.zero);
    return {};
  }
  if (is_integer(from) && to == DType::f32 && model.quant.quantized() &&
      !model.quant.per_channel()) {
    plan.codes = InputPlan::Codes::dequantize;
    plan.note += std::string(plan.note.empty() ? "" : ", ") + "dequantized";
    return {};
  }
  if (is_integer(from) && is_integer(to) && size_of(from) == size_of(to) &&
      model.quant.quantized() && plan.to.quantized()) {
    plan.codes = InputPlan::Codes::shift;
    plan.shift = plan.to.zero - model.quant.zero_at(0);
    plan.note += fmt::format("{}codes moved by {}", plan.note.empty() ? "" : ", ", plan.shift);
    return {};
  }
  return mismatch;
}

Tensor turned(const Tensor& x, const std::vector<std::size_t>& axes) {
  const Shape strides = strides_of(x.shape());
  const Shape shape = in_order(x.shape(), axes);
  Tensor y(x.dtype(), shape);
  const std::size_t size = size_of(x.dtype());
  std::vector<std::int64_t> at(shape.size(), 0);
  for (std::int64_t i = 0; i < y.count(); ++i) {
    std::int64_t from = 0;
    for (std::size_t k = 0; k < axes.size(); ++k) from += at[k] * strides[axes[k]];
    std::memcpy(y.bytes().data() + static_cast<std::size_t>(i) * size,
                x.bytes().data() + static_cast<std::size_t>(from) * size, size);
    for (std::size_t k = shape.size(); k-- > 0;) {
      if (++at[k] < shape[k]) break;
      at[k] = 0;
    }
  }
  return y;
}

const QuantizePolicy& quantizer(const Arithmetic& arithmetic) {
  if (arithmetic.numerics->quantize) return *arithmetic.numerics->quantize;
  return *find_arithmetic("ort")->numerics->quantize;
}

// What keeps a network from being the model, or "".
std::string misfit(const Graph& model, const DeviceNetwork& network) {
  if (network.inputs.size() != model.inputs().size())
    return fmt::format("{} inputs", network.inputs.size());
  if (network.outputs.size() != model.outputs().size())
    return fmt::format("{} outputs", network.outputs.size());
  for (std::size_t i = 0; i < network.inputs.size(); ++i)
    if (const auto plan = plan_input(model.value(model.inputs()[i]), network.inputs[i], "");
        !plan.ok())
      return plan.error().what;
  for (std::size_t i = 0; i < network.outputs.size(); ++i) {
    const Value& v = model.value(model.outputs()[i]);
    if (network.outputs[i].elements != count_of(v.shape))
      return fmt::format("output {} is {}", i + 1, shape_text(network.outputs[i].shape));
  }
  return "";
}

std::string facts_of(const Graph& model) {
  std::string text;
  for (const ValueId id : model.inputs())
    text += (text.empty() ? "" : ", ") + facts(model.value(id).dtype, model.value(id).shape);
  text += " ->";
  for (const ValueId id : model.outputs())
    text += " " + facts(model.value(id).dtype, model.value(id).shape);
  return text;
}

}  // namespace

Result<InputPlan> plan_input(const Value& model, const DeviceTensor& device,
                             const std::string& where) {
  InputPlan plan{.name = model.name, .to = device, .from = model.quant, .axes = {}, .note = ""};
  const std::string have = device.dtype ? facts(*device.dtype, device.shape)
                                        : fmt::format("format {:#010x}", device.format);
  const Error mismatch{where, "input '" + model.name + "' is " + have + " on the device",
                       facts(model.dtype, model.shape) + ", as the model has it",
                       "another model, or another export of it, is on the device"};
  if (!device.dtype || device.elements != count_of(model.shape)) return mismatch;
  LOCKSTEP_CHECK(plan_layout(plan, model, mismatch));
  LOCKSTEP_CHECK(plan_codes(plan, model, mismatch));
  return plan;
}

Result<Bytes> apply(const InputPlan& plan, const Tensor& given, const Arithmetic& arithmetic) {
  if (given.count() != plan.to.elements)
    return Error{"input '" + plan.name + "'", shape_text(given.shape()), shape_text(plan.to.shape),
                 ""};
  const Tensor x = plan.axes.empty() ? given : turned(given, plan.axes);
  if (plan.codes == InputPlan::Codes::same) return Bytes(x.bytes().begin(), x.bytes().end());
  Tensor y(*plan.to.dtype, x.shape());
  const CodeRange range = code_range(y.dtype());
  const QuantizePolicy& policy = quantizer(arithmetic);
  for (std::int64_t i = 0; i < x.count(); ++i) {
    switch (plan.codes) {
      case InputPlan::Codes::quantize:
        y.set_code(
            i, policy.quantize(static_cast<float>(x.number(i)), static_cast<float>(plan.to.scale),
                               plan.to.zero, static_cast<std::int32_t>(range.low),
                               static_cast<std::int32_t>(range.high)));
        break;
      case InputPlan::Codes::dequantize:
        y.set_number(
            i, policy.dequantize(static_cast<std::int32_t>(x.code(i)),
                                 static_cast<float>(plan.from.scale_at(0)), plan.from.zero_at(0)));
        break;
      case InputPlan::Codes::shift:
        y.set_code(i, std::clamp(x.code(i) + plan.shift, range.low, range.high));
        break;
      case InputPlan::Codes::same:
        break;
    }
  }
  return Bytes(y.bytes().begin(), y.bytes().end());
}

std::optional<Tensor> tensor_of_device(const DeviceTensor& t) {
  if (!t.dtype || t.data.size() != t.bytes() || t.data.empty()) return std::nullopt;
  Tensor tensor(*t.dtype, t.shape);
  std::memcpy(tensor.bytes().data(), t.data.data(), t.data.size());
  if ((t.flags & channels_last_flag) != 0 && t.shape.size() > 2)
    return turned(tensor, channels_first(t.shape.size()));
  return tensor;
}

QuantParams quant_of_device(const DeviceTensor& t) {
  QuantParams q;
  if (t.quantized() && t.dtype && is_integer(*t.dtype)) {
    q.scale = {t.scale};
    q.zero = {t.zero};
  }
  return q;
}

Result<std::size_t> network_for(const Graph& model, const std::vector<DeviceNetwork>& networks,
                                const std::string& name, const std::string& where) {
  std::string others;
  std::vector<std::size_t> fitting;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    if (!name.empty() && networks[i].name != name) {
      others += (others.empty() ? "'" : ", '") + networks[i].name + "'";
      continue;
    }
    const std::string lacks = misfit(model, networks[i]);
    if (lacks.empty())
      fitting.push_back(i);
    else
      others += fmt::format("{}'{}': {}", others.empty() ? "" : "; ", networks[i].name, lacks);
  }
  if (fitting.size() == 1) return fitting[0];
  if (fitting.empty())
    return Error{where, "the device's network is not this model (" + others + ")", facts_of(model),
                 "was the board flashed with another model?"};
  return Error{where, fmt::format("{} networks of the device fit this model", fitting.size()),
               "their name: append ,network=NAME",
               "'" + networks[fitting[0]].name + "', '" + networks[fitting[1]].name + "'"};
}

}  // namespace lockstep
