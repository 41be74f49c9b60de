// The fields of the explicit form -> registers, as the driver writes them.
#include <algorithm>

#include <fmt/core.h>

#include "npu/registers_writes.h"

namespace lockstep {
namespace {

void stream(const NpuStream& s, NpuRegisterWrites& w) {
  const std::int64_t bits = 8 * s.element_bytes();
  w.put(0, {{{2, 1}, s.frames() == 1},
            {{3, 1}, s.dir},
            {{7, 1}, s.continuous},
            {{8, 1}, s.raw},
            {{9, 1}, s.raw_out},
            {{14, 1}, s.align_right},
            {{15, 1}, s.align_right != 0 && s.nbits_unsigned == 0},
            {{16, 4}, 8},
            {{20, 4}, bits > 8 ? 8 : 0},
            {{24, 4}, bits > 16 ? 8 : 0}});
  w.put(2, {{{0, 32}, s.addr_base + s.offset_start}});
  if (s.raw != 0) {
    w.put(3, {{{0, 32}, s.frame_elements()}});
  } else {
    w.put(3, {{{0, 16}, s.fwidth}, {{16, 16}, s.fheight}});
    w.put(4, {{{0, 16}, s.batch_depth}, {{16, 16}, s.batch_offset}});
  }
  const std::int64_t line = s.raw != 0           ? 0
                            : s.line_offset != 0 ? s.line_offset
                                                 : s.fwidth * s.batch_offset;
  w.put(8, {{{0, 32}, s.loop_offset}});
  w.put(7, {{{0, 32}, s.frame_loop_cnt}});
  w.put(6, {{{0, 32}, s.frame_offset}});
  w.put(12, {{{0, 1}, s.offset_limit != 0},
             {{1, 1}, 1},
             {{2, 1}, 1},
             {{16, 16}, s.raw != 0 ? 0 : s.batch_offset / 65536}});
  if (s.offset_limit != 0) w.put(14, {{{0, 32}, s.addr_base + s.offset_limit - 1}});
  w.put(13, {{{0, 32}, s.frames()}});
  w.put(9, {{{16, 16}, 0}}, 0x00080024);
  w.put(5, {{{0, 16}, line}});
  w.put(18, {{{16, 16}, line / 65536}});
  w.put(10, {{{23, 1}, s.sync_with_other}, {{24, 5}, s.sync_dma}});
}

std::int64_t afilt_code(const NpuConv& c) {
  return c.afilt_mode == "AFILT_MODE_FRAMEZERO"   ? 3
         : c.afilt_mode == "AFILT_MODE_FRAMEDROP" ? 2
         : c.afilt_mode == "AFILT_MODE_PIXELDROP" ? 1
                                                  : 0;
}

void conv(const NpuConv& c, NpuRegisterWrites& w) {
  w.put(0, {{{2, 1}, c.accumulate == 0},
            {{4, 1}, c.accumulate_first == 0},
            {{5, 2}, c.simd},
            {{8, 2}, afilt_code(c)},
            {{10, 1}, c.accumulate_gen_first},
            {{20, 1}, c.f_unsigned},
            {{21, 1}, c.k_unsigned},
            {{22, 2}, c.kseten},
            {{24, 1}, c.fstat},
            {{28, 1}, c.deepmode},
            {{29, 1}, c.dss2mode}});
  if (afilt_code(c) != 0)
    w.put(9, {{{0, 8}, c.afilt_tot}, {{8, 8}, c.afilt_first}, {{16, 8}, c.afilt_last}});
  if (c.kfilt_tot > 0)
    w.put(8, {{{0, 8}, c.kfilt_tot}, {{8, 8}, c.kfilt_first}, {{16, 8}, c.kfilt_last}});
  w.put(4, {{{0, 6}, c.shift_a},
            {{8, 6}, c.shift_o},
            {{14, 1}, c.round_mode_o},
            {{16, 1}, c.rounding_o},
            {{17, 1}, c.saturation_o},
            {{18, 1}, c.raw_o},
            {{20, 2}, c.outbytes_o},
            {{22, 2}, c.inbytes_f},
            {{24, 6}, 16}});
  w.put(5, {{{0, 16}, c.fWidth * c.batchDepth}, {{16, 16}, c.fHeight}});
  w.put(2, {{{0, 8}, c.kernelWidth},
            {{8, 8}, c.kernelHeight},
            {{16, 8}, c.batchDepth},
            {{24, 8}, c.nKernels}});
  const auto pad = [&](std::int64_t all, std::int64_t kernel) {
    return c.deepmode != 0 || c.dss2mode != 0 || c.zfbias != 0
               ? 0
               : std::min<std::int64_t>({all, kernel - 1, 2});
  };
  const std::int64_t top = pad(c.top_padding, c.kernelHeight),
                     bottom = pad(c.bot_padding, c.kernelHeight),
                     left = pad(c.left_padding, c.kernelWidth),
                     right = pad(c.right_padding, c.kernelWidth);
  w.put(10, {{{0, 8}, (c.left_padding - left) * c.batchDepth},
             {{8, 8}, (c.right_padding - right) * c.batchDepth},
             {{16, 8}, c.top_padding - top},
             {{24, 8}, c.bot_padding - bottom}});
  w.put(3, {{{0, 2}, left},
            {{2, 2}, right},
            {{4, 2}, top},
            {{6, 2}, bottom},
            {{8, 3}, c.hstride},
            {{12, 3}, c.vstride},
            {{16, 16}, c.fstatcnt}});
  w.put(6,
        {{{0, 16}, c.left_crop * c.batchDepth},
         {{16, 16}, c.right_crop > 0 ? c.right_crop * c.batchDepth + c.batchDepth - 1 : 0xffff}});
  w.put(7, {{{0, 16}, c.top_crop}, {{16, 16}, c.bot_crop > 0 ? c.bot_crop : 0xffff}});
  if (c.fsub != 0) w.put(12, {{{0, 24}, c.fsub}});
  if (c.zfbias != 0) w.put(13, {{{0, 16}, c.zfbias}});
}

void pool(const NpuPoolUnit& p, NpuRegisterWrites& w) {
  constexpr std::pair<std::string_view, int> codes[] = {{"POOL_MAX", 0},  {"POOL_MIN", 1},
                                                        {"POOL_AVG", 2},  {"POOL_GMAX", 8},
                                                        {"POOL_GMIN", 9}, {"POOL_GAVG", 10}};
  std::int64_t type = 0;
  for (const auto& [name, code] : codes)
    if (name == p.operation) type = code;
  w.put(0, {{{2, 4}, type},
            {{6, 1}, p.rounding_o},
            {{7, 1}, p.saturation_o},
            {{8, 6}, p.shift_o},
            {{15, 1}, 1},
            {{16, 2}, p.inbytes_f},
            {{18, 6}, 16}});
  w.put(8, {{{0, 2}, p.outbytes_f}, {{16, 2}, p.outbytes_o}, {{18, 1}, p.round_mode_o}});
  w.put(2, {{{0, 3}, p.poolWinX},
            {{3, 3}, p.poolWinY},
            {{6, 4}, p.strideX},
            {{10, 4}, p.strideY},
            {{14, 3}, p.topPad},
            {{17, 3}, p.bottomPad},
            {{20, 3}, p.leftPad},
            {{23, 3}, p.rightPad},
            {{26, 4}, p.batchSize}});
  w.put(3, {{{0, 12}, p.inputX * p.batchSize}, {{16, 12}, p.inputY}});
  w.put(5, {{{0, 16}, p.mulval}});
  w.put(6, {{{0, 12}, p.leftCrop * p.batchSize},
            {{16, 12}, p.rightCrop * p.batchSize + p.batchSize - 1}});
  w.put(7, {{{0, 12}, p.topCrop}, {{16, 12}, p.bottomCrop}});
}

Result<void> activ(const NpuProgram& p, const NpuActiv& v, NpuRegisterWrites& w,
                   const std::string& where) {
  const int type = v.operation == "ACTIV_RELU"    ? 0
                   : v.operation == "ACTIV_PRELU" ? 1
                   : v.operation == "ACTIV_TRELU" ? 2
                                                  : 3;
  w.put(0, {{{2, 2}, type},
            {{6, 2}, v.inbytes_f},
            {{8, 6}, 16},
            {{18, 2}, v.outbytes_f},
            {{20, 1}, v.rounding_o},
            {{21, 1}, v.saturation_o},
            {{22, 2}, v.outbytes_o},
            {{24, 1}, v.round_mode_o}});
  if (v.fsub != 0) w.put(5, {{{0, 24}, v.fsub}});
  w.put(3, {{{0, 6}, v.shift_o},
            {{6, 6}, v.shift_c},
            {{12, 5}, v.shift_b},
            {{20, 1}, v.signedop},
            {{23, 3}, v.bwidth}});
  w.put(2, {{{0, 16}, v.parameter}, {{16, 4}, v.shift_norm}});
  w.put(4, {{{0, 16}, v.parameter_2}});
  if (type != 3) return {};
  for (std::int64_t i = 0; i < v.ROM0_nbytes; ++i) {
    LOCKSTEP_TRY(const std::int64_t b, npu_table_entry(p, v.ROM0_vector, i, 8, where));
    w.put(static_cast<int>(0x100 + i), {{{0, 8}, b}});
  }
  for (std::int64_t i = 0; i < v.ROM1_nbytes / 6; ++i) {
    std::int64_t abc[3];
    for (int k = 0; k < 3; ++k) {
      LOCKSTEP_TRY(abc[k], npu_table_entry(p, v.ROM1_vector, 3 * i + k, 16, where));
    }
    w.put(static_cast<int>(0x200 + 2 * i), {{{0, 16}, abc[0]}, {{16, 16}, abc[1]}});
    w.put(static_cast<int>(0x201 + 2 * i), {{{0, 16}, abc[2]}});
  }
  return {};
}

}  // namespace

Result<std::vector<NpuWrite>> npu_writes_of(const NpuProgram& program, const NpuUnit& unit,
                                            const std::string& where) {
  LOCKSTEP_TRY(const NpuUnitForm form, decode_unit(unit, where));
  const auto at = npu_register_unit(unit.id);
  const std::string who = where + ": " + text_of(unit.id);
  if (!at) return Error{who, "no such unit", "a unit of the STM32N6", {}};
  NpuRegisterWrites w(*at);
  if (const auto* s = std::get_if<NpuStream>(&form)) stream(*s, w);
  if (const auto* c = std::get_if<NpuConv>(&form)) conv(*c, w);
  if (const auto* p = std::get_if<NpuPoolUnit>(&form)) pool(*p, w);
  if (const auto* a = std::get_if<NpuArith>(&form))
    LOCKSTEP_CHECK(write_arith(program, *a, w, who));
  if (const auto* v = std::get_if<NpuActiv>(&form)) LOCKSTEP_CHECK(activ(program, *v, w, who));
  return std::move(w.out);
}

}  // namespace lockstep
