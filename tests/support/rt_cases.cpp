#include "support/rt_cases.h"

#include "support/rt_cases_parts.h"

namespace lockstep::test {
namespace {

// By the PC's kernel of that name.
template <const char* Name>
std::optional<KernelCase> of_kernel(CaseMaker& m) {
  return kernel_case(*find_kernel(Name), static_cast<std::uint64_t>(m.from(1, 1 << 30)));
}
constexpr char concat[] = "concat", moves[] = "moves", places[] = "places_avx2",
               pool[] = "pool_avx2", means[] = "means_avx2", transpose[] = "transpose",
               reals[] = "reals_rows", code_pairs[] = "codes_rows",
               dequantize[] = "dequantize_rows", products[] = "products_reals";

constexpr RtSource sources[] = {
    {"conv", [](CaseMaker& m) { return convolution_case(m, ConvolutionOf::bytes); }},
    {"conv16", [](CaseMaker& m) { return convolution_case(m, ConvolutionOf::words); }},
    {"conv_real", [](CaseMaker& m) { return convolution_case(m, ConvolutionOf::reals); }},
    {"dense", [](CaseMaker& m) { return product_case(m, false); }},
    {"dense16", [](CaseMaker& m) { return product_case(m, true); }},
    {"matmul", code_product_case},
    {"matmul_real", of_kernel<products>},
    {"softmax", softmax_case},
    {"greatest", greatest_case},
    {"concat", of_kernel<concat>},
    {"moves", of_kernel<moves>},
    {"places", of_kernel<places>},
    {"pool", of_kernel<pool>},
    {"means", of_kernel<means>},
    {"transpose", of_kernel<transpose>},
    {"reals", of_kernel<reals>},
    {"pairs", of_kernel<code_pairs>},
    {"dequantize", of_kernel<dequantize>},
};

}  // namespace

Shape small_shape(CaseMaker& m, std::int64_t rank) {
  Shape s;
  for (std::int64_t a = 0; a < rank; ++a) s.push_back(m.from(1, m.from(0, 6) == 0 ? 40 : 5));
  return s;
}

DType code_type(CaseMaker& m) {
  const auto kind = m.from(0, 3);
  return kind == 0 ? DType::i16 : kind == 1 ? DType::u8 : DType::i8;
}

QuantParams quant_of(CaseMaker& m, DType t) {
  return m.quant(t, 1, -1, t != DType::i16);
}

std::span<const RtSource> rt_sources() {
  static const std::vector<RtSource> all = [] {
    std::vector<RtSource> joined(std::begin(sources), std::end(sources));
    for (const auto part : {rt_values(), rt_pairs(), rt_windows(), rt_rows(), rt_places(),
                            rt_sequences(), rt_detections()})
      joined.insert(joined.end(), part.begin(), part.end());
    return joined;
  }();
  return all;
}

Result<Graph> side_by_side(std::span<const KernelCase> problems) {
  GraphBuilder g("problems", "onnx");
  for (std::size_t p = 0; p < problems.size(); ++p) {
    const Graph& one = problems[p].graph;
    const std::string prefix = "p" + std::to_string(p) + "_";
    std::vector<ValueId> ids;
    for (const Value& v : one.values()) {
      Value copy = v;
      copy.name = prefix + v.name;
      copy.producer = no_id;
      ids.push_back(g.add_value(std::move(copy)));
    }
    const auto moved = [&](ValueId v) {
      return v == no_id ? no_id : ids[static_cast<std::size_t>(v)];
    };
    for (const ValueId v : one.inputs()) g.add_input(moved(v));
    for (const Node& n : one.nodes()) {
      Node copy = n;
      copy.name = prefix + n.name;
      for (ValueId& v : copy.inputs) v = moved(v);
      for (ValueId& v : copy.outputs) v = moved(v);
      g.add_node(std::move(copy));
    }
    for (const ValueId v : one.outputs()) g.add_output(moved(v));
  }
  return std::move(g).finish();
}

}  // namespace lockstep::test
