#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "npu/program.h"

namespace lockstep {

// The units of one epoch with their fields by name and meaning. Every field that the file gives is
// known here: used, without effect on numbers, or allowed at its default only. Anything else is
// refused by name. docs/neural-art.md, "Units".

// Reads (dir 0) or writes (dir 1) memory as frames of elements.
struct NpuStream {
  std::int64_t dir = 0, raw = 0, raw_out = 0, continuous = 0, align_right = 0, nbits_unsigned = 0;
  std::int64_t sync_with_other = 0, sync_dma = 0;
  std::int64_t addr_base = 0, offset_start = 0, offset_end = 0, offset_limit = 0;
  std::int64_t frame_count = 0, fwidth = 0, fheight = 0, batch_depth = 0, batch_offset = 0;
  std::int64_t frame_offset = 0, line_offset = 0, loop_offset = 0, frame_loop_cnt = 0,
               frame_tot_cnt = 0;
  std::int64_t nbits_in = 0, nbits_out = 0;

  bool writes() const { return dir == 1; }
  int element_bytes() const { return static_cast<int>((writes() ? nbits_out : nbits_in) / 8); }
  std::uint64_t address() const { return static_cast<std::uint64_t>(addr_base + offset_start); }
  std::int64_t frames() const { return frame_tot_cnt > 0 ? frame_tot_cnt : 1; }
  std::int64_t frame_elements() const;             // memory words of one frame
  std::int64_t frame_start(std::int64_t f) const;  // bytes after address()
  bool packed() const {
    return element_bytes() == 3;
  }  // three bytes in a word, as 1x1 deep mode takes them
};

// out = saturate(nearest((sum (feature - fsub) * weight + (accumulator << shift_a)) / 2^shift_o))
struct NpuConv {
  std::int64_t simd = 0, fsub = 0, accumulate = 0, accumulate_first = 0, accumulate_gen_first = 0;
  std::int64_t f_unsigned = 0, k_unsigned = 0, deepmode = 0, kseten = 0, inbytes_f = 0;
  std::int64_t shift_a = 0, rounding_o = 0, saturation_o = 0, round_mode_o = 0, outbytes_o = 0,
               shift_o = 0, raw_o = 0;
  std::int64_t fWidth = 0, fHeight = 0, kernelWidth = 0, kernelHeight = 0, nKernels = 0,
               batchDepth = 0;
  std::int64_t hstride = 0, vstride = 0, left_padding = 0, right_padding = 0, top_padding = 0,
               bot_padding = 0;
  std::int64_t left_crop = 0, right_crop = 0, top_crop = 0, bot_crop = 0;
  std::int64_t zfbias = 0;               // what the padding holds, behind fsub
  std::int64_t fstat = 0, fstatcnt = 0;  // a frame of features meets fstatcnt + 1 sets of kernels
  std::int64_t dss2mode = 0;             // features arrive two bytes a word
  std::int64_t afilt_tot = 0, afilt_first = 0, afilt_last = 0, kfilt_tot = 0, kfilt_first = 0,
               kfilt_last = 0;
  std::string afilt_mode;

  std::int64_t kernel_elements() const { return kernelHeight * kernelWidth * batchDepth; }
  std::int64_t cropped_height() const {
    return (bot_crop > 0 ? bot_crop : fHeight - 1) - top_crop + 1;
  }
  std::int64_t cropped_width() const {
    return (right_crop > 0 ? right_crop : fWidth - 1) - left_crop + 1;
  }
  std::int64_t out_height() const {
    return (cropped_height() + top_padding + bot_padding - kernelHeight) / vstride + 1;
  }
  std::int64_t out_width() const {
    return (cropped_width() + left_padding + right_padding - kernelWidth) / hstride + 1;
  }
};

// out = saturate(nearest((((A*X) >> Ax) + ((B*Y) >> By) + (C << Cs)) / 2^shift_o)), and other
// operations
struct NpuArith {
  std::int64_t rounding_x = 0, saturation_x = 0, round_mode_x = 0, inbytes_x = 0, outbytes_x = 0,
               shift_x = 0;
  std::int64_t rounding_y = 0, saturation_y = 0, round_mode_y = 0, inbytes_y = 0, outbytes_y = 0,
               shift_y = 0;
  std::int64_t combinebc = 0, clipout = 0, clipmin = 0, clipmax = 0;
  std::int64_t rounding_o = 0, saturation_o = 0, round_mode_o = 0, outbytes_o = 0, shift_o = 0;
  std::int64_t scalar = 0, dualinput = 0, Ax_shift = 0, By_shift = 0, C_shift = 0;
  std::int64_t fWidth = 0, fHeight = 0, fChannels = 0, batchDepth = 0;
  std::int64_t A_scalar = 0, B_scalar = 0, C_scalar = 0, A_vector = 0, B_vector = 0, C_vector = 0;
  std::string operation, bcast;
  std::vector<std::int64_t> vec_precision;
};

struct NpuPoolUnit {
  std::int64_t avgnopad = 0, inputX = 0, inputY = 0, poolWinX = 0, poolWinY = 0, strideX = 0,
               strideY = 0;
  std::int64_t topCrop = 0, bottomCrop = 0, leftCrop = 0, rightCrop = 0, topPad = 0, bottomPad = 0,
               leftPad = 0, rightPad = 0;
  std::int64_t batchSize = 0, inbytes_f = 0, outbytes_f = 0;
  std::int64_t rounding_o = 0, saturation_o = 0, round_mode_o = 0, outbytes_o = 0, shift_o = 0,
               mulval = 0;
  std::int64_t pad_val_en = 0, pad_val = 0;
  std::string operation;
};

struct NpuActiv {
  std::int64_t inbytes_f = 0, outbytes_f = 0, rounding_o = 0, saturation_o = 0, round_mode_o = 0,
               outbytes_o = 0;
  std::int64_t signedop = 0, shift_o = 0, parameter = 0, parameter_2 = 0, ROM0_vector = 0,
               ROM1_vector = 0;
  std::int64_t ROM0_nbytes = 0, ROM1_nbytes = 0, shift_b = 0, shift_c = 0, shift_norm = 0,
               bwidth = 0, fsub = 0;
  std::string operation;
};

using NpuUnitForm = std::variant<NpuStream, NpuConv, NpuArith, NpuPoolUnit, NpuActiv>;

// The typed form of a unit. Errors: an unknown field that is not 0, a field at a value whose effect
// is not known, an impossible size. `where` names file and epoch.
Result<NpuUnitForm> decode_unit(const NpuUnit& unit, const std::string& where);

// One epoch with its units decoded and its links checked: each link joins units that are there.
struct NpuEpochForm {
  const NpuEpoch* epoch = nullptr;
  std::map<NpuUnitId, NpuUnitForm> units;
  std::map<NpuPort, NpuLink> links;

  template <class T>
  const T* find(NpuUnitId id) const {
    const auto it = units.find(id);
    return it == units.end() ? nullptr : std::get_if<T>(&it->second);
  }
  const NpuUnit* raw(NpuUnitId id) const;
};
Result<NpuEpochForm> decode_epoch(const NpuEpoch& epoch, const std::string& file);

}  // namespace lockstep
