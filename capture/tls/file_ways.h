// Which files need probes at reads and writes beside the keys of their connections, and until when. Pure: the input is
// what is known of processes, the output decisions.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tailcap::capture::tls {

class FileWays {
 public:
  // late: there were targets before it was known, so sessions that are older in it cannot be recognised.
  void add(std::uint32_t file, bool late) { files_[file].late = late; }
  void mapped(std::uint32_t pid, std::uint32_t file);
  // Any connection of this process may be older, until older() has named the process.
  void unlisted(std::uint32_t pid);
  // The processes with connections that are older than the recording. Until the first call, all may have them.
  void older(std::set<std::uint32_t> processes);
  // Keys do not read connections of this process.
  void unread(std::uint32_t pid);
  // The probes at handshakes are gone: nothing tells any more which session belongs to keys.
  void leave(std::uint32_t file) { files_[file].left = true; }

  struct Change {
    std::uint32_t file = 0;
    bool attach = false;
    std::string why;
  };
  // Since the last call. They are assumed to be carried out.
  std::vector<Change> changes();

 private:
  struct File {
    std::set<std::uint32_t> pids;
    bool late = false, left = false, unread = false, attached = false;
  };
  bool has_older(const File& file) const;

  std::map<std::uint32_t, File> files_;
  std::set<std::uint32_t> older_, unread_, unlisted_;
  bool listed_ = false;
};

}  // namespace tailcap::capture::tls
