// out[y,x,c] = saturate(nearest(max | min | mulval * sum over the window, / 2^shift_o)); global:
// one window over all
#include <algorithm>

#include <fmt/core.h>

#include "npu/flow.h"

namespace lockstep {
namespace {

struct Window {
  std::int64_t height, width, stride_y, stride_x, top, left, out_height, out_width;
};

Window window_of(const NpuPoolUnit& p, std::int64_t height, std::int64_t width) {
  if (p.operation[5] == 'G') return {height, width, 1, 1, 0, 0, 1, 1};
  return {p.poolWinY,
          p.poolWinX,
          p.strideY,
          p.strideX,
          p.topPad,
          p.leftPad,
          (height + p.topPad + p.bottomPad - p.poolWinY) / p.strideY + 1,
          (width + p.leftPad + p.rightPad - p.poolWinX) / p.strideX + 1};
}

std::int64_t leave(const NpuPoolUnit& p, std::int64_t v, const NpuRules& rules) {
  v = npu_shift(v, static_cast<int>(p.shift_o), p.rounding_o != 0 ? rules.pool : NpuTie::floor);
  const int bytes = static_cast<int>(p.outbytes_o);
  return p.saturation_o != 0 ? npu_saturate(v, bytes) : npu_wrap(v, bytes);
}

}  // namespace

template <class T>
Result<NpuFlow<T>> run_pool(const NpuPoolUnit& p, const NpuFlow<T>& x, const NpuRules& rules,
                            const std::string& who) {
  const std::int64_t depth = p.batchSize;
  LOCKSTEP_TRY(const NpuFlow<T> frames, x.cut(p.inputX * p.inputY * depth, who));
  const std::int64_t last_x = p.rightCrop > 0 ? p.rightCrop : p.inputX - 1,
                     last_y = p.bottomCrop > 0 ? p.bottomCrop : p.inputY - 1;
  const std::int64_t height = last_y - p.topCrop + 1, width = last_x - p.leftCrop + 1;
  const Window w = window_of(p, height, width);
  const bool average = p.operation.ends_with("AVG"), least = p.operation.ends_with("MIN");
  const bool padded =
      p.operation[5] != 'G' && (p.topPad | p.bottomPad | p.leftPad | p.rightPad) != 0;
  if (average && padded && p.avgnopad != 0)
    return Error{who, "an average that leaves the padding out", "an average over whole windows",
                 "its divisor at borders is not known"};
  NpuFlow<T> out;
  for (const NpuFrame<T>& frame : frames.frames) {
    auto y = std::make_shared<std::vector<T>>();
    for (std::int64_t oy = 0; oy < w.out_height; ++oy)
      for (std::int64_t ox = 0; ox < w.out_width; ++ox)
        for (std::int64_t c = 0; c < depth; ++c) {
          std::int64_t sum = 0, best = 0;
          bool any = false;
          for (std::int64_t i = 0; i < w.height; ++i)
            for (std::int64_t j = 0; j < w.width; ++j) {
              const std::int64_t fy = oy * w.stride_y + i - w.top,
                                 fx = ox * w.stride_x + j - w.left;
              const bool outside = fy < 0 || fx < 0 || fy >= height || fx >= width;
              if (outside && !average && p.pad_val_en == 0) continue;  // padding never wins
              std::int64_t v =
                  outside ? (p.pad_val_en != 0 ? p.pad_val : 0)
                          : static_cast<std::int64_t>((*frame)[static_cast<std::size_t>(
                                ((fy + p.topCrop) * p.inputX + fx + p.leftCrop) * depth + c)]);
              v = npu_wrap(v, p.inbytes_f == 1 ? 1 : 2);
              sum += v;
              best = !any ? v : least ? std::min(best, v) : std::max(best, v);
              any = true;
            }
          y->push_back(static_cast<T>(leave(p, average ? sum * (p.mulval & 0xffff) : best, rules)));
        }
    out.frames.push_back(std::move(y));
  }
  return out;
}

template Result<NpuFlow<std::int32_t>> run_pool(const NpuPoolUnit&, const NpuFlow<std::int32_t>&,
                                                const NpuRules&, const std::string&);
template Result<NpuFlow<double>> run_pool(const NpuPoolUnit&, const NpuFlow<double>&,
                                          const NpuRules&, const std::string&);

}  // namespace lockstep
