// Debug files in folders, by the build-ids of the files that they are about. Another process opens and reads them
// (capture/scan): they may come from anywhere.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "capture/scan/processes.h"
#include "capture/scan/target_files.h"
#include "capture/stacks/frame_texts.h"
#include "capture/symbols/code_names.h"
#include "capture/symbols/source/source_lines.h"

namespace tailcap::capture::symbolize {

// A file that stacks have code of.
struct DebuggedFile {
  std::string build_id, name;
  std::optional<symbols::CodeNames> names;  // none: no folder has a file with this build-id, or see `problem`
  symbols::SourceLines lines;
  std::string problem;       // what is missing although one was found
  std::uint64_t frames = 0;  // that asked for it
};

class DebugFiles {
 public:
  // folders: laid out like /usr/lib/debug (.build-id/ab/cdef.debug), like debuginfod's cache (BUILDID/debuginfo), or
  // with files by their names. processes must outlive this object.
  DebugFiles(const scan::Processes& processes, std::vector<std::string> folders)
      : files_(processes), folders_(std::move(folders)) {}

  // Reads it where it is asked for the first time.
  DebuggedFile& of(const stacks::CodeAddress& place);
  const std::map<std::string, DebuggedFile>& all() const { return known_; }

 private:
  void read(DebuggedFile& file);
  void read(DebuggedFile& file, const std::string& path);

  scan::TargetFiles files_;
  const std::vector<std::string> folders_;
  std::map<std::string, DebuggedFile> known_;  // by build-id
  std::uint64_t memory_ = 0;
};

}  // namespace tailcap::capture::symbolize
