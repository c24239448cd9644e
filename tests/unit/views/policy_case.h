// A table of requests that a policy is replayed over.
#pragma once

#include <gtest/gtest.h>

#include "analyze/query/policy_file.h"
#include "analyze/views/policy/replay.h"
#include "tests/unit/tail/sample_study.h"

namespace tailcap::tests {

class PolicyCase : public ::testing::Test {
 protected:
  model::Request made(double start, double milliseconds, std::uint16_t status = 200, const char* path = "/pay") {
    model::Request r = sample_request(table_.texts, ++connection_, start, milliseconds, path);
    r.route = r.path;
    r.status = status;
    r.outcome = status >= 500 ? model::Outcome::server_error : model::Outcome::ok;
    return r;
  }
  void served(double start, double milliseconds, std::uint16_t status = 200, const char* path = "/pay") {
    table_.rows.push_back(made(start, milliseconds, status, path));
  }
  // One every 10 ms; as many milliseconds as `of` says for the second in which it begins.
  template <class Of>
  void load(int seconds, Of of) {
    for (int i = 0; i < 100 * seconds; ++i) served(i * 0.01, of(i / 100));
  }
  model::policy::PolicyOutcome replayed(const char* yaml, double seconds, double weight = 1) {
    return policy::replay(query::policy_of(yaml), table_, at(0), at(seconds), 1000, nullptr, weight);
  }
  model::RequestTable table_;
  std::uint32_t connection_ = 0;
};

}  // namespace tailcap::tests
