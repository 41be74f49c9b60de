#include "run/session.h"

#include <algorithm>
#include <chrono>

#include "base/copy_bytes.h"
#include "op/op.h"
#include "run/session_plan.h"

namespace lockstep {

Result<void> Session::Plan::execute(SessionStep& s, const OnHook& on_hook) {
  Workers& team = s.alone ? one : workers;
  switch (s.kind) {
    case SessionStep::kernel:
      s.prepared->run({s.from.data(), s.to.data(), scratch, team, s.channels_last});
      return {};
    case SessionStep::table:
      team.each((s.count + 4095) / 4096, [&](std::int64_t first, std::int64_t end, int) {
        apply_table(s.codes, s.from[0], s.to[0], first * 4096,
                    std::min(s.count, end * 4096) - first * 4096, s.run);
      });
      return {};
    case SessionStep::move:
      move_channels_last(s.from[0], s.to[0], s.axes.batch, s.axes.channels, s.axes.positions,
                         s.width);
      return {};
    case SessionStep::eval:
      return evaluate(s, on_hook);
  }
  return {};
}

Result<void> Session::Plan::evaluate(SessionStep& s, const OnHook& on_hook) {
  for (std::size_t i = 0; i < s.in.size(); ++i)
    if (s.from[i])
      copy_bytes({s.from[i], s.in_tensors[i].bytes().size()}, s.in_tensors[i].bytes().data());
  const Node& node = g.node(s.node);
  const auto in = std::span<const Tensor* const>(s.in_pointers).first(node.inputs.size());
  if (!kernels.run(s.node, in, s.out_tensors)) {
    EvalContext context{{g, node}, num, in, s.out_tensors};
    LOCKSTEP_CHECK(find_op(node.op)->eval(context));
  }
  for (const SessionStep::Hook& hook : s.hooks)
    LOCKSTEP_CHECK(on_hook(hook.index, hook.in, s.out_tensors));
  for (std::size_t i = 0; i < s.out.size(); ++i)
    if (s.to[i]) copy_bytes(s.out_tensors[i].bytes(), s.to[i]);
  return {};
}

Session::Session(std::unique_ptr<Plan> plan) : plan_(std::move(plan)) {}
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::make(const Graph& graph, const Numerics& num,
                                               const NodeKernels& kernels, Options options) {
  auto plan = std::make_unique<Plan>(graph, num, kernels, std::move(options));
  LOCKSTEP_CHECK(plan->build());
  return std::unique_ptr<Session>(new Session(std::move(plan)));
}

std::span<const ValueId> Session::given() const {
  return plan_->given;
}

std::span<std::byte> Session::input(ValueId id) {
  ArenaBuffer& b = plan_->buffers[static_cast<std::size_t>(plan_->shaped[Plan::at(id)])];
  return {b.data, b.bytes};
}

Result<void> Session::run(const OnHook& on_hook) {
  plan_->read_source = no_id;
  for (SessionStep& s : plan_->steps) LOCKSTEP_CHECK(plan_->execute(s, on_hook));
  return {};
}

Result<void> Session::read(ValueId id, std::span<std::byte> to) {
  return plan_->read(id, to);
}

std::span<const std::byte> Session::value(ValueId id) const {
  if (const Tensor* const constant = plan_->constant(id)) return constant->bytes();
  const ArenaBuffer& b = plan_->buffers[static_cast<std::size_t>(plan_->shaped[Plan::at(id)])];
  return {b.data, b.bytes};
}

std::size_t Session::arena_bytes() const {
  return plan_->arena_bytes;
}
std::span<const NodeId> Session::evaluated() const {
  return plan_->evaluated;
}

std::vector<Session::StepTime> Session::profile() {
  std::vector<StepTime> times;
  for (SessionStep& s : plan_->steps) {
    const auto start = std::chrono::steady_clock::now();
    (void)plan_->execute(s, {});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const std::string node =
        s.node == no_id ? ""
                        : " " + plan_->g.node(s.node).op + " '" + plan_->g.node(s.node).name + "'";
    times.push_back({std::string(s.name) + node, s.node, took.count()});
  }
  return times;
}

}  // namespace lockstep
