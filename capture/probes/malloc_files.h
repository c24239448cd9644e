// Probes at malloc and its kind, in each target alone: a library of C is mapped by nearly every process of a machine,
// and only those that are recorded pay for its probes. Used by the finder's thread alone.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "capture/host/descriptor.h"
#include "capture/probes/probes.h"
#include "capture/scan/target_files.h"
#include "capture/symbols/plan.h"

namespace tailcap::capture {

class MallocFiles {
 public:
  // At a time. The kernel goes through all processes that map a library for each place in each of these.
  static constexpr std::size_t kMostProcesses = 64;

  // probes and files must outlive this object. groups: the first of kMostProcesses numbers of groups of probes.
  MallocFiles(Probes& probes, scan::TargetFiles& files, std::uint32_t groups);
  MallocFiles(const MallocFiles&) = delete;
  MallocFiles& operator=(const MallocFiles&) = delete;

  // Keeps the plan of a file.
  void take(const scan::TargetFile& file, std::vector<PlannedFunction> functions);
  // A process maps a file. Returns the file's functions where there is something to be said of them that was not said
  // before: that they are probed, or, as their reasons, why not.
  std::vector<PlannedFunction> mapped(std::uint32_t pid, const scan::Identity& file);
  // Removes the probes of processes that have ended: their group is used again.
  void forget_ended();

 private:
  using FileNumber = std::pair<std::uint64_t, std::uint64_t>;  // device and inode
  struct File {
    scan::TargetFile target;
    std::vector<PlannedFunction> functions;
    std::vector<FunctionProbe> places;
    std::set<std::string> said;  // reasons; "": they are probed
  };
  struct Process {
    Descriptor descriptor;  // readable when it has ended
    std::uint32_t group = 0;
    std::set<FileNumber> files;
  };
  Process* process(std::uint32_t pid);  // null: there are too many, or it has ended
  std::string attach(std::uint32_t pid, const FileNumber& number, const File& file);

  Probes& probes_;
  scan::TargetFiles& target_files_;
  std::set<std::uint32_t> free_groups_;
  std::map<FileNumber, File> files_;
  std::map<std::uint32_t, Process> processes_;
};

}  // namespace tailcap::capture
