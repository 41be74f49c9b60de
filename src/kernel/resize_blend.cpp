// y[i] = weighted sum of x around the place that i has there: neighbours and weights found once
#include <array>
#include <optional>

#include "kernel/kernel.h"
#include "kernel/kernel_blend_rows.h"
#include "op/op_move.h"
#include "op/op_resize.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Resize"};
constexpr std::size_t most_axes = 6, most_corners = 1 << most_axes;

using Taps = std::vector<std::vector<std::vector<Tap>>>;

// An axis on which every place is an element of x, and its own.
bool stands_still(const std::vector<std::vector<Tap>>& axis) {
  for (std::size_t i = 0; i < axis.size(); ++i)
    if (axis[i].size() != 1 || axis[i][0].index != static_cast<std::int64_t>(i) ||
        axis[i][0].weight != 1)
      return false;
  return true;
}

class ResizeBlend : public PreparedKernel {
 public:
  explicit ResizeBlend(const KernelProblem& p)
      : type_(p.view.input(0).dtype),
        taps_(resize_taps(p.view).value()),
        corners_(p.view.attrs().text("mode", "nearest") == "linear"),
        fine_(corners_ && taps_.size() == 4 &&
              p.view.attrs().text("kernel", "") == "channels-last"),
        outside_(p.view.attrs().real("extrapolation_value", 0)) {
    const Shape &x = p.view.input(0).shape, &y = p.view.output(0).shape;
    const Shape steps = strides_of(x);
    while (lead_ < (fine_ ? 2 : taps_.size()) && stands_still(taps_[lead_]) &&
           taps_[lead_].size() == static_cast<std::size_t>(x[lead_]))
      planes_ *= x[lead_++];
    for (std::size_t d = lead_; d < y.size(); ++d) {
      steps_[d] = steps[d];
      x_plane_ *= x[d], y_plane_ *= y[d];
    }
    if (corners_ && !fine_ && lead_ + 2 == taps_.size())
      lines_ = BlendRows::make(taps_[lead_], taps_[lead_ + 1], x.back(), outside_);
  }

  std::size_t scratch_bytes(int) const override { return 0; }
  std::size_t resident_bytes() const override {
    std::size_t bytes = 0;
    for (const auto& axis : taps_) bytes += axis.size() * (sizeof axis[0] + 4 * sizeof(Tap));
    return bytes;
  }

