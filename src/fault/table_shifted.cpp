// y' = f(x + by) in codes: a function's table of 256 codes is read some entries off.
#include <algorithm>
#include <array>
#include <cmath>

#include "fault/fault_elements.h"
#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"by", "entries by which the table is read too late (negative: too early)", 1},
    {"wraps",
     "0: the last entry stands for those beyond the table; 1: the other end does; 2: the function "
     "goes on there, as with another zero point",
     0, Takes::up_to(2)},
};
constexpr std::array<std::string_view, 12> kTables = {
    "Sigmoid", "Tanh", "LeakyRelu", "HardSwish", "HardSigmoid", "Elu",
    "Exp",     "Log",  "Rsqrt",     "Sqrt",      "Gelu",        "Mish"};

// The codes that the function reads, or that its real operand was dequantized from.
std::optional<CodeScale> codes_read(const NodeView& n) {
  const auto codes = operand_scale(n, 0);
  return codes && codes->high - codes->low == 255 ? codes : std::nullopt;
}

bool applies(const Site& site) {
  return site.node != no_id && std::ranges::find(kTables, site.view().node.op) != kTables.end() &&
         codes_read(site.view());
}

Result<void> replay(Replay& r) {
  const auto by = static_cast<std::int64_t>(param(params, r.params, "by"));
  const double beyond = param(params, r.params, "wraps");
  const bool wraps = beyond == 1;
  const auto codes = codes_read(r.site.view());
  if (!codes)
    return Error{r.site.view().where(), "reads no codes", "a function of codes of 8 bits", ""};
  ChangedNode node(r);
  if (beyond == 2) {
    if (is_float(node.input(0).dtype))
      return Error{r.site.view().where(), "reads reals", "codes, for wraps=2", ""};
    for (std::int32_t& z : node.input(0).quant.zero) z -= static_cast<std::int32_t>(by);
    return node.eval_into(r);
  }
  Tensor& x = node.changed(0);
  const auto moved = [&](std::int64_t code) {
    return wraps ? ((code + by - codes->low) % 256 + 256) % 256 + codes->low
                 : std::clamp(code + by, codes->low, codes->high);
  };
  const auto scale = static_cast<float>(codes->scale);
  for (std::int64_t i = 0; i < x.count(); ++i)
    if (is_float(x.dtype()))
      x.set_number(
          i, static_cast<double>(
                 static_cast<float>(
                     moved(std::llround(x.number(i) / static_cast<double>(scale)) + codes->zero) -
                     codes->zero) *
                 scale));
    else
      x.set_code(i, moved(x.code(i)));
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  if (is_float(site.view().input(0).dtype))
    sets.push_back({{"by", 128}, {"wraps", 1}});  // of codes: table-off-by-128
  for (int by = 1; by <= 16; ++by)
    for (const int sign : {1, -1})
      for (const double wraps : {0.0, 1.0, 2.0})
        if (wraps < 2 || !is_float(site.view().input(0).dtype))
          sets.push_back({{"by", sign * by}, {"wraps", wraps}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

std::vector<Params> fit(const Site&, const Evidence&, const Misfit& misfit) {
  std::vector<Params> sets;
  for (const double wraps : {0.0, 1.0})
    if (const auto by = least_step(
            [&](double b) {
              return misfit({{"by", b}, {"wraps", wraps}});
            },
            32))
      sets.push_back({{"by", *by}, {"wraps", wraps}});
  return sets;
}

}  // namespace

extern constinit const FaultDef fault_table_shifted = {
    .name = "table-shifted",
    .claim =
        "the function's table is read {by#entry} too {by?<0:early|:late}{wraps?0:|1:, around "
        "its end|2:, as with another zero point of what it reads}",
    .advice =
        "compare the table's first entry with the function at the least code: an index that starts "
        "at 1, or a header before the table\n"
        "run this operation on the CPU, and compare",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
