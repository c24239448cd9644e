// `tailcap control FILE reload NEW.toml`: another configuration, while it records. Targets and notes can be added.
// If anything else differs, the recorder rejects the file and changes nothing.
#pragma once

#include <cstdint>
#include <string>

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

  // config: the content of the file. Returns what has changed, in a sentence. Throws UsageError, or std::runtime_error
  // where a target does not exist.
  std::string obey(const std::string& config);

 private:
  Options options_;  // in effect
  Probes& probes_;
  Session& session_;
  Finder* finder_;
  const scan::Processes& processes_;
  std::uint32_t epoch_ = 1;  // of the options; each reload begins one
};

}  // namespace tailcap::capture
