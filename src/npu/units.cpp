#include "npu/units.h"

#include <algorithm>
#include <span>

#include <fmt/core.h>

#include "npu/unit_checks.h"

namespace lockstep {
namespace {

// What a field may do. `inert` has no effect on numbers. `only` is accepted at one value: what any
// other does is not known (docs/neural-art.md lists why).
enum class Use : std::uint8_t { number, text, list, inert, only };

template <class U>
struct Rule {
  std::string_view name;
  Use use;
  std::int64_t U::*number = nullptr;
  std::string U::*text = nullptr;
  std::vector<std::int64_t> U::*list = nullptr;
  std::int64_t only = 0;
};

template <class U>
constexpr Rule<U> num(std::string_view name, std::int64_t U::*slot) {
  return {name, Use::number, slot};
}
template <class U>
constexpr Rule<U> inert(std::string_view name) {
  return {name, Use::inert};
}
template <class U>
constexpr Rule<U> only(std::string_view name, std::int64_t value = 0) {
  return {name, Use::only, nullptr, nullptr, nullptr, value};
}
template <class U>
constexpr Rule<U> text(std::string_view name, std::string U::*slot) {
  return {name, Use::text, nullptr, slot};
}

using S = NpuStream;
constexpr Rule<S> stream_rules[] = {
    num("dir", &S::dir),
    num("raw", &S::raw),
    num("raw_out", &S::raw_out),
    num("continuous", &S::continuous),
    num("align_right", &S::align_right),
    num("nbits_unsigned", &S::nbits_unsigned),
    num("sync_with_other", &S::sync_with_other),
    num("sync_dma", &S::sync_dma),
    num("addr_base", &S::addr_base),
    num("offset_start", &S::offset_start),
    num("offset_end", &S::offset_end),
    num("offset_limit", &S::offset_limit),
    num("frame_count", &S::frame_count),
    num("fwidth", &S::fwidth),
    num("fheight", &S::fheight),
    num("batch_depth", &S::batch_depth),
    num("batch_offset", &S::batch_offset),
    num("frame_offset", &S::frame_offset),
    num("line_offset", &S::line_offset),
    num("loop_offset", &S::loop_offset),
    num("frame_loop_cnt", &S::frame_loop_cnt),
    num("frame_tot_cnt", &S::frame_tot_cnt),
    num("nbits_in", &S::nbits_in),
    num("nbits_out", &S::nbits_out),
    inert<S>("noblk"),
    inert<S>("cacheable"),
    inert<S>("cache_allocate"),
    inert<S>("cache_linesize"),
    inert<S>("bus_cid"),
    inert<S>("bus_pfetch"),
    only<S>("noinc"),
    only<S>("mem_lsb"),
    only<S>("cipher_en"),
    only<S>("key_sel"),
    only<S>("frame_loop_cnt2"),
    only<S>("loop_offset2"),
};

using C = NpuConv;
constexpr Rule<C> conv_rules[] = {
    num("simd", &C::simd),
    num("fsub", &C::fsub),
    num("accumulate", &C::accumulate),
    num("accumulate_first", &C::accumulate_first),
    num("accumulate_gen_first", &C::accumulate_gen_first),
    num("f_unsigned", &C::f_unsigned),
    num("k_unsigned", &C::k_unsigned),
    num("deepmode", &C::deepmode),
    num("kseten", &C::kseten),
    num("inbytes_f", &C::inbytes_f),
    num("shift_a", &C::shift_a),
    num("rounding_o", &C::rounding_o),
    num("saturation_o", &C::saturation_o),
    num("round_mode_o", &C::round_mode_o),
    num("outbytes_o", &C::outbytes_o),
    num("shift_o", &C::shift_o),
    num("raw_o", &C::raw_o),
    num("fWidth", &C::fWidth),
    num("fHeight", &C::fHeight),
    num("kernelWidth", &C::kernelWidth),
    num("kernelHeight", &C::kernelHeight),
    num("nKernels", &C::nKernels),
    num("batchDepth", &C::batchDepth),
    num("hstride", &C::hstride),
    num("vstride", &C::vstride),
    num("left_padding", &C::left_padding),
    num("right_padding", &C::right_padding),
    num("top_padding", &C::top_padding),
    num("bot_padding", &C::bot_padding),
    num("left_crop", &C::left_crop),
    num("right_crop", &C::right_crop),
    num("top_crop", &C::top_crop),
    num("bot_crop", &C::bot_crop),
    num("afilt_tot", &C::afilt_tot),
    num("afilt_first", &C::afilt_first),
    num("afilt_last", &C::afilt_last),
    num("kfilt_tot", &C::kfilt_tot),
    num("kfilt_first", &C::kfilt_first),
    num("kfilt_last", &C::kfilt_last),
    text("afilt_mode", &C::afilt_mode),
    inert<C>("rounding_f"),
    inert<C>("saturation_f"),
    inert<C>("round_mode_f"),
    inert<C>("relu_mode_o"),
    num("zfbias", &C::zfbias),
    num("fstat", &C::fstat),
    num("fstatcnt", &C::fstatcnt),
    num("dss2mode", &C::dss2mode),
    only<C>("shift_f"),
    only<C>("kt1_mode"),
    only<C>("vshift"),
};

using A = NpuArith;
constexpr Rule<A> arith_rules[] = {
    num("rounding_x", &A::rounding_x),
    num("saturation_x", &A::saturation_x),
    num("round_mode_x", &A::round_mode_x),
    num("inbytes_x", &A::inbytes_x),
    num("outbytes_x", &A::outbytes_x),
    num("shift_x", &A::shift_x),
    num("rounding_y", &A::rounding_y),
    num("saturation_y", &A::saturation_y),
    num("round_mode_y", &A::round_mode_y),
    num("inbytes_y", &A::inbytes_y),
    num("outbytes_y", &A::outbytes_y),
    num("shift_y", &A::shift_y),
    num("combinebc", &A::combinebc),
    num("clipout", &A::clipout),
    num("clipmin", &A::clipmin),
    num("clipmax", &A::clipmax),
    num("rounding_o", &A::rounding_o),
    num("saturation_o", &A::saturation_o),
    num("round_mode_o", &A::round_mode_o),
    num("outbytes_o", &A::outbytes_o),
    num("shift_o", &A::shift_o),
    num("scalar", &A::scalar),
    num("dualinput", &A::dualinput),
    num("Ax_shift", &A::Ax_shift),
    num("By_shift", &A::By_shift),
    num("C_shift", &A::C_shift),
    num("fWidth", &A::fWidth),
    num("fHeight", &A::fHeight),
    num("fChannels", &A::fChannels),
    num("batchDepth", &A::batchDepth),
    num("A_scalar", &A::A_scalar),
    num("B_scalar", &A::B_scalar),
    num("C_scalar", &A::C_scalar),
    num("A_vector", &A::A_vector),
    num("B_vector", &A::B_vector),
    num("C_vector", &A::C_vector),
    text("operation", &A::operation),
    text("bcast", &A::bcast),
    {"vec_precision", Use::list, nullptr, nullptr, &A::vec_precision},
    inert<A>("relu_mode_o"),
};

using P = NpuPoolUnit;
constexpr Rule<P> pool_rules[] = {
    num("avgnopad", &P::avgnopad),
    num("inputX", &P::inputX),
    num("inputY", &P::inputY),
    num("poolWinX", &P::poolWinX),
    num("poolWinY", &P::poolWinY),
    num("strideX", &P::strideX),
    num("strideY", &P::strideY),
    num("topCrop", &P::topCrop),
    num("bottomCrop", &P::bottomCrop),
    num("leftCrop", &P::leftCrop),
    num("rightCrop", &P::rightCrop),
    num("topPad", &P::topPad),
    num("bottomPad", &P::bottomPad),
    num("leftPad", &P::leftPad),
    num("rightPad", &P::rightPad),
    num("batchSize", &P::batchSize),
    num("inbytes_f", &P::inbytes_f),
    num("outbytes_f", &P::outbytes_f),
    num("rounding_o", &P::rounding_o),
    num("saturation_o", &P::saturation_o),
    num("round_mode_o", &P::round_mode_o),
    num("outbytes_o", &P::outbytes_o),
    num("shift_o", &P::shift_o),
    num("mulval", &P::mulval),
    num("pad_val_en", &P::pad_val_en),
    num("pad_val", &P::pad_val),
    text("operation", &P::operation),
    inert<P>("outputX"),
    inert<P>("outputY"),
    inert<P>("dualLine"),
    inert<P>("nbytes"),
    inert<P>("rounding_f"),
    inert<P>("saturation_f"),
    inert<P>("round_mode_f"),
    inert<P>("relu_mode_o"),
    only<P>("shift_f"),
};

using V = NpuActiv;
constexpr Rule<V> activ_rules[] = {
    num("inbytes_f", &V::inbytes_f),
    num("outbytes_f", &V::outbytes_f),
    num("rounding_o", &V::rounding_o),
    num("saturation_o", &V::saturation_o),
    num("round_mode_o", &V::round_mode_o),
    num("outbytes_o", &V::outbytes_o),
    num("signedop", &V::signedop),
    num("shift_o", &V::shift_o),
    num("parameter", &V::parameter),
    num("parameter_2", &V::parameter_2),
    num("ROM0_vector", &V::ROM0_vector),
    num("ROM1_vector", &V::ROM1_vector),
    num("ROM0_nbytes", &V::ROM0_nbytes),
    num("ROM1_nbytes", &V::ROM1_nbytes),
    num("shift_b", &V::shift_b),
    num("shift_c", &V::shift_c),
    num("shift_norm", &V::shift_norm),
    num("bwidth", &V::bwidth),
    num("fsub", &V::fsub),
    text("operation", &V::operation),
    inert<V>("rounding_f"),
    inert<V>("saturation_f"),
    inert<V>("round_mode_f"),
    inert<V>("relu_mode_o"),
    inert<V>("nbytes"),
    only<V>("shift_f"),
    only<V>("LUT_vector"),
};

Error refused(const NpuUnit& unit, const std::string& where, std::string what, std::string want) {
  return {.where = fmt::format("{}: {} '{}'", where, text_of(unit.id), unit.name),
          .what = std::move(what),
          .want = std::move(want),
          .hint = {}};
}

std::string text_of(const NpuField& f) {
  if (f.is == NpuField::Is::name) return f.name;
  if (f.is == NpuField::Is::list) return fmt::format("a list of {}", f.list.size());
  return f.is == NpuField::Is::real ? fmt::format("{}", f.real) : fmt::format("{}", f.integer);
}

bool is_zero(const NpuField& f) {
  if (f.is == NpuField::Is::list) return std::ranges::all_of(f.list, is_zero);
  return f.is == NpuField::Is::integer && f.integer == 0;
}

template <class U>
Result<void> take(const Rule<U>& rule, const NpuField& f, U& out, const NpuUnit& unit,
                  const std::string& where) {
  const std::string name(rule.name);
  switch (rule.use) {
    case Use::inert:
      return {};
    case Use::only:
      if (f.is != NpuField::Is::integer || f.integer != rule.only)
        return refused(unit, where, name + " = " + text_of(f),
                       fmt::format("{}: what other values compute is not known", rule.only));
      return {};
    case Use::text:
      if (f.is == NpuField::Is::name)
        out.*rule.text = f.name;
      else if (!is_zero(f))
        return refused(unit, where, name + " = " + text_of(f), "an enumerator");
      return {};
    case Use::list:
      for (const NpuField& item : f.list) (out.*rule.list).push_back(item.integer);
      return {};
    case Use::number:
      break;
  }
  constexpr std::int64_t most = std::int64_t{1} << 33;
  if (f.is != NpuField::Is::integer || f.integer > most || f.integer < -most)
    return refused(unit, where, name + " = " + text_of(f), "an integer of at most 32 bits");
  out.*rule.number = f.integer;
  return {};
}

template <class U>
Result<U> decode(std::span<const Rule<U>> rules, const NpuUnit& unit, const std::string& where) {
  U out;
  for (const auto& [name, field] : unit.fields) {
    const auto rule = std::ranges::find(rules, std::string_view(name), &Rule<U>::name);
    if (rule != rules.end())
      LOCKSTEP_CHECK(take(*rule, field, out, unit, where));
    else if (!is_zero(field))
      return refused(unit, where, "unknown field " + name + " = " + text_of(field),
                     "0, or a field of the reference");
  }
  return out;
}

template <class U>
Result<NpuUnitForm> decode_and_check(std::span<const Rule<U>> rules, const NpuUnit& unit,
                                     const std::string& where) {
  LOCKSTEP_TRY(U out, decode<U>(rules, unit, where));
  if (const std::string p = npu_unit_problem(out); !p.empty())
    return refused(unit, where, p, "a configuration whose effect docs/neural-art.md describes");
  return NpuUnitForm(std::move(out));
}

}  // namespace

std::int64_t NpuStream::frame_elements() const {
  if (raw == 0) return fwidth * fheight * batch_depth;
  if (frame_count > 0) return frame_count;
  return (offset_end - offset_start) / element_bytes();
}

std::int64_t NpuStream::frame_start(std::int64_t f) const {
  if (frame_loop_cnt == 0) return f * frame_offset;
  return (f % frame_loop_cnt) * frame_offset + (f / frame_loop_cnt) * loop_offset;
}

Result<NpuUnitForm> decode_unit(const NpuUnit& unit, const std::string& where) {
  switch (unit.id.kind) {
    case NpuKind::stream:
      return decode_and_check<S>(stream_rules, unit, where);
    case NpuKind::conv:
      return decode_and_check<C>(conv_rules, unit, where);
    case NpuKind::arith:
      return decode_and_check<A>(arith_rules, unit, where);
    case NpuKind::pool:
      return decode_and_check<P>(pool_rules, unit, where);
    case NpuKind::activ:
      return decode_and_check<V>(activ_rules, unit, where);
    case NpuKind::decompress:
      return refused(unit, where, "decompressed weights", "weights stored uncompressed");
    case NpuKind::recbuf:
      break;
  }
  return refused(unit, where, "the reconfigurable buffer",
                 "an epoch without it: what it computes is not known");
}

const NpuUnit* NpuEpochForm::raw(NpuUnitId id) const {
  const auto it = std::ranges::find(epoch->units, id, &NpuUnit::id);
  return it == epoch->units.end() ? nullptr : &*it;
}

Result<NpuEpochForm> decode_epoch(const NpuEpoch& epoch, const std::string& file) {
  const std::string where = fmt::format("{}: epoch {}", file, epoch.number);
  NpuEpochForm form;
  form.epoch = &epoch;
  for (const NpuUnit& unit : epoch.units) {
    LOCKSTEP_TRY(NpuUnitForm decoded, decode_unit(unit, where));
    if (!form.units.emplace(unit.id, std::move(decoded)).second)
      return Error{where, text_of(unit.id) + " configured twice", "each unit once in an epoch", {}};
  }
  for (const NpuLink& link : epoch.links) {
    const auto there = [&](NpuUnitId id) { return form.units.contains(id); };
    for (const NpuSource& s : link.from)
      if (!there(s.source.unit))
        return Error{where,
                     "a link from " + text_of(s.source.unit) + ", which is not configured",
                     "a unit of the epoch",
                     {}};
    if (!there(link.to.unit))
      return Error{where,
                   "a link to " + text_of(link.to.unit) + ", which is not configured",
                   "a unit of the epoch",
                   {}};
    if (!form.links.emplace(link.to, link).second)
      return Error{
          where, text_of(link.to.unit) + " is fed twice at one port", "one link for a port", {}};
  }
  return form;
}

}  // namespace lockstep
