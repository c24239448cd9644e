// JUnit's XML, which CI systems show.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analyze/model/gate/comparison.h"

namespace tailcap::report {

struct JunitCase {  // all printable()
  std::string group, name;
  model::gate::GateVerdict verdict = model::gate::GateVerdict::undecided;
  std::string sentence;
};

using JunitProperties = std::vector<std::pair<std::string, std::string>>;  // printable()

// undecided_fails: what is undecided is a failure, otherwise it is skipped.
std::string junit_text(const std::string& suite, const std::vector<JunitCase>& cases, bool undecided_fails,
                       const JunitProperties& properties);

}  // namespace tailcap::report
