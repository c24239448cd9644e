// Requests with handmade partitions, for tests of the tail study: the input is the truth.
#pragma once

#include <cmath>
#include <initializer_list>
#include <random>
#include <utility>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/tail/study.h"

namespace tailcap::tests {

using model::Label;

class TailCase {
 public:
  using Times = std::vector<std::pair<Label, std::int64_t>>;

  // A request to GET `path`; times are in ns, zeros are omitted.
  model::Request& add(std::string_view path, std::int64_t start, const Times& times,
                      std::vector<model::Culprit> culprits = {}, model::Evidence evidence = model::Evidence::measured) {
    model::Request& row = row_;
    row = {};
    row.id = {1 + next_ % 32, 2 + next_ / 32};
    ++next_;
    row.start = formats::time_from(1'000'000'000 + start);
    row.method = table.texts.intern("GET");
    row.path = row.route = table.texts.intern(path);
    row.comm = table.texts.intern("shop");
    row.pid = 10;
    row.tid = 11;
    row.status = 200;
    row.outcome = model::Outcome::ok;
    row.complete = row.has_duration = row.has_phases = true;
    row.request_bytes = 0;
    row.response_bytes = 300;
    std::vector<model::AccountPart> parts;
    std::int64_t total = 0;
    for (const auto& [label, ns] : times) {
      if (ns <= 0) continue;
      parts.push_back({model::Phase::work, label, evidence, static_cast<std::uint8_t>(255 * crowded), ns});
      total += ns;
    }
    row.duration = model::Duration{total};
    row.first_byte = row.duration;
    row.phases[4] = total;
    table.partitions.add(row.id, parts, culprits);
    end_ = std::max(end_, start + total);
    return row;
  }
  void keep() { table.rows.push_back(row_); }

  const model::Study& run() {
    table.partitions.sort();
    study.begin = formats::time_from(1'000'000'000);
    study.end = formats::time_from(1'000'000'000 + end_);
    tail::study_requests(table, study);
    return study;
  }

  model::RequestTable table;
  model::Study study;
  double crowded = 0;  // of all parts of the next request

 private:
  model::Request row_;
  std::uint32_t next_ = 0;
  std::int64_t end_ = 0;
};

// A typical service without faults: work and a call with log-normal times that drift together, short run-queue
// latencies, a few long ones. ns.
class Ordinary {
 public:
  // busy: the machine, the called services and the holders of needed locks are busy.
  explicit Ordinary(std::uint64_t seed, double correlation_seconds = 1, bool busy = false)
      : random_(seed), tau_(correlation_seconds), busy_(busy) {}
  std::mt19937_64& random() { return random_; }
  double normal() { return normal_(random_); }
  double uniform() { return std::uniform_real_distribution<>(0, 1)(random_); }
  double exponential(double mean) { return std::exponential_distribution<>(1 / mean)(random_); }

  TailCase::Times next(double seconds_since_last) {
    const double keep = std::exp(-seconds_since_last / tau_);
    drift_ = keep * drift_ + std::sqrt(1 - keep * keep) * normal();
    const double common = 0.15 * drift_;
    TailCase::Times out;
    out.emplace_back(Label::cpu_user, std::llround(3.5e6 * std::exp(common + 0.25 * normal())));
    out.emplace_back(Label::down_wait, std::llround(7e6 * std::exp(common + 0.35 * normal())));
    out.emplace_back(Label::sched_runq, std::llround(uniform() < 0.02 ? exponential(4e6) : exponential(0.15e6)));
    out.emplace_back(Label::cpu_kernel, 40'000);
    if (busy_)
      for (auto& [label, ns] : out)
        if ((label == Label::sched_runq || label == Label::down_wait) && uniform() < 0.06)
          ns += std::llround(exponential(5e6));
    if (busy_) out.emplace_back(Label::lock_futex, uniform() < 0.01 ? std::llround(exponential(5e6)) : 0);
    return out;
  }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<> normal_;
  double tau_, drift_ = 0;
  bool busy_ = false;
};

inline const model::TailStudy& tail_of(const model::Study& study, std::size_t route = 0) {
  return study.routes.at(route).tail.value();
}

inline const model::LabelDifference* difference_of(const model::TailStudy& tail, Label label) {
  for (const auto& d : tail.labels)
    if (d.label == label) return &d;
  return nullptr;
}

}  // namespace tailcap::tests
