#pragma once

#include <optional>
#include <vector>

#include "diagnose/verdict.h"
#include "diff/local.h"
#include "fault/fault_claim.h"

namespace lockstep {

// One fault at one place. Several in a row are one explanation: each changes what those before it
// left.
struct Step {
  Site site;
  const FaultDef* fault = nullptr;
  Params params;
};

// Replays faults against one suspect tensor: from the device's own inputs where they were captured.
class Trial {
 public:
  // `row` is a row in state wrong.
  static Result<Trial> make(const LocalTest& test, const Recorded& recorded, const Row& row);

  const Row& row() const { return *row_; }
  // Places where a fault could have acted: nodes of the cone, nearest to the tensor first, those
  // that make weights for them from constants, then the network inputs it is made from.
  const std::vector<Site>& sites() const { return sites_; }
  // What is known at a site; nothing is observed where the node's output was not captured.
  // `before`: what the steps tried already leave there, by sample, in the place of the right
  // output.
  Evidence evidence(const Site& site, std::span<const Tensor> before = {}) const;
  // The steps replayed and counted in the given samples.
  Result<Explanation> test(std::span<const Step> steps, std::span<const std::size_t> samples) const;
  Result<Explanation> test(const Step& step, std::span<const std::size_t> samples) const {
    return test(std::span(&step, 1), samples);
  }
  // The suspect tensor as the steps make it.
  Result<Tensor> replay(std::size_t item, std::span<const Step> steps) const;
  const std::vector<std::size_t>& every() const { return every_; }
  const std::vector<std::size_t>& telling() const {
    return telling_;
  }  // the three that differ most
  std::size_t run_of(std::size_t item) const { return items_[item].sample; }
  bool single_node() const { return row_->segment.size() == 1; }
  // Whether a fault at the row's own node changes what was computed, and does not compute it anew.
  bool changes_output(std::size_t item, const Step& step) const;
  // Whether the device yields one and the same tensor in every sample.
  bool answers_alike() const;
  // Every code that was observed is an end of its range (zeros alone may be memory that holds
  // nothing).
  bool saturates() const;
  // Elements of the suspect tensor, in all samples judged.
  std::int64_t values() const;
  // Bits of a table from right values to the device's, where one holds for all elements; else
  // infinite.
  double table_bits() const;
  // The fault replayed in the given samples: the sum of distances to the device's tensor, in LSB
  // (reals: in shares of its magnitude), each at most 255; 0 when it is reproduced. Infinite where
  // it cannot be replayed.
  double misfit(const Step& step, std::span<const std::size_t> samples) const;
  // What one replay of one sample costs: all that is computed again from the site on
  // (fault/fault_work.h).
  double work(const Site& site, const FaultDef* fault = nullptr) const;
  // Equal enough to count as reproduced: codes exactly, floats to the last few bits.
  static bool same_number(const Tensor& a, const Tensor& b, std::int64_t i);

 private:
  struct Item {
    std::size_t sample = 0;
    const Tensor* device = nullptr;
    const Tensor* shown_before = nullptr;  // the device's tensor of the run before
    Tensor expected;                       // recomputed without a fault
    std::vector<Tensor> in, out;           // of a single node
    std::vector<const Tensor*> in_pointers;
    Sample inside;  // over several nodes: what the reference makes in the cone
    std::int64_t differing = 0;
    std::optional<Tensor>
        read;  // the real network input that the suspect quantizer's codes stand for
  };
  Result<void> fill(Item& item) const;
  // What the row's node makes, as faults see it: the row's own tensor where it has the form of the
  // node's first output, which is what they read and change; else that output.
  const Tensor& first_made(const Item& item) const;
  bool is_row(const Site& site) const { return single_node() && site.node == row_->segment[0]; }
  const Tensor* inside(std::size_t item, ValueId id) const;
  bool reads_first(ValueId input) const;
  void read_back(Item& item) const;
  void choose_telling();
  void find_sites();
  // What FaultDef::replay asks for at this site beside inputs and outputs.
  struct Past {
    const Tensor* previous = nullptr;
    const Tensor* shown = nullptr;
    const Tensor* first = nullptr;
    Find find, find_before, find_first;
  };
  Past past(std::size_t item, const Site& site) const;
  Find earlier(std::size_t item, const Site& site, std::size_t sample) const;
  Replay replay_of(std::size_t item, const Step& step, std::span<const Tensor* const> in,
                   std::span<Tensor> out) const;
  Result<Tensor> changed_input(std::size_t item, ValueId input, std::span<const Step> steps) const;
  Result<Tensor> replay_row(std::size_t item, std::span<const Step> steps) const;
  Result<Tensor> replay_cone(std::size_t item, std::span<const Step> steps) const;

  const LocalTest* test_ = nullptr;
  const Recorded* recorded_ = nullptr;
  const Row* row_ = nullptr;
  std::vector<Item> items_;
  std::vector<std::size_t> every_, telling_;
  std::vector<Site> sites_;
};

// "operand-rescale@/block2/add,k=0.5,operand=2"
std::string spec_text(const FaultDef& fault, const std::string& site, const Params& params);

}  // namespace lockstep
