#include "fault/fault_fine.h"

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {

std::vector<double> fine_results(const Site& site, const Evidence::Item& item) {
  constexpr double finer = 128;
  if (item.in.empty() || !item.in[0] || !is_coded(site.view().output(0)) ||
      size_of(site.view().output(0).dtype) != 1)
    return {};
  ChangedNode node(site, item.in);
  node.output().dtype = DType::i16;
  for (double& scale : node.output().quant.scale) scale /= finer;
  for (std::int32_t& zero : node.output().quant.zero) zero = 0;
  const auto made = node.eval();
  if (!made.ok()) return {};
  std::vector<double> out;
  for (std::int64_t i = 0; i < (*made)[0].count(); ++i)
    out.push_back(static_cast<double>((*made)[0].code(i)) / finer);
  return out;
}

}  // namespace lockstep
