// y[n,h,w,c] = the four pixels around, mixed by distance: places and shares found once
#include <algorithm>
#include <cstring>
#include <optional>

#include "kernel/kernel.h"
#include "num/bilinear_rows.h"
#include "num/xnnpack.h"
#include "op/op_image_resize.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"ResizeBilinear"};

class ImageBilinear : public PreparedKernel {
 public:
  explicit ImageBilinear(const KernelProblem& p)
      : x_(p.view.input(0).shape), y_(p.view.output(0).shape), dtype_(p.view.input(0).dtype) {
    const ImageResize r = *image_resize_of(p.view);
    if (p.num.bilinear) {
      rows_ = p.num.bilinear->points(r.h);
      columns_ = p.num.bilinear->points(r.w);
      mix_ = p.num.bilinear->mix;
      if (p.num.bilinear == &xnnpack_bilinear) steps_ = xnnpack_bilinear_steps(dtype_ == DType::i8);
    } else {
      const bool fine = dtype_ == DType::i8;
      rows_ = fine ? fine_points(r.h) : real_points(r.h);
      columns_ = fine ? fine_points(r.w) : real_points(r.w);
      mix_ = fine ? mix_codes : mix_unsigned;
    }
  }

  std::size_t scratch_bytes(int threads) const override {
    return steps_ ? pieces_a_thread * static_cast<std::size_t>(threads) * room() * 4 : 0;
  }
  void run(const KernelRun& r) const override {
    r.workers.each(y_[0] * y_[1], [&](std::int64_t first, std::int64_t last, int piece) {
      auto* const mixed =
          reinterpret_cast<std::int32_t*>(r.scratch) + static_cast<std::size_t>(piece) * room();
      for (std::int64_t i = first; i < last; ++i) {
        const ResizePoint& row = rows_[static_cast<std::size_t>(i % y_[1])];
        const std::byte* const image = r.in[0] + i / y_[1] * x_[1] * x_[2] * x_[3];
        const Line l{image + row.lower * x_[2] * x_[3], image + row.upper * x_[2] * x_[3], row};
        std::byte* const out = r.out[0] + i * y_[2] * y_[3];
        steps_ ? line(l, mixed, out) : line_by_mix(l, out);
      }
    });
  }

 private:
  struct Line {
    const std::byte *lower, *upper;
    const ResizePoint& row;
  };
  static constexpr std::size_t pieces_a_thread = 4;  // Workers::each
  // Numbers of a line of x, and what the last block reads behind it.
  std::size_t room() const {
    constexpr std::int64_t block = BilinearSteps::block;
    return static_cast<std::size_t>((x_[2] * x_[3] + 2 * block - 1) / block * block);
  }

  void line(const Line& l, std::int32_t* mixed, std::byte* out) const {
    constexpr std::int64_t block = BilinearSteps::block;
    const std::int64_t c = y_[3], bytes = y_[2] * c, whole = (c + block - 1) / block * block;
    steps_->rows(l.lower, l.upper, l.row.fine, x_[2] * c, mixed);
    for (std::int64_t w = 0; w < y_[2]; ++w) {
      const ResizePoint& column = columns_[static_cast<std::size_t>(w)];
      const std::int32_t *const left = mixed + column.lower * c, *const right =
                                                                     mixed + column.upper * c;
      // What is written behind a pixel is the next one's, as far as the line goes.
      if (w * c + whole <= bytes) {
        steps_->columns(left, right, column.fine, c, out + w * c);
        continue;
      }
      alignas(16) std::byte last[block];
      for (std::int64_t k = 0; k < c; k += block) {
        steps_->columns(left + k, right + k, column.fine, 1, last);
        std::memcpy(out + w * c + k, last, static_cast<std::size_t>(std::min(block, c - k)));
      }
    }
  }

  void line_by_mix(const Line& l, std::byte* out) const {
    for (std::int64_t w = 0; w < y_[2]; ++w)
      one_by_one(l, columns_[static_cast<std::size_t>(w)], out + w * y_[3]);
  }
  void one_by_one(const Line& l, const ResizePoint& column, std::byte* out) const {
    const std::int64_t c = y_[3];
    for (std::int64_t k = 0; k < c; ++k) {
      const auto at = [&](const std::byte* row, std::int64_t w) {
        const std::byte b = row[w * c + k];
        return dtype_ == DType::i8 ? std::int32_t{static_cast<std::int8_t>(b)}
                                   : std::int32_t{static_cast<std::uint8_t>(b)};
      };
      out[k] = static_cast<std::byte>(mix_({at(l.lower, column.lower), at(l.upper, column.lower),
                                            at(l.lower, column.upper), at(l.upper, column.upper)},
                                           l.row, column));
    }
  }

  Shape x_, y_;
  DType dtype_;
  std::vector<ResizePoint> rows_, columns_;
  std::int32_t (*mix_)(const std::int32_t (&v)[4], const ResizePoint& y, const ResizePoint& x);
  std::optional<BilinearSteps> steps_;
};

bool fits(const KernelProblem& p) {
  const DType t = p.view.input(0).dtype;
  return !p.constants[0] && p.constants[1] && (t == DType::i8 || t == DType::u8) &&
         p.view.output(0).dtype == t && count_of(p.view.input(0).shape) > 0 &&
         image_resize_of(p.view).ok();
}

}  // namespace

extern constinit const Kernel kernel_image_bilinear = {
    .name = "image_bilinear",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "TFLite's bilinear resize of codes, pixel by pixel",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<ImageBilinear>(p);
    },
};

}  // namespace lockstep