  void run(const KernelRun& r) const override {
    if (lines_)
      return type_ == DType::f32  ? by_lines<float>(r)
             : type_ == DType::i8 ? by_lines<std::int8_t>(r)
                                  : by_lines<std::uint8_t>(r);
    r.workers.each(y_plane_, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t place = first; place < last; ++place) {
        if (type_ == DType::f32)
          all_planes<float>(r, place);
        else if (type_ == DType::i8)
          all_planes<std::int8_t>(r, place);
        else
          all_planes<std::uint8_t>(r, place);
      }
    });
  }

 private:
  // The taps of one place of y, by axis from lead_ on.
  struct Place {
    std::array<const std::vector<Tap>*, most_axes> axis;
    std::int64_t offset[most_corners];
    float weight[most_corners];
    std::size_t corners = 1;
    bool inside = true;
  };

  void find(std::int64_t place, Place& p) const {
    for (std::size_t d = taps_.size(); d-- > lead_;) {
      const auto extent = static_cast<std::int64_t>(taps_[d].size());
      p.axis[d] = &taps_[d][static_cast<std::size_t>(place % extent)];
      p.inside &= !p.axis[d]->empty();
      p.corners *= p.axis[d]->size();
      place /= extent;
    }
    if (!p.inside || !corners_) return;
    for (std::size_t corner = 0; corner < p.corners; ++corner) {
      float weight = 1;
      std::int64_t at = 0;
      std::size_t rest = corner;
      for (std::size_t d = taps_.size(); d-- > lead_;) {
        const Tap& tap = (*p.axis[d])[rest % p.axis[d]->size()];
        rest /= p.axis[d]->size();
        weight *= tap.weight;
        at += tap.index * steps_[d];
      }
      p.offset[corner] = at;
      p.weight[corner] = weight;
    }
  }

  template <class T>
  void by_lines(const KernelRun& r) const {
    const std::int64_t blocks = lines_->blocks();
    r.workers.each(planes_ * blocks, [&](std::int64_t first, std::int64_t last, int) {
      for (std::int64_t u = first; u < last; ++u)
        lines_->run(reinterpret_cast<const T*>(r.in[0]) + u / blocks * x_plane_,
                    reinterpret_cast<T*>(r.out[0]) + u / blocks * y_plane_, u % blocks);
    });
  }

  template <class T>
  void all_planes(const KernelRun& r, std::int64_t place) const {
    Place p;
    find(place, p);
    const T* x = reinterpret_cast<const T*>(r.in[0]);
    T* y = reinterpret_cast<T*>(r.out[0]) + place;
    for (std::int64_t n = 0; n < planes_; ++n, x += x_plane_, y += y_plane_)
      *y = !p.inside  ? static_cast<T>(outside_)
           : fine_    ? fine(x, p)
           : corners_ ? static_cast<T>(corner_sum(x, p))
                      : static_cast<T>(nested_sum(x, p, lead_));
  }

  template <class T>
  static float corner_sum(const T* x, const Place& p) {
    float sum = p.weight[0] * static_cast<float>(x[p.offset[0]]);
    for (std::size_t i = 1; i < p.corners; ++i)
      sum += p.weight[i] * static_cast<float>(x[p.offset[i]]);
    return sum;
  }

  template <class T>
  float nested_sum(const T* x, const Place& p, std::size_t d) const {
    if (d == taps_.size()) return static_cast<float>(*x);
    const std::vector<Tap>& axis = *p.axis[d];
    if (axis.size() == 1) return nested_sum(x + axis[0].index * steps_[d], p, d + 1);
    float sum = 0;
    for (const Tap& tap : axis) sum += tap.weight * nested_sum(x + tap.index * steps_[d], p, d + 1);
    return sum;
  }

  // N44
  template <class T>
  T fine(const T* x, const Place& p) const {
    for (std::size_t d = lead_; d < 2; ++d) x += p.axis[d]->front().index * steps_[d];
    const auto &rows = *p.axis[2], &columns = *p.axis[3];
    const auto at = [&](const Tap& row, const Tap& column) {
      return static_cast<std::int32_t>(x[row.index * steps_[2] + column.index]);
    };
    return static_cast<T>(
        fine_mix({at(rows.front(), columns.front()), at(rows.front(), columns.back()),
                  at(rows.back(), columns.front()), at(rows.back(), columns.back())},
                 fine_share(rows), fine_share(columns)));
  }

  DType type_;
  Taps taps_;
  bool corners_, fine_;
  double outside_;
  std::size_t lead_ = 0;  // leading axes that stand still: planes, each resized alike
  std::int64_t planes_ = 1, x_plane_ = 1, y_plane_ = 1;
  std::array<std::int64_t, most_axes> steps_{};
  std::optional<BlendRows> lines_;
};

bool fits(const KernelProblem& p) {
  const Value& x = p.view.input(0);
  const Attrs& a = p.view.attrs();
  if (p.constants[0] || p.view.output(0).dtype != x.dtype || x.shape.empty() ||
      x.shape.size() > most_axes || count_of(p.view.output(0).shape) < 1 ||
      (x.dtype != DType::f32 && x.dtype != DType::i8 && x.dtype != DType::u8))
    return false;
  const std::string mode = a.text("mode", "nearest");
  if (mode == "nearest" || a.integer("antialias", 0) != 0 || a.integer("exclude_outside", 0) != 0 ||
      (mode == "cubic" && a.text("kernel", "") == "channels-last"))
    return false;
  const auto taps = resize_taps(p.view);
  if (!taps.ok()) return false;
  std::size_t corners = 1;
  for (const auto& axis : *taps) {
    std::size_t most = 1;
    for (const auto& place : axis) most = std::max(most, place.size());
    corners *= most;
  }
  return mode == "cubic" || corners <= most_corners;
}

}  // namespace

extern constinit const Kernel kernel_resize_blend = {
    .name = "resize_blend",
    .ops = ops,
    .isa = Isa::any,
    .speed = 1,
    .meaning = "linear and cubic Resize, neighbours and weights of every place found once",
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<ResizeBlend>(p);
    },
};

}  // namespace lockstep
