#include "npu/seeded_places.h"

namespace lockstep {
namespace {

using namespace seeded;

std::optional<int> sums_shift(NpuProgram& p, Random& r) {
  return add_to(p, r, "shift_o", 1, [](const NpuEpoch&, const NpuUnit& u) {
    return is_conv(u) && value(u, "shift_o") > 0 && value(u, "outbytes_o") == 2;
  });
}
std::optional<int> product_shift(NpuProgram& p, Random& r) {
  return add_to(p, r, "shift_o", -1, [](const NpuEpoch&, const NpuUnit& u) {
    return by_channel(u) && value(u, "shift_o") > 1;
  });
}
std::optional<int> common_scale(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return requantizes(u) && std::abs(value(u, "A_scalar")) > 1000;
  });
  if (!at) return std::nullopt;
  set(*at->unit, "A_scalar", value(*at->unit, "A_scalar") + value(*at->unit, "A_scalar") / 16);
  return at->epoch->number;
}
std::optional<int> final_shift(NpuProgram& p, Random& r) {
  return add_to(p, r, "shift_o", -1,
                [](const NpuEpoch&, const NpuUnit& u) { return requantizes(u); });
}
std::optional<int> operands_swapped(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return is_add(u) && std::abs(value(u, "A_scalar") - value(u, "B_scalar")) > 1000;
  });
  if (!at) return std::nullopt;
  const std::int64_t a = value(*at->unit, "A_scalar"), b = value(*at->unit, "B_scalar");
  set(*at->unit, "A_scalar", b), set(*at->unit, "B_scalar", a);
  return at->epoch->number;
}
std::optional<int> add_constant(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return is_add(u) && std::abs(value(u, "C_scalar")) > 1000;
  });
  if (!at) return std::nullopt;
  set(*at->unit, "C_scalar", 0);
  return at->epoch->number;
}
std::optional<int> operand_shift(NpuProgram& p, Random& r) {
  return add_to(p, r, "By_shift", 1, [](const NpuEpoch&, const NpuUnit& u) { return is_add(u); });
}
std::optional<int> zero_point(NpuProgram& p, Random& r) {
  const auto at = pick(
      p, r, [](const NpuEpoch&, const NpuUnit& u) { return is_conv(u) && value(u, "fsub") != 0; });
  if (!at) return std::nullopt;
  for (NpuUnit& u : at->epoch->units)
    if (is_conv(u)) set(u, "fsub", 0);
  return at->epoch->number;
}
std::optional<int> feature_sign(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return is_conv(u) && value(u, "f_unsigned") != 0;
  });
  if (!at) return std::nullopt;
  set(*at->unit, "f_unsigned", 0);
  return at->epoch->number;
}
std::optional<int> weights_offset(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, constants);
  if (!at) return std::nullopt;
  const std::int64_t by = r.between(1, 12) * 8;
  for (const char* field : {"offset_start", "offset_end"})
    set(*at->unit, field, value(*at->unit, field) + by);
  return at->epoch->number;
}
std::optional<int> other_multipliers(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) { return by_channel(u); });
  if (!at) return std::nullopt;
  const auto other = pick(p, r, [&](const NpuEpoch& e, const NpuUnit& u) {
    return by_channel(u) && e.number != at->epoch->number &&
           value(u, "fChannels") >= value(*at->unit, "fChannels");
  });
  if (!other) return std::nullopt;
  set(*at->unit, "A_vector", value(*other->unit, "A_vector"));
  return at->epoch->number;
}
std::optional<int> late_bias(NpuProgram& p, Random& r) {
  return add_to(p, r, "C_vector", 4, [](const NpuEpoch&, const NpuUnit& u) {
    return is_affine(u) && value(u, "scalar") == 0 && value(u, "C_vector") != 0 &&
           value(u, "fChannels") > 4;
  });
}
std::optional<int> average_window(NpuProgram& p, Random& r) {
  return add_to(p, r, "mulval", -2000, [](const NpuEpoch&, const NpuUnit& u) {
    return u.id.kind == NpuKind::pool && word(u, "operation") == "POOL_GAVG";
  });
}
std::optional<int> padding_side(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return is_conv(u) && value(u, "left_padding") != value(u, "right_padding");
  });
  if (!at) return std::nullopt;
  const std::int64_t left = value(*at->unit, "left_padding"),
                     right = value(*at->unit, "right_padding");
  set(*at->unit, "left_padding", right), set(*at->unit, "right_padding", left);
  return at->epoch->number;
}
std::optional<int> sums_dropped(NpuProgram& p, Random& r) {
  const auto at = pick(p, r, [](const NpuEpoch&, const NpuUnit& u) {
    return is_conv(u) && value(u, "accumulate_first") != 0;
  });
  if (!at) return std::nullopt;
  set(*at->unit, "accumulate", 0);
  return at->epoch->number;
}

constexpr NpuBugKind kinds[] = {
    {"sums shifted one bit too far", sums_shift},
    {"product shifted one bit too little", product_shift},
    {"common scale 6 % off", common_scale},
    {"final shift one bit off", final_shift},
    {"Add: coefficients swapped", operands_swapped},
    {"Add: constant lost", add_constant},
    {"Add: an operand halved", operand_shift},
    {"input zero point lost", zero_point},
    {"unsigned codes read as signed", feature_sign},
    {"weights read at a wrong offset", weights_offset},
    {"multipliers of another layer", other_multipliers},
    {"biases begin 4 bytes late", late_bias},
    {"output written 64 bytes off", output_moved},
    {"output lines overlap", output_lines},
    {"CPU reads without invalidation", no_invalidate},
    {"average over another window", average_window},
    {"padding on the other side", padding_side},
    {"partial sums dropped", sums_dropped},
    {"weights of another build", other_weights},
    {"a channel's multiplier lost", multiplier_lost},
    {"two tensors share a place", shared_place},
    {"CPU's result is not cleaned", no_clean},
};

}  // namespace

std::span<const NpuBugKind> npu_bug_kinds() {
  return kinds;
}

}  // namespace lockstep
