// What /proc shows of a process only while its memory can be read: its arguments, its executable, its mappings.
//
// A process can keep the lock of its own memory for ever (a page of a file that never answers), and all that read these
// files then wait with it. So only an opener reads them (capture/scan/opener): it is asked with a deadline, and
// abandoned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/scan/mapped_file.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::scan {

struct ProcessQuestion {
  std::uint32_t pid = 0;
  bool arguments = false;
  std::uint32_t maps = 0;  // lines at most
};

struct ProcessText {
  std::int64_t read_at = 0;  // the coarse realtime before maps were read, ns
  std::string executable;    // empty: it has ended, or it is a thread of the kernel
  std::string arguments;     // at most 4096 bytes; a NUL is between two
  // Lines of /proc/PID/maps: executable mappings, and those of the executable's first byte.
  std::vector<std::string> maps;

  std::string command_line() const;  // with blanks between the arguments
};

// One line of maps.
struct MapsLine {
  std::uint64_t start = 0, end = 0, file_offset = 0;
  bool executable = false;
  MappedFile file;  // inode 0: none; then path is empty, or in brackets
};
// read_at: as in ProcessText.
std::optional<MapsLine> parse_maps_line(std::uint32_t pid, const std::string& line, std::int64_t read_at = 0);

struct MappingFacts {
  std::uint64_t start = 0, end = 0, file_offset = 0;
  MappedFile file;
};

// The limit for one process; further mappings are left out. Programs have tens to hundreds.
inline constexpr std::uint32_t kMaxMappings = 8192;
// The limit for a process whose stacks are read: the kernel's own (vm.max_map_count).
inline constexpr std::uint32_t kAllMappings = 65536;
// Executable file mappings, without build-ids (capture/record/build_ids).
std::vector<MappingFacts> executable_mappings(std::uint32_t pid, const ProcessText& text);

inline constexpr std::size_t kMaxProcessText = 20u << 20;  // bytes of an encoded answer

std::string encode(const ProcessQuestion& question);  // without the errand (opener.h)
// In the opener: reads /proc, which may take for ever, and encodes the answer.
std::string answer(Decoder& in);
// In the opener, for Errand::locks. Empty: done.
std::string take_locks(std::uint64_t inode);
std::optional<ProcessText> decode_process_text(std::string_view bytes);

}  // namespace tailcap::capture::scan
