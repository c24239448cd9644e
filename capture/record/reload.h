// `tailcap control FILE reload NEW.toml`: another configuration, while it records. Targets come and go, notes are
// added, stacks are switched, and the share of connections is changed. If anything else differs, the recorder rejects
// the file and changes nothing.
#pragma once

#include <cstdint>
#include <string>

#include "capture/budget/policy_share.h"
#include "capture/options/options.h"
#include "capture/probes/finder.h"
#include "capture/record/session.h"
#include "capture/scan/processes.h"

namespace tailcap::capture {

class Reload {
 public:
  // finder: null: none. All must outlive this.
  Reload(const Options& options, Probes& probes, Session& session, Finder* finder, const scan::Processes& processes)
      : options_(options), probes_(probes), session_(session), finder_(finder), processes_(processes) {}

  // config: the content of the file. share: null: it cannot be changed. Returns what has changed, in a sentence. Throws
  // UsageError, or std::runtime_error where a target does not exist.
  std::string obey(const std::string& config, budget::PolicyShare* share);

 private:
  struct Change;
  Change change_to(const Options& asked);
  // Both return what is to be said of it.
  std::string add(Change& change);
  std::string take_away(const Change& change);
  void choose_again(std::uint32_t pid);

  Options options_;  // in effect
  Probes& probes_;
  Session& session_;
  Finder* finder_;
  const scan::Processes& processes_;
  std::uint32_t epoch_ = 1;  // of the options; each reload begins one
};

}  // namespace tailcap::capture
