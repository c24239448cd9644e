// What users ask of a recorder while it records.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "capture/budget/budget.h"
#include "capture/budget/policy_share.h"
#include "capture/control/control.h"
#include "capture/output/destination.h"
#include "capture/record/reload.h"
#include "capture/record/session.h"

namespace tailcap::capture {

class Commands {
 public:
  Commands(Session& session, Probes& probes, const ProbeSettings& settings, Destination& destination,
           const budget::Budget* budget, budget::PolicyShare* policy, Reload reload, formats::Time start)
      : session_(session),
        probes_(probes),
        settings_(settings),
        destination_(destination),
        budget_(budget),
        policy_(policy),
        reload_(std::move(reload)),
        start_(start) {}

  // Executes at most a few, so that the ring is read, too.
  void obey(Control& control);
  void snapshot_by_signal();
  bool stop_asked() const { return stop_; }

 private:
  void obey(Control& control, const Control::Command& command);
  void note(Control& control, const std::string& argument);
  void share(Control& control, const std::string& argument);
  void reload(Control& control, const std::string& argument);
  void stacks(Control& control, const std::string& argument);
  void snapshot(Control& control, const std::string& argument);
  void snapshot(const Destination::Snapshot& wanted, std::function<void(bool error, std::string text)> done);
  std::string status() const;

  Session& session_;
  Probes& probes_;
  const ProbeSettings& settings_;
  Destination& destination_;
  const budget::Budget* budget_;  // null: none
  budget::PolicyShare* policy_;   // null: the share cannot be changed
  Reload reload_;
  const formats::Time start_;
  bool stop_ = false;
};

}  // namespace tailcap::capture
