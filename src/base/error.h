#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace lockstep {

// Which exit code an error ends in: 2 for a bad request or file, 3 for a target out of reach.
enum class Blame : unsigned char { request, target };

// Bad input as a value: where it went wrong (file, node or byte), what was found, what would be
// right, and a hint when there is one. `line()` is the message of a pipe, `block()` of a terminal.
struct Error {
  std::string where;
  std::string what;
  std::string want;
  std::string hint;
  Blame blame = Blame::request;

  std::string line() const;
  std::string block() const;
};

// A value or the reason why there is none. `Result<void>` is a success without a value.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return assert(ok()), std::get<0>(state_); }
  const T& value() const& { return assert(ok()), std::get<0>(state_); }
  T&& value() && { return assert(ok()), std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const { return assert(!ok()), std::get<1>(state_); }
  Error& error() { return assert(!ok()), std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return assert(!ok()), *error_; }
  Error& error() { return assert(!ok()), *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace lockstep

#define LOCKSTEP_JOIN_(a, b) a##b
#define LOCKSTEP_JOIN(a, b) LOCKSTEP_JOIN_(a, b)

// LOCKSTEP_TRY(auto x, f()): declares x from the value of f(), or returns its error.
#define LOCKSTEP_TRY(declaration, expression) \
  LOCKSTEP_TRY_(LOCKSTEP_JOIN(lockstep_result_, __LINE__), declaration, expression)
#define LOCKSTEP_TRY_(result, declaration, expression) \
  auto result = (expression);                          \
  if (!result.ok()) return std::move(result.error());  \
  declaration = std::move(result).value()

// LOCKSTEP_CHECK(f()): returns the error of a Result<void>, goes on otherwise.
#define LOCKSTEP_CHECK(expression)                                  \
  do {                                                              \
    if (auto lockstep_status = (expression); !lockstep_status.ok()) \
      return std::move(lockstep_status.error());                    \
  } while (false)
