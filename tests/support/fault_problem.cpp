#include "support/fault_problem.h"

#include <algorithm>
#include <cstring>

#include "op/op.h"

namespace lockstep::test {

FaultProblem::FaultProblem(std::string format) : builder("problem." + format, format) {}

ValueId FaultProblem::input(std::string name, DType dtype, Shape shape, QuantParams quant) {
  Value v;
  v.name = std::move(name);
  v.dtype = dtype;
  v.shape = std::move(shape);
  v.quant = std::move(quant);
  last_ = builder.add_value(std::move(v));
  builder.add_input(last_);
  return last_;
}

ValueId FaultProblem::constant(std::string name, Tensor tensor, QuantParams quant) {
  Value v;
  v.name = std::move(name);
  v.dtype = tensor.dtype();
  v.shape = tensor.shape();
  v.quant = std::move(quant);
  v.constant = std::make_shared<const Tensor>(std::move(tensor));
  return builder.add_value(std::move(v));
}

ValueId FaultProblem::node(std::string name, std::string op, std::vector<ValueId> inputs,
                           Attrs attrs, QuantParams quant, DType dtype) {
  Value y;
  y.name = name + ":0";
  y.quant = std::move(quant);
  y.dtype = dtype;
  last_ = builder.add_value(std::move(y));
  Node n;
  n.name = std::move(name);
  n.op = std::move(op);
  n.attrs = std::move(attrs);
  n.inputs = std::move(inputs);
  n.outputs = {last_};
  const NodeId id = builder.add_node(std::move(n));
  const OpDef* def = find_op(builder.so_far().node(id).op);
  if (!def) {
    ADD_FAILURE() << "no operator " << builder.so_far().node(id).op;
    return last_;
  }
  auto facts = def->infer({builder.so_far(), builder.so_far().node(id)});
  if (!facts.ok()) {
    ADD_FAILURE() << facts.error().line();
    return last_;
  }
  Value& made = builder.value(last_);
  made.shape = (*facts)[0].shape;
  if (!made.quant.quantized()) {
    made.dtype = (*facts)[0].dtype;
    made.quant = (*facts)[0].quant;
  }
  return last_;
}

Executor FaultProblem::finish() {
  builder.add_output(last_);
  auto graph = std::move(builder).finish();
  if (!graph.ok()) ADD_FAILURE() << graph.error().line();
  auto executor = Executor::make(graph.value(), plain_arithmetic());
  if (!executor.ok()) ADD_FAILURE() << executor.error().line();
  return std::move(executor).value();
}

QuantParams per_tensor(double scale, std::int32_t zero) {
  return {{scale}, {zero}, -1};
}

Tensor random_tensor(DType dtype, Shape shape, std::uint64_t seed, std::int64_t low,
                     std::int64_t high) {
  Tensor t(dtype, std::move(shape));
  Random random(seed);
  const CodeRange range =
      low == high ? code_range(dtype == DType::i32 ? DType::i16 : dtype) : CodeRange{low, high};
  for (std::int64_t i = 0; i < t.count(); ++i)
    if (is_float(dtype))
      t.set_number(i, static_cast<float>(8 * random.unit() - 4));
    else
      t.set_code(i, random.between(range.low, range.high));
  return t;
}

std::vector<Sample> random_samples(const Executor& executor, std::size_t runs, std::uint64_t seed) {
  std::vector<Sample> samples(runs);
  for (Sample& sample : samples)
    for (const ValueId id : executor.graph().inputs()) {
      const Value& v = executor.graph().value(id);
      sample[v.name] = random_tensor(v.dtype, v.shape, seed++);
    }
  return samples;
}

Capture device(const Executor& executor, std::string_view faults,
               const std::vector<Sample>& inputs) {
  auto specs = parse_faults(faults);
  if (!specs.ok()) {
    ADD_FAILURE() << specs.error().line();
    return {};
  }
  auto options = inject(executor, *specs);
  if (!options.ok()) {
    ADD_FAILURE() << options.error().line();
    return {};
  }
  options->state = StateMode::keep;
  auto capture = executor.run(inputs, {}, *options);
  if (!capture.ok()) {
    ADD_FAILURE() << capture.error().line();
    return {};
  }
  return std::move(capture).value();
}

Capture reference(const Executor& executor, const std::vector<Sample>& inputs) {
  RunOptions options;
  options.state = StateMode::keep;
  auto capture = executor.run(inputs, {}, options);
  if (!capture.ok()) {
    ADD_FAILURE() << capture.error().line();
    return {};
  }
  return std::move(capture).value();
}

Gathered gather_evidence(const Site& site, Capture capture, const std::vector<Sample>& inputs) {
  Gathered g;
  g.captured = std::make_shared<const Capture>(std::move(capture));
  const Capture& captured = *g.captured;
  const Graph& graph = site.graph();
  const std::size_t runs = captured.samples.size();
  g.expected.resize(runs);
  g.all_outputs.resize(runs);
  for (std::size_t s = 0; s < runs; ++s) {
    Evidence::Item item;
    const Sample& sample = captured.samples[s];
    if (site.node == no_id) {
      const std::string& name = graph.value(site.input).name;
      g.expected[s] = inputs[s].at(name);
      item.in = {&g.expected[s]};
      item.observed = &sample.at(name);
      item.find = [sent = inputs[s], &graph](ValueId id) -> const Tensor* {
        const auto at = sent.find(graph.value(id).name);
        return at == sent.end() ? nullptr : &at->second;
      };
    } else {
      const Node& node = graph.node(site.node);
      for (const ValueId id : node.inputs) {
        const auto at = id == no_id ? sample.end() : sample.find(graph.value(id).name);
        item.in.push_back(at == sample.end()
                              ? (id == no_id ? nullptr : graph.value(id).constant.get())
                              : &at->second);
      }
      auto made = site.reference.run_node(site.node, item.in);
      if (!made.ok()) {
        ADD_FAILURE() << made.error().line();
        return g;
      }
      g.all_outputs[s] = std::move(made).value();
      g.expected[s] = g.all_outputs[s][0];
      item.observed = &sample.at(graph.value(node.outputs[0]).name);
      item.find = [&sample, &graph](ValueId id) -> const Tensor* {
        const auto at = sample.find(graph.value(id).name);
        return at == sample.end() ? nullptr : &at->second;
      };
    }
    const auto of_run = [&captured, &graph](std::size_t run) -> Find {
      return [&sample = captured.samples[run], &graph](ValueId id) -> const Tensor* {
        const auto at = sample.find(graph.value(id).name);
        return at == sample.end() ? nullptr : &at->second;
      };
    };
    if (s > 0) item.find_before = of_run(s - 1), item.find_first = of_run(0);
    item.expected = &g.expected[s];
    item.run = static_cast<std::int64_t>(s);
    if (s > 0) {
      item.previous = &g.expected[s - 1];
      item.previous_shown = g.evidence.items[s - 1].observed;
      item.first = &g.expected[0];
    }
    g.evidence.items.push_back(std::move(item));
  }
  return g;
}

namespace {

bool same(const Tensor& a, const Tensor& b, std::int64_t i) {
  const std::size_t width = size_of(a.dtype()), at = static_cast<std::size_t>(i) * width;
  return std::memcmp(a.bytes().data() + at, b.bytes().data() + at, width) == 0;
}

std::int64_t differing(const Tensor& a, const Tensor& b) {
  std::int64_t n = 0;
  for (std::int64_t i = 0; i < a.count(); ++i) n += !same(a, b, i);
  return n;
}

}  // namespace

Counts explain(const FaultDef& fault, const Site& site, const Params& params,
               const Gathered& gathered) {
  Counts counts;
  for (std::size_t s = 0; s < gathered.evidence.items.size(); ++s) {
    const Evidence::Item& item = gathered.evidence.items[s];
    std::vector<Tensor> out =
        site.node == no_id ? std::vector<Tensor>{*item.expected} : gathered.all_outputs[s];
    Replay r{site,           params,
             item.in,        out,
             item.previous,  item.previous_shown,
             item.first,     item.find,
             item.run,       item.find_before,
             item.find_first};
    const auto status = fault.replay(r);
    EXPECT_TRUE(status.ok()) << fault.name << ": " << (status.ok() ? "" : status.error().line());
    counts.differing += differing(*item.observed, *item.expected);
    counts.left += differing(*item.observed, out[0]);
  }
  return counts;
}

Best best_explanation(const FaultDef& fault, const Site& site, const Gathered& gathered) {
  Best best;
  for (const Evidence::Item& item : gathered.evidence.items)
    best.counts.differing += differing(*item.observed, *item.expected);
  best.counts.left = best.counts.differing;
  for (const Params& params : fault.candidates(site, gathered.evidence)) {
    const Counts counts = explain(fault, site, params, gathered);
    if (best.found && counts.left >= best.counts.left) continue;
    best = {params, counts, true};
  }
  return best;
}

Site site_at(const Executor& executor, std::string_view name) {
  const Graph& g = executor.graph();
  const ValueId id = g.find_value(name);
  if (std::ranges::find(g.inputs(), id) != g.inputs().end()) return {executor, no_id, id};
  return {executor, g.find_node(name), no_id};
}

}  // namespace lockstep::test
