// How near a replay comes to what the device had, and how it is said.
#include <algorithm>
#include <cmath>
#include <limits>

#include "diagnose/trial.h"
#include "fault/fault_claim.h"
#include "fault/fault_describe.h"

namespace lockstep {
namespace {

constexpr double second_bits = 12;  // that a second thing is wrong at the same time
constexpr double again_bits = 2;    // that another input has what the first one has

// How far one element is from the device's, in LSB; reals in shares of its magnitude. At most 255.
double distance(const Tensor& made, const Tensor& device, std::int64_t i, bool codes) {
  constexpr double most = 255;
  if (codes) return std::min(most, static_cast<double>(std::abs(made.code(i) - device.code(i))));
  if (Trial::same_number(made, device, i)) return 0;
  const double share =
      std::abs(made.number(i) - device.number(i)) / (std::abs(device.number(i)) + 1e-30);
  return std::isfinite(share) ? std::min(most, 64 * share) : most;
}

// How far float32 may be off at a network's input, where a map of its reals cancels.
double cancelled_at_input(const Tensor& device) {
  constexpr double share = 5e-7;  // of the greatest value: twice what a fit allows
  double greatest = 0;
  if (is_float(device.dtype()))
    for (std::int64_t i = 0; i < device.count(); ++i)
      if (std::isfinite(device.number(i)))
        greatest = std::max(greatest, std::abs(device.number(i)));
  return share * greatest;
}

void count(const Tensor& expected, const Tensor& replayed, const Tensor& device, double cancelled,
           Explanation& e) {
  const bool codes = !is_float(device.dtype()) && !is_float(replayed.dtype());
  for (std::int64_t i = 0; i < device.count(); ++i) {
    const bool right = Trial::same_number(expected, device, i),
               matches = Trial::same_number(replayed, device, i) ||
                         std::abs(replayed.number(i) - device.number(i)) < cancelled;
    ++e.values;
    e.differing += !right;
    e.reproduced += !right && matches;
    e.spoiled += right && !matches;
    if (!matches) e.misfit += distance(replayed, device, i, codes);
  }
}

}  // namespace

bool Trial::same_number(const Tensor& a, const Tensor& b, std::int64_t i) {
  if (!is_float(a.dtype()) && !is_float(b.dtype())) return a.code(i) == b.code(i);
  const double x = a.number(i), y = b.number(i);
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
  if (!std::isfinite(x) || !std::isfinite(y)) return x == y;
  return std::abs(x - y) <= 4e-6 * std::max(std::abs(x), std::abs(y));
}

std::string spec_text(const FaultDef& fault, const std::string& site, const Params& params) {
  std::string text = std::string(fault.name) + (site.empty() ? "" : "@" + site);
  for (const auto& [name, number] : params) text += "," + name + "=" + number_text(number);
  return text;
}

std::int64_t Trial::values() const {
  std::int64_t n = 0;
  for (const Item& item : items_) n += item.device->count();
  return n;
}

// Where the device's codes follow from the right ones by a table, as few right ones lead anywhere
// else.
double Trial::table_bits() const {
  constexpr double
      each = 16,
      only = 8;  // a code, and what it becomes; where all right ones are one code, that alone
  std::map<double, double> table;
  std::size_t changed = 0;
  for (const Item& item : items_)
    for (std::int64_t i = 0; i < item.device->count(); ++i) {
      const double right = item.expected.number(i), device = item.device->number(i);
      const auto [it, fresh] = table.emplace(right, device);
      if (!(it->second == device)) return std::numeric_limits<double>::infinity();
      if (fresh && right != device && ++changed > 256)
        return std::numeric_limits<double>::infinity();
    }
  // That it is a table is said as well, among all faults.
  return (table.size() == 1 ? only : each) * static_cast<double>(changed) +
         std::log2(static_cast<double>(fault_table().size()));
}

double Trial::misfit(const Step& step, std::span<const std::size_t> samples) const {
  const bool codes = !is_float(test_->reference().graph().value(row_->value).dtype);
  double sum = 0;
  for (const std::size_t s : samples) {
    const auto made = replay(s, std::span(&step, 1));
    if (!made.ok()) return std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < items_[s].device->count(); ++i)
      sum += distance(*made, *items_[s].device, i, codes);
  }
  return sum;
}

Result<Explanation> Trial::test(std::span<const Step> steps,
                                std::span<const std::size_t> samples) const {
  const Graph& g = test_->reference().graph();
  Explanation e;
  for (const Step& step : steps) {
    const std::string site =
        step.site.node == no_id ? g.value(step.site.input).name : g.node(step.site.node).name;
    const std::string more = &step == &steps.front() ? "" : "+";
    e.spec += more + spec_text(*step.fault, site, step.params);
    e.claim += (more.empty() ? "" : "; and ") + claim_text(step.site, *step.fault, step.params);
    if (more.empty())
      e.fault = step.fault, e.params = step.params, e.site = site;
    else
      e.also.push_back({step.fault, site, step.params});
    const bool again = !more.empty() && step.site.node == no_id && step.fault == e.fault &&
                       step.params == e.params;
    e.bits += again ? again_bits
                    : description_bits(step.site, *step.fault, step.params) +
                          (more.empty() ? 0 : second_bits);
    e.listed = e.listed || lists_places(step.params);
  }
  const QuantParams step_size = step_of(g, row_->value);
  Meter rest;
  for (const std::size_t i : samples) {
    LOCKSTEP_TRY(const Tensor made, replay(i, steps));
    const Tensor& device = *items_[i].device;
    const double cancelled = row_->node == no_id ? cancelled_at_input(device) : 0;
    count(items_[i].expected, made, device, cancelled, e);
    LOCKSTEP_CHECK(rest.add(made, step_size, *items_[i].device, step_size));
  }
  const Metrics m = rest.metrics();
  e.rest_lsb = m.has_lsb ? m.max_lsb : std::numeric_limits<double>::quiet_NaN();
  return e;
}

}  // namespace lockstep
