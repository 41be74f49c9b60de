#include "npu/unit_checks.h"

#include <algorithm>
#include <string_view>

#include <fmt/core.h>

namespace lockstep {

std::string npu_unit_problem(const NpuStream& s) {
  if (s.dir < 0 || s.dir > 1) return "dir is neither 0 nor 1";
  const std::int64_t bits = s.writes() ? s.nbits_out : s.nbits_in;
  if (bits != 8 && bits != 16 && bits != 24 && bits != 32)
    return fmt::format("{} bits in memory", bits);
  if (s.addr_base < 0 || s.offset_start < 0 || s.frame_tot_cnt < 0 || s.frame_loop_cnt < 0 ||
      s.fwidth < 0 || s.fheight < 0 || s.batch_depth < 0 || s.frame_count < 0)
    return "a negative size";
  if (s.fwidth > 65536 || s.fheight > 65536 || s.batch_depth > 65536)
    return "a frame of more than 65536 in one extent";
  const std::int64_t n = s.frame_elements();
  if (n <= 0 || n > (std::int64_t{1} << 27)) return fmt::format("a frame of {} elements", n);
  if (s.frames() > (std::int64_t{1} << 20)) return fmt::format("{} frames", s.frames());
  if (s.nbits_in < s.nbits_out && s.align_right == 0 && !s.writes())
    return "widening with align_right = 0";
  return "";
}

std::string npu_unit_problem(const NpuConv& c) {
  const auto in = [](std::int64_t v, std::int64_t low, std::int64_t high) {
    return v >= low && v <= high;
  };
  if (!in(c.fWidth, 1, 65535) || !in(c.fHeight, 1, 65535) || !in(c.batchDepth, 1, 2048))
    return "feature extents";
  if (!in(c.kernelWidth, 1, 255) || !in(c.kernelHeight, 1, 255) || !in(c.nKernels, 1, 255))
    return "kernel extents";
  if (!in(c.hstride, 1, 15) || !in(c.vstride, 1, 15)) return "strides";
  if (!in(c.left_padding, 0, 255) || !in(c.right_padding, 0, 255) || !in(c.top_padding, 0, 255) ||
      !in(c.bot_padding, 0, 255))
    return "padding";
  if (!in(c.left_crop, 0, c.fWidth - 1) || !in(c.right_crop, 0, c.fWidth - 1) ||
      !in(c.top_crop, 0, c.fHeight - 1) || !in(c.bot_crop, 0, c.fHeight - 1) ||
      c.cropped_height() < 1 || c.cropped_width() < 1)
    return "cropping";
  if (c.cropped_height() + c.top_padding + c.bot_padding < c.kernelHeight ||
      c.cropped_width() + c.left_padding + c.right_padding < c.kernelWidth)
    return "a kernel larger than the padded features";
  if (!in(c.shift_o, 0, 31) || !in(c.shift_a, 0, 31) || !in(c.outbytes_o, 1, 3))
    return "output format";
  if (c.simd != 1 && c.simd != 2) return fmt::format("simd = {}", c.simd);
  if (c.simd == 1 && c.inbytes_f == 2) return "simd = 1 with 16-bit features";
  if (c.k_unsigned != 0) return "k_unsigned = 1";
  if (!in(c.zfbias, -32768, 32767)) return "zfbias";
  if (c.zfbias != 0 && c.fsub != 0) return "zfbias and fsub together";
  if (!in(c.fstatcnt, 0, 65535) || (c.fstat != 0 && (c.deepmode != 0 || c.accumulate != 0)))
    return "fstat = 1 with deep mode or accumulation";
  if (c.dss2mode != 0 && (c.deepmode != 0 || c.inbytes_f != 1 || c.batchDepth % 2 != 0))
    return "dss2mode = 1 with other features than pairs of bytes";
  if (c.kseten != 0 && c.kseten != 3) return fmt::format("kseten = {}", c.kseten);
  if (!c.afilt_mode.empty() && c.afilt_mode != "AFILT_MODE_NONE" &&
      c.afilt_mode != "AFILT_MODE_FRAMEZERO")
    return "afilt_mode = " + c.afilt_mode;
  if (c.afilt_mode == "AFILT_MODE_FRAMEZERO" && !in(c.afilt_tot, 1, 255)) return "afilt_tot";
  if (!in(c.kfilt_tot, 0, 255) ||
      (c.kfilt_tot > 0 &&
       (c.kfilt_last < c.kfilt_first || c.kfilt_last >= c.kfilt_tot ||
        c.kfilt_last - c.kfilt_first + 1 != c.nKernels || c.kfilt_tot % c.nKernels != 0)))
    return "kfilt does not select nKernels kernels";
  return "";
}

std::string npu_unit_problem(const NpuArith& a) {
  const auto in = [](std::int64_t v, std::int64_t low, std::int64_t high) {
    return v >= low && v <= high;
  };
  if (!in(a.outbytes_o, 1, 3) || !in(a.shift_o, 0, 47) || !in(a.Ax_shift, 0, 31) ||
      !in(a.By_shift, 0, 31) || !in(a.C_shift, 0, 31))
    return "shifts or output width";
  if (!in(a.fWidth, 0, 1 << 20) || !in(a.fHeight, 0, 1 << 20) || !in(a.fChannels, 0, 65535) ||
      !in(a.batchDepth, 0, 65535))
    return "extents";
  if (a.shift_x != 0 || a.shift_y != 0) return "an input shift";
  constexpr std::string_view known[] = {"ARITH_AFFINE", "ARITH_MUL", "ARITH_MIN", "ARITH_MAX",
                                        "ARITH_CLIP"};
  if (std::ranges::find(known, a.operation) == std::ranges::end(known))
    return "operation = " + a.operation;
  if (a.operation == "ARITH_CLIP" && (a.scalar == 0 || a.dualinput != 0 || a.shift_o != 0 ||
                                      a.Ax_shift != 0 || a.C_shift != 0 || a.combinebc != 0))
    return "a clip that is not between two single numbers";
  constexpr std::string_view modes[] = {"",
                                        "ARITH_BCAST_NONE",
                                        "ARITH_BCAST_CHAN",
                                        "ARITH_BCAST_SCALAR",
                                        "ARITH_BCAST_WIDTH",
                                        "ARITH_BCAST_HEIGHT",
                                        "ARITH_BCAST_HEIGHT_WIDTH"};
  if (std::ranges::find(modes, a.bcast) == std::ranges::end(modes)) return "bcast = " + a.bcast;
  for (const std::int64_t bits : a.vec_precision)
    if (bits != 8 && bits != 16 && bits != 32) return fmt::format("coefficients of {} bits", bits);
  if (a.vec_precision.size() == 3 && (a.vec_precision[0] == 32 || a.vec_precision[1] == 32))
    return "multipliers of 32 bits";
  const bool wide = a.combinebc != 0 || (a.vec_precision.size() == 3 && a.vec_precision[2] == 32);
  if (wide && a.C_shift > 24) return fmt::format("a 32-bit constant shifted by {}", a.C_shift);
  if (a.scalar == 0 && a.operation == "ARITH_AFFINE") {
    if (a.vec_precision.size() != 3) return "vec_precision without three widths";
    if (a.bcast == "ARITH_BCAST_NONE" || a.bcast.empty())
      return "coefficient tables without a broadcast";
    if (a.fWidth < 1 || a.fHeight < 1 || a.fChannels < 1 || a.batchDepth < 1)
      return "extents of a coefficient table";
  }
  return "";
}

std::string npu_unit_problem(const NpuPoolUnit& p) {
  const auto in = [](std::int64_t v, std::int64_t low, std::int64_t high) {
    return v >= low && v <= high;
  };
  constexpr std::string_view known[] = {"POOL_MAX",  "POOL_MIN",  "POOL_AVG",
                                        "POOL_GMAX", "POOL_GMIN", "POOL_GAVG"};
  if (std::ranges::find(known, p.operation) == std::ranges::end(known))
    return "operation = " + p.operation;
  if (!in(p.inputX, 1, 4095) || !in(p.inputY, 1, 4095) || !in(p.batchSize, 1, 4095))
    return "input extents";
  if (!in(p.shift_o, 0, 47) || !in(p.outbytes_o, 1, 3)) return "output format";
  const auto last_x = p.rightCrop > 0 ? p.rightCrop : p.inputX - 1,
             last_y = p.bottomCrop > 0 ? p.bottomCrop : p.inputY - 1;
  if (!in(p.leftCrop, 0, last_x) || !in(p.topCrop, 0, last_y) || last_x >= p.inputX ||
      last_y >= p.inputY)
    return "cropping";
  if (p.operation[5] == 'G') return "";
  if (!in(p.poolWinX, 1, 7) || !in(p.poolWinY, 1, 7) || !in(p.strideX, 1, 15) ||
      !in(p.strideY, 1, 15))
    return "window or strides";
  if (!in(p.topPad, 0, 7) || !in(p.bottomPad, 0, 7) || !in(p.leftPad, 0, 7) ||
      !in(p.rightPad, 0, 7))
    return "padding";
  if (last_x - p.leftCrop + 1 + p.leftPad + p.rightPad < p.poolWinX ||
      last_y - p.topCrop + 1 + p.topPad + p.bottomPad < p.poolWinY)
    return "a window larger than the padded input";
  return "";
}

std::string npu_unit_problem(const NpuActiv& v) {
  constexpr std::string_view known[] = {"ACTIV_RELU", "ACTIV_PRELU", "ACTIV_TRELU", "ACTIV_FUNC"};
  if (std::ranges::find(known, v.operation) == std::ranges::end(known))
    return "operation = " + v.operation;
  if (v.outbytes_o < 1 || v.outbytes_o > 3 || v.shift_o < 0 || v.shift_o > 47)
    return "output format";
  if (!(v.fsub > -65536 && v.fsub < 65536)) return "fsub";
  if (v.shift_b < 0 || v.shift_b > 28 || v.shift_c < 0 || v.shift_c > 31 || v.shift_norm < 0 ||
      v.shift_norm > 15 || v.bwidth < 0 || v.bwidth > 5)
    return "shifts or segments";
  if (v.ROM0_nbytes < 0 || v.ROM0_nbytes > 64 || v.ROM1_nbytes < 0 || v.ROM1_nbytes > 6 * 64)
    return "table sizes";
  return "";
}

}  // namespace lockstep
