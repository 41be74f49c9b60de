// Resizes to C.
#include <algorithm>

#include "emit/any.h"
#include "num/xnnpack_float.h"
#include "op/op_codes.h"
#include "op/op_image_resize.h"
#include "op/op_resize.h"

namespace lockstep {

namespace {

using AxisTaps = std::vector<std::vector<Tap>>;

// One axis as three arrays: where each place's taps begin, their elements, their weights.
std::string taps_text(NodeWriter& w, const AxisTaps& axis, bool fine) {
  std::vector<std::int64_t> first{0}, index, shares;
  std::vector<double> weights;
  for (const std::vector<Tap>& place : axis) {
    for (const Tap& t : place) {
      index.push_back(t.index);
      weights.push_back(t.weight);
      shares.push_back(fine_share(place));
    }
    first.push_back(static_cast<std::int64_t>(index.size()));
  }
  const auto integers = [&](const std::vector<std::int64_t>& v, const char* wish) {
    return w.constants().add("int32_t", std::span<const std::int64_t>(v), w.label() + wish);
  };
  return "{" + integers(first, "_first") + ", " + integers(index, "_index") + ", " +
         w.constants().add("float", std::span<const double>(weights), w.label() + "_weight") +
         ", " + (fine ? integers(shares, "_share") : "NULL") + "}";
}

Result<void> emit_resize(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0);
  const std::string mode = v.attrs().text("mode", "nearest");
  if (mode == "nearest") {
    if (v.attrs().text("coordinates", "") == "tf_crop_and_resize")
      return w.unsupported("the nearest element of a region");
    return write_by_map(w);
  }
  if ((x.dtype != DType::f32 && !is_short_code(x)) || x.shape.size() > 4)
    return w.unsupported("Resize of " + std::string(name_of(x.dtype)) + ", " +
                         std::to_string(x.shape.size()) + " axes");
  LOCKSTEP_TRY(auto taps, resize_taps(v));
  const bool corners = mode == "linear" && v.attrs().integer("antialias", 0) == 0;
  const bool fine = corners && x.shape.size() == 4 && x.dtype != DType::f32 &&
                    v.attrs().text("kernel", "") == "channels-last";
  std::vector<std::int64_t> in(x.shape.begin(), x.shape.end()), out(y.shape.begin(), y.shape.end());
  while (in.size() < 4) {
    in.insert(in.begin(), 1), out.insert(out.begin(), 1);
    taps.insert(taps.begin(), AxisTaps{{{0, 1.0f}}});
  }
  w.array("in", in), w.array("out", out);
  std::string texts;
  for (const AxisTaps& axis : taps) texts += (texts.empty() ? "" : ", ") + taps_text(w, axis, fine);
  w.field("taps", "{" + texts + "}");
  w.field("type", element_of(x.dtype)), w.field("corners", corners ? 1 : 0);
  w.field("outside", c_double(v.attrs().real("extrapolation_value", 0)));
  w.uses("ls_grid.c"), w.uses("ls_map.c");
  w.line("ls_resize_any(" + w.params("ls_resize_any_p") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

struct Mix {
  const char* how;
  std::vector<ResizePoint> h, w;
};

Result<Mix> mix_of(const NodeWriter& w, const ImageResize& r) {
  const DType type = w.view().input(0).dtype;
  if (type == DType::f32 && sums_from_bias(w.num()))
    return Mix{"LS_MIX_STEPS", w.num().bilinear->points(r.h), w.num().bilinear->points(r.w)};
  if (type == DType::f32) return Mix{"LS_MIX_REALS", real_points(r.h), real_points(r.w)};
  if (const ResizePolicy* own = size_of(type) == 1 ? w.num().bilinear : nullptr)
    return Mix{"LS_MIX_2048", own->points(r.h), own->points(r.w)};
  if (type == DType::u8) return Mix{"LS_MIX_HALF_UP", real_points(r.h), real_points(r.w)};
  if (type == DType::i8 || type == DType::i16)
    return Mix{"LS_MIX_1024", fine_points(r.h), fine_points(r.w)};
  return w.unsupported("ResizeBilinear of " + std::string(name_of(type)));
}

Result<void> emit_resize_bilinear(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value& value = v.input(0);
  LOCKSTEP_TRY(const ImageResize r, image_resize_of(v));
  LOCKSTEP_TRY(const Mix mix, mix_of(w, r));
  const std::string_view how = mix.how;
  const bool plain = value.dtype == DType::i8 && how == "LS_MIX_1024";
  const bool real = how == "LS_MIX_REALS" || how == "LS_MIX_STEPS" || how == "LS_MIX_HALF_UP";
  const auto points = [&](const std::vector<ResizePoint>& axis, const std::string& wish) {
    std::vector<std::int64_t> flat;
    for (const ResizePoint& p : axis) flat.insert(flat.end(), {p.lower, p.upper, p.fine});
    return w.constants().add("int32_t", std::span<const std::int64_t>(flat), w.label() + wish);
  };
  const auto shares = [&](const std::vector<ResizePoint>& axis, const std::string& wish) {
    std::vector<double> flat;
    for (const ResizePoint& p : axis) flat.push_back(p.real);
    return w.constants().add("float", std::span<const double>(flat), w.label() + wish);
  };
  const Shape& x = value.shape;
  w.field("batch", x[0]), w.field("in_h", x[1]), w.field("in_w", x[2]);
  w.field("out_h", r.h.out), w.field("out_w", r.w.out), w.field("channels", x[3]);
  w.field("h_points", points(mix.h, "_h")), w.field("w_points", points(mix.w, "_w"));
  if (plain) {
    w.uses("ls_move.c");
    w.line("ls_resize_bilinear_s8(" + w.params("ls_resize") + ", " + w.in(0, "int8_t") + ", " +
           w.out(0, "int8_t") + ");");
    return {};
  }
  if (real) w.field("h_shares", shares(mix.h, "_hs")), w.field("w_shares", shares(mix.w, "_ws"));
  w.uses("ls_image.c");
  w.line("ls_resize_bilinear_any(" + w.params("ls_resize") + ", " + std::string(how) + ", " +
         element_of(value.dtype) + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

constexpr NodeEmitter table[] = {{"Resize", nullptr, emit_resize},
                                 {"ResizeBilinear", nullptr, emit_resize_bilinear}};

}  // namespace

std::span<const NodeEmitter> resize_emitters() {
  return table;
}

}  // namespace lockstep
