#include "diff/align.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/text.h"
#include "measure/reals.h"
#include "num/grid.h"

namespace lockstep {

namespace {

using Axes = std::vector<std::size_t>;

// A float32 device value may miss its grid point by this much of a step.
constexpr double grid_tolerance = 0.01;

Shape without_ones(const Shape& shape) {
  Shape out;
  std::ranges::copy_if(shape, std::back_inserter(out), [](auto extent) { return extent != 1; });
  return out;
}

bool fits(const Shape& from, const Axes& axes, const Shape& to) {
  for (std::size_t i = 0; i < to.size(); ++i)
    if (from[axes[i]] != to[i]) return false;
  return true;
}

bool channels_last(const std::string& layout) {
  return layout.size() > 2 && layout.ends_with('C');
}
bool channels_first(const std::string& layout) {
  return layout.size() > 2 && layout[1] == 'C';
}

// Axes that move the last one to `place`, or the one at `place` to the end.
Axes last_to(std::size_t rank, std::size_t place) {
  Axes axes(rank);
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  std::rotate(axes.begin() + static_cast<std::ptrdiff_t>(place), axes.end() - 1, axes.end());
  return axes;
}

Axes to_last(std::size_t rank, std::size_t place) {
  Axes axes(rank);
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  std::rotate(axes.begin() + static_cast<std::ptrdiff_t>(place),
              axes.begin() + static_cast<std::ptrdiff_t>(place) + 1, axes.end());
  return axes;
}

// The only transposition that turns `from` into `to`; empty when there is none or more than one.
Axes only_transposition(const Shape& from, const Shape& to) {
  constexpr std::size_t most = 6;
  Axes axes(from.size()), found;
  if (from.size() > most) return found;
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  do {
    if (!fits(from, axes, to)) continue;
    if (!found.empty()) return {};
    found = axes;
  } while (std::ranges::next_permutation(axes).found);
  return found;
}

// What a stated layout says: the device holds the reference's elements channel-last (or -first).
std::optional<ShapeChange> by_layout(const std::string& device, const Shape& reference,
                                     const std::string& reference_layout) {
  const std::size_t rank = reference.size();
  if (rank < 3) return std::nullopt;
  Axes axes;
  if (channels_last(device) && channels_first(reference_layout))
    axes = last_to(rank, 1);
  else if (channels_first(device) && channels_last(reference_layout))
    axes = to_last(rank, 1);
  else
    return std::nullopt;
  Shape from(rank);
  for (std::size_t i = 0; i < rank; ++i) from[axes[i]] = reference[i];
  return ShapeChange{from, axes, device + " read as " + reference_layout};
}

bool fits_codes(const Tensor& t, CodeRange range) {
  for (std::int64_t i = 0; i < t.count(); ++i) {
    const double x = t.number(i);
    if (!(x >= static_cast<double>(range.low) && x <= static_cast<double>(range.high)) ||
        std::floor(x) != x)
      return false;
  }
  return true;
}

Tensor cast(const Tensor& t, DType dtype) {
  Tensor out(dtype, t.shape());
  for (std::int64_t i = 0; i < t.count(); ++i)
    if (is_float(dtype))
      out.set_number(i, t.number(i));
    else if (is_float(t.dtype()))
      out.set_code(i, static_cast<std::int64_t>(t.number(i)));
    else
      out.set_code(i, t.code(i));
  return out;
}

// Codes of the reference's grid for reals; nothing when one lies off it.
std::optional<Tensor> codes_of(const Tensor& reals, const Value& reference) {
  const CodeRange range = code_range(reference.dtype);
  const ChannelIndex channel(reference.quant, reference.shape);
  Tensor out(reference.dtype, reals.shape());
  for (std::int64_t i = 0; i < reals.count(); ++i) {
    const std::size_t c = channel(i);
    const auto code =
        code_on_grid(reals.number(i), reference.quant.scale_at(c), reference.quant.zero_at(c),
                     range.low, range.high, grid_tolerance);
    if (!code) return std::nullopt;
    out.set_code(i, *code);
  }
  return out;
}

template <class F>
std::vector<Tensor> each(const std::vector<Tensor>& tensors, F&& change) {
  std::vector<Tensor> out;
  for (const Tensor& t : tensors) out.push_back(change(t));
  return out;
}

// Floats against codes: reals on the grid, or codes written as floats.
std::vector<Tensor> floats_to_codes(std::vector<Tensor> device, const Value& reference,
                                    std::string& note) {
  const CodeRange range = code_range(reference.dtype);
  const auto whole = [&](const Tensor& t) { return fits_codes(t, range); };
  const bool could_be_codes = std::ranges::all_of(device, whole);
  if (reference.quant.quantized()) {
    std::vector<Tensor> codes;
    for (const Tensor& t : device)
      if (auto c = codes_of(t, reference))
        codes.push_back(std::move(*c));
      else
        break;
    if (codes.size() == device.size()) {
      note = "reals made codes of the reference's scale";
      if (could_be_codes) note += " (whole numbers: if they are codes, store them as integers)";
      return codes;
    }
  }
  if (could_be_codes) {
    note = "codes written as " + std::string(name_of(device[0].dtype()));
    return each(device, [&](const Tensor& t) { return cast(t, reference.dtype); });
  }
  note = std::string(name_of(device[0].dtype())) +
         " values off the reference's grid: compared as reals";
  return device;
}

std::vector<Tensor> codes_to_codes(std::vector<Tensor> device, const QuantParams& quant,
                                   const Value& reference, std::string& note) {
  const DType from = device[0].dtype();
  // The same step under another zero point (uint8 against int8): the codes move by a whole number.
  const bool moved = quant.scale.size() == 1 && reference.quant.scale.size() == 1 &&
                     quant.scale == reference.quant.scale &&
                     quant.zero_at(0) != reference.quant.zero_at(0);
  if (moved && from != reference.dtype) {
    const std::int64_t shift = reference.quant.zero_at(0) - quant.zero_at(0);
    const CodeRange range = code_range(reference.dtype);
    bool lossless = true;
    auto out = each(device, [&](const Tensor& t) {
      Tensor y(reference.dtype, t.shape());
      for (std::int64_t i = 0; i < t.count(); ++i) {
        const std::int64_t code = t.code(i) + shift;
        lossless = lossless && code >= range.low && code <= range.high;
        y.set_code(i, code);
      }
      return y;
    });
    if (lossless) {
      note = std::string(name_of(from)) + " codes moved by " + std::to_string(shift);
      return out;
    }
  }
  const CodeRange range = code_range(reference.dtype);
  if (std::ranges::all_of(device, [&](const Tensor& t) { return fits_codes(t, range); })) {
    note = std::string(name_of(from)) + " codes as " + std::string(name_of(reference.dtype));
    return each(device, [&](const Tensor& t) { return cast(t, reference.dtype); });
  }
  if (size_of(from) == size_of(reference.dtype)) {
    note = "the bytes of " + std::string(name_of(from)) + " read as " +
           std::string(name_of(reference.dtype));
    return each(device, [&](const Tensor& t) { return cast(t, reference.dtype); });
  }
  note = std::string(name_of(from)) + " values that " + std::string(name_of(reference.dtype)) +
         " cannot hold";
  return device;
}

}  // namespace

std::optional<ShapeChange> shape_change(const Shape& device, const std::string& device_layout,
                                        const Shape& reference,
                                        const std::string& reference_layout) {
  if (count_of(device) != count_of(reference)) return std::nullopt;
  if (auto stated = by_layout(device_layout, reference, reference_layout)) return stated;
  if (device == reference) return ShapeChange{reference, {}, ""};
  const Shape from = without_ones(device), to = without_ones(reference);
  if (from == to) return ShapeChange{reference, {}, shape_text(device) + " without its axes of 1"};
  const std::string transposed = shape_text(device) + " transposed to " + shape_text(reference);
  if (from.size() == to.size() && to.size() > 1) {
    const bool batch = device[0] == reference[0] && device[0] > 1;  // then it is not the channel
    for (const std::size_t place :
         batch ? std::array<std::size_t, 2>{1, 0} : std::array<std::size_t, 2>{0, 1}) {
      if (place + 1 >= to.size()) continue;
      if (const Axes axes = last_to(to.size(), place); fits(from, axes, to))
        return ShapeChange{from, axes, transposed};
      if (const Axes axes = to_last(to.size(), place); fits(from, axes, to))
        return ShapeChange{from, axes, transposed};
    }
    if (const Axes axes = only_transposition(from, to); !axes.empty())
      return ShapeChange{from, axes, transposed};
  }
  return ShapeChange{
      reference, {}, shape_text(device) + " taken element by element as " + shape_text(reference)};
}

bool lies_on_grid(const Tensor& reals, const Value& reference) {
  return codes_of(reals, reference).has_value();
}

Tensor reshape(const Tensor& device, const ShapeChange& change, const Shape& reference) {
  if (change.axes.empty()) return device.reshaped(reference);
  Tensor out(device.dtype(), reference);
  const Shape strides = strides_of(change.from);
  std::vector<std::int64_t> index(change.axes.size(), 0), extents, step;
  for (const std::size_t axis : change.axes) {
    extents.push_back(change.from[axis]);
    step.push_back(strides[axis]);
  }
  const std::size_t width = size_of(device.dtype());
  for (std::int64_t i = 0; i < out.count(); ++i) {
    std::int64_t at = 0;
    for (std::size_t k = 0; k < index.size(); ++k) at += index[k] * step[k];
    std::memcpy(out.bytes().data() + static_cast<std::size_t>(i) * width,
                device.bytes().data() + static_cast<std::size_t>(at) * width, width);
    for (std::size_t k = index.size(); k-- > 0;) {
      if (++index[k] < extents[k]) break;
      index[k] = 0;
    }
  }
  return out;
}

std::vector<Tensor> retype(std::vector<Tensor> device, const QuantParams& quant,
                           const Value& reference, std::string& note) {
  note.clear();
  if (device.empty() || device[0].dtype() == reference.dtype) return device;
  const DType from = device[0].dtype();
  if (!is_float(reference.dtype))
    return is_float(from) ? floats_to_codes(std::move(device), reference, note)
                          : codes_to_codes(std::move(device), quant, reference, note);
  if (is_float(from)) {
    note = std::string(name_of(from)) + " as " + std::string(name_of(reference.dtype));
    return each(device, [&](const Tensor& t) { return cast(t, reference.dtype); });
  }
  if (!quant.quantized()) {
    note = std::string(name_of(from)) + " codes of unknown scale against " +
           std::string(name_of(reference.dtype));
    return device;
  }
  note = "codes made reals by the recorded scale";
  return each(device, [&](const Tensor& t) {
    Tensor out(reference.dtype, t.shape());
    const std::vector<double> reals = reals_of(t, quant);
    for (std::int64_t i = 0; i < t.count(); ++i)
      out.set_number(i, reals[static_cast<std::size_t>(i)]);
    return out;
  });
}

}  // namespace lockstep
