// The files whose connections are read by keys, and their probes at reads and writes, which are there only while
// something needs them (capture/tls/file_ways). Used by the finder's thread alone, except where it is said.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "capture/probes/probes.h"
#include "capture/scan/target_files.h"
#include "capture/symbols/plan.h"
#include "capture/tls/file_ways.h"
#include "formats/time.h"

namespace tailcap::capture {

class TlsFiles {
 public:
  // probes and files must outlive this object. groups: the first number of a group of probes that is used here.
  TlsFiles(Probes& probes, scan::TargetFiles& files, std::uint32_t groups)
      : probes_(probes), target_files_(files), groups_(groups) {}
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

  // Takes the functions that move bytes from the plan of a file that keys read; the caller attaches the others, and
  // calls attached() then. Returns the functions taken.
  std::vector<PlannedFunction> take(std::vector<PlannedFunction>& functions);
  // number: of the file in its cookies.
  void attached(const scan::TargetFile& file, std::uint32_t number, const std::vector<PlannedFunction>& moving);
  void mapped(std::uint32_t pid, const scan::Identity& identity);
  void left(std::uint32_t number) { ways_.leave(number); }
  void left_all();  // all probes on calls were removed
  // Places and removes probes as it is necessary now.
  void follow();

  // From any thread: takes effect with follow().
  void older(std::set<std::uint32_t> processes);
  void unread(std::uint32_t pid);
  bool asked() const;
  // Processes that ran a Go program before its handshakes were seen, and since when they are.
  struct Late {
    std::uint32_t pid = 0;
    formats::Time since = formats::kNoTime;
  };
  std::vector<Late> take_late();
  // How the connections of a file are read from now on, and why.
  struct Statement {
    std::string file, way;
  };
  std::vector<Statement> take_statements();

 private:
  struct File {
    std::string shown;
    std::optional<scan::TargetFile> target;
    std::vector<FunctionProbe> places;
    bool before = false;  // they were attached before
    bool mapped = false, said = false;
    formats::Time since = formats::kNoTime;  // Go: its handshakes are seen, and were not before, of targets
    std::set<std::uint32_t> looked_at;       // processes, where that is so
  };
  void look_for_late(std::uint32_t pid, File& file);
  void say(File& file, std::string way);
  void change(const tls::FileWays::Change& change);

  Probes& probes_;
  scan::TargetFiles& target_files_;
  const std::uint32_t groups_;
  std::map<std::uint32_t, File> files_;                                       // by number
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> numbers_;  // by device and inode
  tls::FileWays ways_;
  bool late_ = false;  // the file taken last
  mutable std::mutex mutex_;
  std::optional<std::set<std::uint32_t>> older_;
  std::vector<std::uint32_t> unread_;
  std::vector<Statement> statements_;
  std::vector<Late> late_processes_;
};

}  // namespace tailcap::capture
