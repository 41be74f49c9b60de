// y = a * 2^b, or floor(a / 2^b), of unsigned integers; what leaves the type is lost
#include "op/op_binary.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"direction", "", "LEFT or RIGHT"}};
bool is_unsigned(DType t) {
  return t == DType::u8 || t == DType::u16 || t == DType::u32 || t == DType::u64;
}
constexpr Rule rules[] = {
    {"a and b are unsigned integers of one type",
     [](const NodeView& n) {
       return is_unsigned(n.input(0).dtype) && n.input(0).dtype == n.input(1).dtype;
     }},
    {"the direction is LEFT or RIGHT",
     [](const NodeView& n) {
       const std::string direction = n.attrs().text("direction", "");
       return direction == "LEFT" || direction == "RIGHT";
     }},
};
constexpr Foreign from[] = {{Format::onnx, "BitShift"}};

Result<void> eval(EvalContext& c) {
  const bool left = c.view.attrs().text("direction", "") == "LEFT";
  const auto bits = static_cast<std::int64_t>(8 * size_of(c.out[0].dtype()));
  each_pair(c.out[0].shape(), c.in[0]->shape(), c.in[1]->shape(),
            [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
              const auto a = static_cast<std::uint64_t>(c.in[0]->code(ia));
              const std::int64_t by = c.in[1]->code(ib);
              std::uint64_t y = a;
              for (std::int64_t k = 0; k < std::min(by < 0 ? bits : by, bits); ++k)
                y = left ? y * 2 : y / 2;
              c.out[0].set_code(i, static_cast<std::int64_t>(y));
            });
  return {};
}

}  // namespace

extern constinit const OpDef op_bit_shift = {
    .name = "BitShift",
    .meaning = "y = a * 2^b, or floor(a / 2^b), of unsigned integers",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = binary_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
