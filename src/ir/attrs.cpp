#include "ir/attrs.h"

namespace lockstep {
namespace {

template <class T>
const T* get(const Attrs& attrs, std::string_view name) {
  const auto it = attrs.values.find(name);
  return it == attrs.values.end() ? nullptr : std::get_if<T>(&it->second);
}

}  // namespace

Attrs::Attrs() = default;
Attrs::Attrs(const Attrs&) = default;
Attrs::Attrs(Attrs&&) noexcept = default;
Attrs& Attrs::operator=(const Attrs&) = default;
Attrs& Attrs::operator=(Attrs&&) noexcept = default;
Attrs::~Attrs() = default;
bool Attrs::operator==(const Attrs&) const = default;

bool Attrs::has(std::string_view name) const {
  return values.find(name) != values.end();
}

void Attrs::set(std::string name, AttrValue value) {
  values[std::move(name)] = std::move(value);
}

std::int64_t Attrs::integer(std::string_view name, std::int64_t fallback) const {
  const auto* v = get<std::int64_t>(*this, name);
  return v ? *v : fallback;
}

double Attrs::real(std::string_view name, double fallback) const {
  const auto* v = get<double>(*this, name);
  return v ? *v : fallback;
}

std::string Attrs::text(std::string_view name, std::string_view fallback) const {
  const auto* v = get<std::string>(*this, name);
  return v ? *v : std::string(fallback);
}

std::vector<std::int64_t> Attrs::integers(std::string_view name,
                                          std::vector<std::int64_t> fallback) const {
  const auto* v = get<std::vector<std::int64_t>>(*this, name);
  return v ? *v : fallback;
}

std::vector<double> Attrs::reals(std::string_view name, std::vector<double> fallback) const {
  const auto* v = get<std::vector<double>>(*this, name);
  return v ? *v : fallback;
}

std::shared_ptr<const Tensor> Attrs::tensor(std::string_view name) const {
  const auto* v = get<std::shared_ptr<const Tensor>>(*this, name);
  return v ? *v : nullptr;
}

}  // namespace lockstep
