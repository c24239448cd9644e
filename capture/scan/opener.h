// The child process that opens files of targets, and has kernel programs stand in them.
//
// It has the rights that this takes, and looks at no content but the instructions that probes will replace. A file that
// does not answer (a dead NFS mount, a FUSE file) keeps it for ever: then it is abandoned. Descriptors that it hands
// out are such that closing them waits for nothing (O_PATH), or go to the process that reads the file.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/function_links.h"

struct stat;

namespace tailcap::capture::scan {

// What says that a file is still the same: its content does not change without one of these.
struct Identity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified = 0, changed = 0;  // ns

  auto operator<=>(const Identity&) const = default;
};

// Where a file may be found. inode, device: those that it must have, as a mapping says; 0: any.
struct Candidate {
  std::string path;
  std::uint64_t inode = 0, device = 0;
};

enum class Errand : std::uint8_t { open, read, attach, memory };

std::string encode_open(const std::vector<Candidate>& candidates);
std::string encode_read(const Identity& identity, std::string_view request);
// identity.changed: 0 where it does not matter, as for a file that was deleted since. many: as one link for each
// program. type: of perf events for it where there are no such links.
std::string encode_attach(const Identity& identity, bool many, std::uint32_t type,
                          const std::vector<FunctionProbe>& places);

// Of a process: a word of its memory, which may be a file's that does not answer.
std::string encode_memory(std::uint32_t pid, std::uint64_t address);

struct Reply {
  std::string problem;  // empty: done
  Identity identity;    // of what was opened
  std::int32_t word = 0;
};
std::optional<Reply> decode_reply(std::string_view bytes);

// Serves until the socket's other end is closed. Descriptors in: of a file (O_PATH), and the socket and memfd for a
// reader (read) or those of the programs, by FunctionProgram (attach). Out: the file's (open), or those of links.
void serve_opening(int socket);

}  // namespace tailcap::capture::scan
