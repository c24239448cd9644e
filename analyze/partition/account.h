// What a request's pieces come to: time by phase, label and evidence, and by blocker.
#pragma once

#include <boost/container/flat_map.hpp>
#include <tuple>
#include <vector>

#include "analyze/model/partition.h"
#include "analyze/partition/drafted.h"

namespace tailcap::partition {

class Account {
 public:
  // Its memory is used again.
  void take(const Drafted& drafted, const Observed& observed);
  const std::vector<model::AccountPart>& parts() const { return parts_; }
  // For each label, the blockers with the most time, most first.
  const std::vector<model::Culprit>& culprits() const { return culprits_; }

 private:
  struct Sum {
    Nanos time = 0, crowded = 0;
  };
  void add(model::Phase phase, model::Label label, model::Evidence evidence, Nanos time, Nanos crowded);
  void summed(model::Phase phase, Nanos from, Nanos to, const Draft& draft, const Observed& observed);
  void cut(const Drafted& drafted, const Observed& observed);
  void blame(const Drafted& drafted);
  void blame_loop(const Drafted& drafted);

  boost::container::flat_map<std::tuple<model::Phase, model::Label, model::Evidence>, Sum> sums_;
  boost::container::flat_map<std::pair<model::Label, std::uint32_t>, Nanos> behind_;
  std::vector<model::AccountPart> parts_;
  std::vector<model::Culprit> culprits_;
};

}  // namespace tailcap::partition
