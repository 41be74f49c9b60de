#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/tensor.h"

namespace lockstep {

using AttrValue =
    std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>,
                 std::vector<std::string>, std::shared_ptr<const Tensor>>;

// A node's attributes by name. The getters return the fallback when the attribute is absent or of
// another kind.
struct Attrs {
  std::map<std::string, AttrValue, std::less<>> values;

  // Not inline: every file that reads this header would instantiate them.
  Attrs();
  Attrs(const Attrs&);
  Attrs(Attrs&&) noexcept;
  Attrs& operator=(const Attrs&);
  Attrs& operator=(Attrs&&) noexcept;
  ~Attrs();

  bool has(std::string_view name) const;
  void set(std::string name, AttrValue value);
  std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  double real(std::string_view name, double fallback) const;
  std::string text(std::string_view name, std::string_view fallback) const;
  std::vector<std::int64_t> integers(std::string_view name,
                                     std::vector<std::int64_t> fallback = {}) const;
  std::vector<double> reals(std::string_view name, std::vector<double> fallback = {}) const;
  std::shared_ptr<const Tensor> tensor(std::string_view name) const;
  bool operator==(const Attrs&) const;
};

}  // namespace lockstep
