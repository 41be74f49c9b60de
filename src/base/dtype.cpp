#include "base/dtype.h"

#include <array>
#include <utility>

namespace lockstep {
namespace {

constexpr std::array<std::pair<DType, std::string_view>, 12> names = {{
    {DType::f32, "float32"},
    {DType::f64, "float64"},
    {DType::f16, "float16"},
    {DType::i8, "int8"},
    {DType::u8, "uint8"},
    {DType::i16, "int16"},
    {DType::u16, "uint16"},
    {DType::i32, "int32"},
    {DType::u32, "uint32"},
    {DType::i64, "int64"},
    {DType::u64, "uint64"},
    {DType::boolean, "bool"},
}};

}  // namespace

std::string_view name_of(DType t) {
  for (auto [type, name] : names)
    if (type == t) return name;
  return "?";
}

std::optional<DType> dtype_named(std::string_view wanted) {
  for (auto [type, name] : names)
    if (name == wanted) return type;
  return std::nullopt;
}

}  // namespace lockstep
