// Float convolutions of the arithmetic `float` by oneDNN, in bands of rows
#include <algorithm>

#include "kernel/kernel_dnnl_units.h"
#include "op/op_codes.h"
#include "op/op_conv.h"

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"Conv"};
// A band has at least so many products: below, a call and the weights read again cost more than
// another thread brings.
constexpr std::int64_t products_of_band = 2000000, most_bands = 16;

struct Layer {
  Window window;
  DnnlWindow whole;
  int cut = 0;  // the axis that is cut in bands
};

std::optional<Layer> layer_of(const KernelProblem& p) {
  if (!p.constants[1] || (p.view.has_input(2) && !p.constants[2])) return {};
  const auto l = conv_layout(p.view);
  if (!l.ok()) return {};
  const auto window = window_of(p.view, p.view.input(0).shape, l->kernel);
  if (!window.ok() || window->in[0] != 1 || window->out[0] != 1 || window->kernel[0] != 1 ||
      window->begin[0] != 0)
    return {};
  Layer r{*window, {}, 0};
  DnnlWindow& w = r.whole;
  w.group = l->group;
  w.ic = l->in_per_group;
  w.oc = l->out_channels / l->group;
  for (std::size_t a = 0; a < 2; ++a) {
    w.in[a] = window->in[a + 1], w.out[a] = window->out[a + 1], w.kernel[a] = window->kernel[a + 1];
    w.strides[a] = window->strides[a + 1], w.dilations[a] = window->dilations[a + 1];
    w.begin[a] = window->begin[a + 1];
  }
  const std::int64_t taps = window->kernel_count(), columns = w.kernel[1];
  const std::array<std::int64_t, 3> step =
      l->out_axis != 0  ? std::array<std::int64_t, 3>{1, 1, l->out_channels}
      : l->in_axis == 1 ? std::array<std::int64_t, 3>{w.ic * taps, taps, 1}
                        : std::array<std::int64_t, 3>{w.ic * taps, 1, w.ic};
  if (l->out_axis != 0 && w.ic != 1) return {};
  std::ranges::copy(std::array{w.oc * step[0], step[0], step[1], columns * step[2], step[2]},
                    w.weight_step);
  r.cut = w.in[0] == 1 && w.out[0] == 1 && w.kernel[0] == 1 ? 1 : 0;
  return r;
}

// Rows [first, last) of y, and the rows of x under them.
struct Band {
  DnnlWindow window;
  std::int64_t x_row = 0, y_row = 0;
};
Band band_of(const Layer& l, std::int64_t first, std::int64_t last) {
  Band b{l.whole, 0, first};
  DnnlWindow& w = b.window;
  const auto low = [&](int a, std::int64_t row) { return row * w.strides[a] - l.whole.begin[a]; };
  const auto high = [&](int a, std::int64_t row) {
    return low(a, row) + (w.kernel[a] - 1) * w.dilations[a] + 1;
  };
  for (int a = 0; a < 2; ++a) w.end[a] = std::max<std::int64_t>(0, high(a, w.out[a] - 1) - w.in[a]);
  const int a = l.cut;
  const std::int64_t start = std::clamp<std::int64_t>(low(a, first), 0, l.whole.in[a] - 1),
                     reach = high(a, last - 1),
                     end = std::clamp<std::int64_t>(reach, start + 1, l.whole.in[a]);
  b.x_row = start;
  w.in[a] = end - start;
  w.out[a] = last - first;
  w.begin[a] = start - low(a, first);
  w.end[a] = reach - end;
  return b;
}

bool same_form(const DnnlWindow& a, const DnnlWindow& b) {
  return std::ranges::equal(a.in, b.in) && std::ranges::equal(a.out, b.out) &&
         std::ranges::equal(a.begin, b.begin) && std::ranges::equal(a.end, b.end);
}

std::vector<Band> bands_of(const Layer& l, std::int64_t products) {
  const std::int64_t rows = l.whole.out[l.cut],
                     bands = std::clamp<std::int64_t>(products / l.window.batch / products_of_band,
                                                      1, std::min(most_bands, (rows + 1) / 2));
  std::vector<Band> all;
  for (std::int64_t i = 0; i < bands; ++i)
    all.push_back(band_of(l, rows * i / bands, rows * (i + 1) / bands));
  return all;
}

class DnnlConvolution : public DnnlUnits {
 public:
  explicit DnnlConvolution(const KernelProblem& p) : activation_(activation_of(p.view)) {
    const Layer l = *layer_of(p);
    const DnnlWindow& w = l.whole;
    const bool biased = p.view.has_input(2);
    const std::int64_t x_image = w.in[0] * w.in[1] * w.group * w.ic,
                       y_image = w.out[0] * w.out[1] * w.group * w.oc;
    std::vector<DnnlWindow> forms;
    std::vector<Unit> image;
    for (const Band& b : bands_of(l, find_op("Conv")->cost(p.view).macs)) {
      const auto known = std::ranges::find_if(
          forms, [&](const DnnlWindow& form) { return same_form(form, b.window); });
      if (known == forms.end()) calls_.push_back(DnnlCall::of(b.window, biased));
      const std::size_t call = static_cast<std::size_t>(known - forms.begin());
      if (known == forms.end()) forms.push_back(b.window);
      image.push_back({call, b.x_row * x_image / w.in[l.cut], 0, b.y_row * y_image / w.out[l.cut],
                       b.window.out[l.cut] * (y_image / w.out[l.cut])});
    }
    for (const auto& call : calls_)
      call->make_ready(p.constants[1]->as<float>().data(),
                       biased ? p.constants[2]->as<float>().data() : nullptr,
                       call == calls_[0] ? nullptr : calls_[0].get());
    for (std::int64_t n = 0; n < l.window.batch; ++n)
      for (Unit u : image) {
        u.x += n * x_image, u.y += n * y_image;
        units_.push_back(u);
      }
  }

 private:
  void finish(const Unit& u, float* y) const override { activate_all(activation_, y, u.count); }

  Activation activation_;
};

bool fits(const KernelProblem& p) {
  if (!sums_in_any_order(p.num) || !reals_alone(p.view)) return false;
  const std::int64_t products = find_op("Conv")->cost(p.view).macs;
  if (products < dnnl_least_products) return false;
  const auto l = layer_of(p);
  if (!l) return false;
  const auto bands = bands_of(*l, products);
  return std::ranges::all_of(bands, [&](const Band& b) {
    return std::ranges::any_of(
               bands.begin(), bands.begin() + (&b - bands.data()),
               [&](const Band& known) { return same_form(known.window, b.window); }) ||
           DnnlCall::of(b.window, p.view.has_input(2));
  });
}

}  // namespace

extern constinit const Kernel kernel_dnnl_convolution = {
    .name = "dnnl_convolution",
    .ops = ops,
    .isa = Isa::any,
    .speed = 20,
    .meaning = "float convolutions by oneDNN, in `float` alone: sums in another order, within N6",
    .order = Order::channels_last,
    .fits = fits,
    .prepare = [](const KernelProblem& p) -> std::unique_ptr<PreparedKernel> {
      return std::make_unique<DnnlConvolution>(p);
    },
    .library = dnnl_library,
    .loads = dnnl_loads,
};

}  // namespace lockstep
