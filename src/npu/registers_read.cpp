// Registers -> the fields of the explicit form. Bit positions are those of docs/neural-art.md,
// "Blobs".
#include <fmt/core.h>

#include "npu/registers_fields.h"

namespace lockstep {
namespace {

using namespace npu_registers;

Result<NpuUnitFromRegisters> stream(const NpuRegisters& r, const std::string& where) {
  Fields f(r);
  const std::int64_t dir = f.bits(0, 3, 1), raw = f.bits(0, 8, 1), aligned = f.bits(0, 14, 1);
  for (const auto& [lsb, what] :
       {std::pair{6, "SUBSAMPLE"}, std::pair{10, "DESCR"}, std::pair{28, "SERDES"}})
    if (f.bits(0, lsb, lsb == 28 ? 2 : 1) != 0)
      return refused(where, fmt::format("CTRL.{} = {}", what, f.bits(0, lsb, 1)),
                     "0: what it does is not known");
  const std::int64_t lanes[3] = {f.bits(0, 16, 4), f.bits(0, 20, 4), f.bits(0, 24, 4)};
  std::int64_t bits = 0;
  bool bottom = true;
  for (int k = 0; k < 3; ++k) {
    if (lanes[k] != 0 && lanes[k] != 8)
      return refused(where, fmt::format("CTRL.SIZE{} = {}", k, lanes[k]), "whole bytes");
    if (lanes[k] != 0 && bits != 8 * k) bottom = false;
    bits += lanes[k];
  }
  if (!bottom)
    return refused(where, "lanes that do not begin at the lowest byte", "data aligned right");
  if (f.bits(5, 16, 6) != 0 || f.bits(5, 24, 6) != 0)
    return refused(where, "gaps between elements (STRD.FGAP, STRD.BGAP)", "none");
  if (f.bits(9, 0, 6) != 0x24 || f.bits(9, 8, 3) != 0)
    return refused(where, fmt::format("POS = 0x{:x}", r.get(9)), "bytes in their order");
  if (f.bits(19, 0, 1) != 0) return refused(where, "EXTSYNC.EN = 1", "no external trigger");
  f.number("dir", dir), f.number("raw", raw), f.number("raw_out", f.bits(0, 9, 1)),
      f.number("continuous", f.bits(0, 7, 1));
  f.number("noinc", f.bits(0, 4, 1)), f.number("noblk", f.bits(0, 11, 1)),
      f.number("align_right", aligned);
  if (aligned != 0 && f.bits(0, 15, 1) == 0) f.number("nbits_unsigned", 1);
  f.number("nbits_in", bits);
  f.number("nbits_out", dir == 0 && aligned != 0 && bits == 8 ? 16 : bits);
  const auto address = static_cast<std::int64_t>(r.get(2));
  f.number("addr_base", address);
  const std::int64_t depth_offset = f.bits(4, 16, 16) | f.bits(12, 16, 16) << 16;
  if (raw != 0) {
    f.number("frame_count", static_cast<std::int64_t>(r.get(3)));
    f.number("offset_end", static_cast<std::int64_t>(r.get(3)) * bits / 8);
  } else {
    f.number("fwidth", f.bits(3, 0, 16)), f.number("fheight", f.bits(3, 16, 16));
    f.number("batch_depth", f.bits(4, 0, 16)), f.number("batch_offset", depth_offset);
    f.number("line_offset", f.bits(5, 0, 16) | f.bits(18, 16, 16) << 16);
  }
  f.number("frame_offset", f.sbits(6, 0, 32)),
      f.number("frame_loop_cnt", static_cast<std::int64_t>(r.get(7)));
  f.number("loop_offset", f.sbits(8, 0, 32));
  if (f.bits(12, 2, 1) != 0) f.number("frame_tot_cnt", static_cast<std::int64_t>(r.get(13)));
  if (f.bits(12, 0, 1) != 0)
    f.number("offset_limit", static_cast<std::int64_t>(r.get(14)) + 1 - address);
  if (dir == 0 && f.bits(10, 23, 1) != 0)
    f.number("sync_with_other", 1), f.number("sync_dma", f.bits(10, 24, 5));
  f.number("cipher_en", f.bits(17, 12, 1));
  f.number("cacheable", f.bits(18, 3, 1)), f.number("cache_allocate", f.bits(18, 4, 1));
  return std::move(f.out);
}

Result<NpuUnitFromRegisters> conv(const NpuRegisters& r, const std::string& where) {
  Fields f(r);
  if (f.bits(0, 11, 9) != 0) return refused(where, "CTRL.FC", "0: what it does is not known");
  const std::int64_t depth = f.bits(2, 16, 8);
  if (depth == 0) return refused(where, "KFORMAT.BTCDEPTH = 0", "at least 1");
  f.number("accumulate", 1 - f.bits(0, 2, 1)), f.number("kt1_mode", f.bits(0, 3, 1)),
      f.number("accumulate_first", 1 - f.bits(0, 4, 1));
  f.number("simd", f.bits(0, 5, 2)), f.number("accumulate_gen_first", f.bits(0, 10, 1)),
      f.number("f_unsigned", f.bits(0, 20, 1));
  f.number("k_unsigned", f.bits(0, 21, 1)), f.number("kseten", f.bits(0, 22, 2)),
      f.number("fstat", f.bits(0, 24, 1));
  f.number("deepmode", f.bits(0, 28, 1)), f.number("dss2mode", f.bits(0, 29, 1));
  constexpr const char* modes[] = {"AFILT_MODE_NONE", "AFILT_MODE_PIXELDROP",
                                   "AFILT_MODE_FRAMEDROP", "AFILT_MODE_FRAMEZERO"};
  const std::int64_t mode = f.bits(0, 8, 2);
  f.name("afilt_mode", modes[mode]);
  if (mode != 0)
    f.number("afilt_tot", f.bits(9, 0, 8)), f.number("afilt_first", f.bits(9, 8, 8)),
        f.number("afilt_last", f.bits(9, 16, 8));
  if (f.bits(8, 0, 8) > 1)
    f.number("kfilt_tot", f.bits(8, 0, 8)), f.number("kfilt_first", f.bits(8, 8, 8)),
        f.number("kfilt_last", f.bits(8, 16, 8));
  f.number("kernelWidth", f.bits(2, 0, 8)), f.number("kernelHeight", f.bits(2, 8, 8));
  f.number("batchDepth", depth), f.number("nKernels", f.bits(2, 24, 8));
  if (f.bits(10, 0, 8) % depth != 0 || f.bits(10, 8, 8) % depth != 0)
    return refused(where, "a zero frame that splits a pixel", "whole pixels");
  f.number("left_padding", f.bits(3, 0, 2) + f.bits(10, 0, 8) / depth),
      f.number("right_padding", f.bits(3, 2, 2) + f.bits(10, 8, 8) / depth);
  f.number("top_padding", f.bits(3, 4, 2) + f.bits(10, 16, 8)),
      f.number("bot_padding", f.bits(3, 6, 2) + f.bits(10, 24, 8));
  f.number("hstride", f.bits(3, 8, 3)), f.number("vstride", f.bits(3, 12, 3));
  f.number("shift_a", f.bits(4, 0, 6)), f.number("shift_o", f.bits(4, 8, 6)),
      f.number("round_mode_o", f.bits(4, 14, 1));
  f.number("relu_mode_o", f.bits(4, 15, 1)), f.number("rounding_o", f.bits(4, 16, 1)),
      f.number("saturation_o", f.bits(4, 17, 1));
  f.number("raw_o", f.bits(4, 18, 1)), f.number("outbytes_o", f.bits(4, 20, 2)),
      f.number("inbytes_f", f.bits(4, 22, 2));
  f.number("shift_f", f.bits(4, 24, 6) - 16);
  if (f.bits(5, 0, 16) % depth != 0)
    return refused(where, fmt::format("a line of {} elements", f.bits(5, 0, 16)),
                   fmt::format("whole pixels of {}", depth));
  const std::int64_t width = f.bits(5, 0, 16) / depth, height = f.bits(5, 16, 16);
  f.number("fWidth", width), f.number("fHeight", height);
  f.number("left_crop", f.bits(6, 0, 16) / depth), f.number("top_crop", f.bits(7, 0, 16));
  if (f.bits(6, 16, 16) != 0xffff) f.number("right_crop", f.bits(6, 16, 16) / depth);
  if (f.bits(7, 16, 16) != 0xffff) f.number("bot_crop", f.bits(7, 16, 16));
  f.number("fsub", f.sbits(12, 0, 24)), f.number("zfbias", f.sbits(13, 0, 16));
  if (f.bits(0, 24, 1) != 0) f.number("fstatcnt", f.bits(3, 16, 16));
  return std::move(f.out);
}

Result<NpuUnitFromRegisters> pool(const NpuRegisters& r, const std::string& where) {
  Fields f(r);
  const std::int64_t type = f.bits(0, 2, 4), size = f.bits(2, 26, 4);
  const char* operation = type == 0    ? "POOL_MAX"
                          : type == 1  ? "POOL_MIN"
                          : type == 2  ? "POOL_AVG"
                          : type == 8  ? "POOL_GMAX"
                          : type == 9  ? "POOL_GMIN"
                          : type == 10 ? "POOL_GAVG"
                                       : nullptr;
  if (!operation) return refused(where, fmt::format("CTRL.TYPE = {}", type), "a pooling");
  if (size == 0 || f.bits(3, 0, 12) % size != 0)
    return refused(where, fmt::format("PDIMS.BSIZE = {}", size), "a batch that divides the line");
  f.name("operation", operation);
  f.number("rounding_o", f.bits(0, 6, 1)), f.number("saturation_o", f.bits(0, 7, 1)),
      f.number("shift_o", f.bits(0, 8, 6));
  f.number("dualLine", f.bits(0, 14, 1)), f.number("inbytes_f", f.bits(0, 16, 2)),
      f.number("shift_f", f.bits(0, 18, 6) - 16);
  f.number("outbytes_f", f.bits(8, 0, 2)), f.number("outbytes_o", f.bits(8, 16, 2)),
      f.number("round_mode_o", f.bits(8, 18, 1));
  f.number("poolWinX", f.bits(2, 0, 3)), f.number("poolWinY", f.bits(2, 3, 3)),
      f.number("strideX", f.bits(2, 6, 4)), f.number("strideY", f.bits(2, 10, 4));
  f.number("topPad", f.bits(2, 14, 3)), f.number("bottomPad", f.bits(2, 17, 3)),
      f.number("leftPad", f.bits(2, 20, 3)), f.number("rightPad", f.bits(2, 23, 3));
  f.number("batchSize", size), f.number("inputX", f.bits(3, 0, 12) / size),
      f.number("inputY", f.bits(3, 16, 12));
  f.number("outputX", f.bits(4, 0, 12)), f.number("outputY", f.bits(4, 16, 12)),
      f.number("mulval", f.bits(5, 0, 16));
  f.number("leftCrop", f.bits(6, 0, 12) / size), f.number("rightCrop", f.bits(6, 16, 12) / size);
  f.number("topCrop", f.bits(7, 0, 12)), f.number("bottomCrop", f.bits(7, 16, 12));
  return std::move(f.out);
}

// ROM0 at word 0x100, one byte a word; ROM1 at 0x200, rows of (A | B << 16) and C.
Result<NpuUnitFromRegisters> activ(const NpuRegisters& r, std::uint64_t base) {
  Fields f(r);
  constexpr const char* operations[] = {"ACTIV_RELU", "ACTIV_PRELU", "ACTIV_TRELU", "ACTIV_FUNC"};
  f.name("operation", operations[f.bits(0, 2, 2)]);
  f.number("inbytes_f", f.bits(0, 6, 2)), f.number("shift_f", f.bits(0, 8, 6) - 16),
      f.number("outbytes_f", f.bits(0, 18, 2));
  f.number("rounding_o", f.bits(0, 20, 1)), f.number("saturation_o", f.bits(0, 21, 1)),
      f.number("outbytes_o", f.bits(0, 22, 2)), f.number("round_mode_o", f.bits(0, 24, 1));
  f.number("parameter", f.bits(2, 0, 16)), f.number("shift_norm", f.bits(2, 16, 4)),
      f.number("shift_o", f.bits(3, 0, 6)), f.number("shift_c", f.bits(3, 6, 6));
  f.number("shift_b", f.bits(3, 12, 5)), f.number("signedop", f.bits(3, 20, 1)),
      f.number("bwidth", f.bits(3, 23, 3));
  f.number("parameter_2", f.bits(4, 0, 16)), f.number("fsub", f.sbits(5, 0, 24));
  Bytes& out = f.out.constants;
  const auto rows = [&](int first, int last) {
    int n = 0;
    for (const auto& [word, value] : r.words())
      if (word >= first && word < last) n = std::max(n, word - first + 1);
    return n;
  };
  const int segments = rows(0x100, 0x200), pieces = (rows(0x200, 0x400) + 1) / 2;
  if (f.bits(0, 2, 2) != 3) return std::move(f.out);
  f.number("ROM0_vector", static_cast<std::int64_t>(base)), f.number("ROM0_nbytes", segments);
  for (int i = 0; i < segments; ++i) put(out, r.get(0x100 + i), 1);
  while (out.size() % 4 != 0) out.push_back(std::byte{0});
  f.number("ROM1_vector", static_cast<std::int64_t>(base + out.size())),
      f.number("ROM1_nbytes", 6 * pieces);
  for (int i = 0; i < pieces; ++i)
    put(out, r.get(0x200 + 2 * i), 4), put(out, r.get(0x201 + 2 * i), 2);
  return std::move(f.out);
}

}  // namespace

Result<NpuUnitFromRegisters> npu_fields_from(NpuUnitId id, const NpuRegisters& r,
                                             const NpuCoefficientMemory& memory, std::uint64_t base,
                                             const std::string& where) {
  const std::string who = where + ": " + text_of(id);
  switch (id.kind) {
    case NpuKind::stream:
      return stream(r, who);
    case NpuKind::conv:
      return conv(r, who);
    case NpuKind::arith:
      return arith(r, memory, base, who);
    case NpuKind::pool:
      return pool(r, who);
    case NpuKind::activ:
      return activ(r, base);
    case NpuKind::decompress:
    case NpuKind::recbuf:
      break;
  }
  return refused(who, "a unit whose effect is not known is switched on",
                 "streams, convolutions, arithmetic, pooling, activation");
}

}  // namespace lockstep
