#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "npu/units.h"

// Every field of every unit by name: which are read, which have no effect, which have one known
// value.
namespace lockstep::unit_rules {

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
inline constexpr Rule<S> stream_rules[] = {
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
inline constexpr Rule<C> conv_rules[] = {
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
inline constexpr Rule<A> arith_rules[] = {
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
inline constexpr Rule<P> pool_rules[] = {
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
inline constexpr Rule<V> activ_rules[] = {
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

}  // namespace lockstep::unit_rules
