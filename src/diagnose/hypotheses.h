#pragma once

#include <optional>

#include "base/workers.h"
#include "diagnose/search.h"

namespace lockstep {

// A fault at a place with parameters, and what its replay yields.
struct Tested {
  std::vector<Step> steps;
  Explanation e;
  bool whole = false;  // in every sample; else in the one that tells most
};

// Bits of the cause and of the values that its replay leaves wrong, one by one.
double length(const Explanation& e);

bool fits_stage(const FaultDef& fault, const Site& site);

// Replays hypotheses about one trial on several threads, in batches whose size and order do not
// depend on them.
class Hypotheses {
 public:
  Hypotheses(const Trial& trial, const SearchOptions& options);

  // Plain parameters of every fault at every place. Over many operations the inputs come first:
  // they are few, and they are what a user can check; what sums term by term waits for `slow`, and
  // a part of the work is left for what follows.
  void plain();
  void slow();
  // Parameters found by replaying, by the faults that can: those of the inputs first, each for a
  // share of the work. At a single operation the first batch in which one reproduces all ends it;
  // over several, another place may do as well.
  void fitted();
  // Two faults, where the best of the single ones leave a remainder.
  void pairs();
  // One input fault at every network input alike.
  void at_every_input();
  // A fault whose output of an earlier run is what the device shows.
  void of_earlier_runs();
  // Steps in the sample that tells most, then, when they promise to leave nothing but rounding, in
  // all. Nothing where they cannot be replayed or reproduce nothing.
  std::optional<Tested> test(std::vector<Step> steps) const;
  // The best of those seen in one sample only, tested in all.
  void complete_best(std::size_t count);

  bool some_exact() const;  // and listing no places
  bool some_plain() const;  // and of so few parameters that fits would hardly find a shorter one
  std::vector<Tested>& found() { return found_; }
  int tried() const { return tried_; }
  double work() const { return work_; }
  bool cut_short() const { return cut_short_; }
  bool incomplete() const { return incomplete_; }  // a fit ended by its share of the work

 private:
  struct Task {
    std::size_t site;
    const FaultDef* fault;
  };
  struct Outcome {
    std::vector<Tested> found;
    int tried = 0;
    double work = 0;
    bool incomplete = false;
    std::vector<Task> left;  // fits that ended by their share of the work
  };
  std::vector<Task> tasks(bool inputs_first, bool only_fits) const;
  // Runs f(task, outcome) over the tasks; stops after a batch when this share of the work is used
  // up or `enough` says so.
  template <class F, class Enough>
  void run(const std::vector<Task>& tasks, std::size_t batch, double share, F&& f, Enough&& enough);
  void leave_out_huge(std::vector<Task>& all);
  void try_plain(const std::vector<Task>& tasks, double share);
  void merge(Outcome&& o);
  // What the fault proposes, charged: the replays that it makes, and what it reads.
  std::vector<Params> proposed(const Site& site, const FaultDef& fault, const Evidence& evidence,
                               Outcome& o) const;
  std::vector<Params> proposed(const Site& site, const FaultDef& fault, const Evidence& evidence);
  void try_sets(const Task& task, std::vector<Params> sets, Outcome& o) const;
  void fit_one(const Task& task, double share, Outcome& o) const;
  // Fits to these samples for so much work; whether they are reproduced.
  bool fit_to(const Task& task, std::span<const std::size_t> samples, double share,
              Outcome& o) const;
  // Every fit for a little work first, the other ones of a kind that it did not do for left out;
  // then those again.
  void fit_cones(const std::vector<Task>& all);
  std::vector<const Tested*> first_parts() const;
  bool builds_on_output(const Step& step) const;
  std::vector<Step> second_parts(const Tested& first);

  const Trial& trial_;
  const SearchOptions& options_;
  const std::vector<Site>& sites_;
  std::vector<Evidence> evidence_;  // by site
  Workers team_;
  std::vector<Tested> found_;
  int tried_ = 0;
  double work_ = 0;
  bool cut_short_ = false, incomplete_ = false;
  std::vector<Task> left_;
};

}  // namespace lockstep
