// y[.., k, ..] = x_k[..]: inputs of one shape one behind the other, block by block
#include <algorithm>
#include <cstring>

#include "kernel/kernel.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Pack"};

class PackRows : public PreparedKernel {
 public:
  explicit PackRows(const KernelProblem& p) {
    const Shape& x = p.view.input(0).shape;
    const std::size_t axis = *normal_axis(p.view, p.view.attrs().integer("axis", 0), x.size() + 1);
    for (std::size_t d = 0; d < axis; ++d) outer_ *= x[d];
    block_ = count_of(x) * static_cast<std::int64_t>(size_of(p.view.input(0).dtype)) / outer_;
    for (const Tensor* const t : p.constants)
      constants_.emplace_back(t ? std::vector<std::byte>(t->bytes().begin(), t->bytes().end())
                                : std::vector<std::byte>());
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override {
    std::size_t bytes = 0;
    for (const auto& c : constants_) bytes += c.size();
    return bytes;
  }
  void run(const KernelRun& r) const override {
    switch (block_) {
      case 1:
        return all<1>(r);
      case 2:
        return all<2>(r);
      case 4:
        return all<4>(r);
      case 8:
        return all<8>(r);
      case 16:
        return all<16>(r);
      case 32:
        return all<32>(r);
      case 64:
        return all<64>(r);
      default:
        return all<0>(r);
    }
  }

 private:
  static constexpr std::int64_t worth_sharing = 16384;  // bytes of a part
  static constexpr std::int64_t near_bytes = 16384;     // of y that stay in the nearest cache

  // Blocks of `size` bytes, 0: of any.
  template <std::int64_t size>
  void all(const KernelRun& r) const {
    const std::int64_t block = size == 0 ? block_ : size;
    const auto count = static_cast<std::int64_t>(constants_.size()), row = block * count;
    r.workers.each(
        outer_,
        [&](std::int64_t first, std::int64_t last, int) {
          const std::int64_t some = std::max<std::int64_t>(1, near_bytes / row);
          for (std::int64_t begin = first; begin < last; begin += some)
            for (std::int64_t k = 0; k < count; ++k) {
              const auto& own = constants_[static_cast<std::size_t>(k)];
              const std::byte* const from = own.empty() ? r.in[k] : own.data();
              std::byte* const to = r.out[0] + k * block;
              for (std::int64_t o = begin; o < std::min(last, begin + some); ++o)
                std::memcpy(to + o * row, from + o * block, static_cast<std::size_t>(block));
            }
        },
        std::max<std::int64_t>(1, worth_sharing / row));
  }

  std::int64_t outer_ = 1, block_ = 0;
  std::vector<std::vector<std::byte>> constants_;
};

bool fits(const KernelProblem& p) {
  const Shape& x = p.view.input(0).shape;
  return count_of(x) > 0 &&
         normal_axis(p.view, p.view.attrs().integer("axis", 0), x.size() + 1).ok();
}

}  // namespace

extern constinit const Kernel kernel_pack_rows = {
    .name = "pack_rows",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "inputs of one shape along a new axis",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<PackRows>(p);
    },
};

}  // namespace lockstep
