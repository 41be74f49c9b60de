// What a rewrite takes, by the latency model of the device that rewrites are usually for.
#include <algorithm>

#include <fmt/format.h>

#include "device/device.h"
#include "diagnose/rewrite_node.h"
#include "op/op.h"

namespace lockstep {
namespace {

constexpr std::string_view usual_device = "stm32n6";

double milliseconds(const NodeView& n, DevicePlace place) {
  const DeviceDef* device = find_device(usual_device);
  return device && device->cost ? device->cost(n, place).microseconds / 1000 : 0;
}

}  // namespace

RewriteCost RewriteNode::cost(const Form& form) const {
  const NodeView n = view();
  const OpDef* op = find_op(n.node.op);
  RewriteCost c;
  c.macs = op && op->cost ? op->cost(n).macs : 0;
  c.results = count_of(n.output(0).shape) * static_cast<std::int64_t>(size_of(n.output(0).dtype));
  c.own = milliseconds(n, DevicePlace::accelerator);
  c.on_cpu = milliseconds(n, DevicePlace::cpu_integer);
  const int results_more = form.groups > 1                  ? form.groups - 1
                           : form.own_clamp || form.own_pad ? 1
                           : form.output_grid               ? static_cast<int>(n.input_count())
                                                            : 0;
  c.operations = form.groups > 1 ? 2 * results_more : results_more;
  c.bytes = results_more * c.results;
  // An operation of the accelerator that only moves the result's bytes: the least that one takes.
  const double each = c.macs > 0 ? std::min(c.own, milliseconds(n, DevicePlace::transfers)) : c.own;
  c.more = static_cast<double>(c.operations) * each;
  return c;
}

void RewriteCost::add(const RewriteCost& other) {
  operations += other.operations;
  macs += other.macs;
  results += other.results;
  bytes += other.bytes;
  own += other.own;
  on_cpu += other.on_cpu;
  more += other.more;
}

std::string RewriteCost::text(const Form& form) const {
  if (!form.struck) {
    const std::string moved = macs > 0 ? fmt::format("{} MACs move", macs)
                                       : fmt::format("{} bytes of results move", results);
    return fmt::format("{}; {:.3f} ms for {:.3f} ms on {}", moved, on_cpu, own, usual_device);
  }
  if (operations == 0) return "no more MACs or bytes";
  return fmt::format("{} more operation{}, {} bytes of activations; about {:.3f} ms more on {}",
                     operations, operations > 1 ? "s" : "", bytes, more, usual_device);
}

}  // namespace lockstep
