// The child process that opens files of targets, and places probes in them.
//
// It has the privileges that this requires, and reads no content except the instructions that probes will replace. A
// file that does not answer (a dead NFS mount, a FUSE file) blocks it for ever: then it is abandoned. Closing a
// descriptor that it passes on never blocks (O_PATH), unless the descriptor goes to the process that reads the file.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/scan/function_places.h"

struct stat;

namespace tailcap::capture::scan {

// Identifies an unchanged file: its content does not change without one of these.
struct Identity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified = 0, changed = 0;  // ns

  auto operator<=>(const Identity&) const = default;
};

// A possible path of a file. inode, device: those that it must have, according to a mapping; 0: any.
struct Candidate {
  std::string path;
  std::uint64_t inode = 0, device = 0;
  std::int64_t unchanged_since = 0;  // ns of the coarse realtime, like times of files; 0: it may have changed
};

enum class Errand : std::uint8_t { open, read, attach, memory, process, locks, stack };

std::string encode_open(const std::vector<Candidate>& candidates);
std::string encode_read(const Identity& identity, std::string_view request);
// identity.changed: 0 if it does not matter, for example for a deleted file.
std::string encode_attach(const Identity& identity, const PlaceLinks& links, const std::vector<FunctionProbe>& places);

// Requests a word of a process's memory, which may map a file that does not answer.
std::string encode_memory(std::uint32_t pid, std::uint64_t address);
// The same for bytes, at most this many: the reply's text has as many as there are.
std::string encode_stack(std::uint32_t pid, std::uint64_t address, std::uint32_t size);

// question: an encoded ProcessQuestion; the answer's text is an encoded ProcessText (process_text.h).
std::string encode_process(std::string_view question);

// Takes the lock of the memory of every process that maps a file with this inode. The kernel places probes with these
// locks, and lets no process on the machine fork meanwhile.
std::string encode_locks(std::uint64_t inode);

struct Reply {
  std::string problem;  // empty: done
  Identity identity;    // of the opened file
  std::int32_t word = 0;
  std::string text;
};
inline constexpr std::size_t kMaxReply = 24u << 20;  // of a process with as many mappings as there may be
std::optional<Reply> decode_reply(std::string_view bytes);

// Serves until the other end of the socket is closed. Descriptors received: a file's (O_PATH), and either the socket
// and memfd for a reader (read) or those of the programs, by FunctionProgram (attach). Descriptors sent: the file's
// (open), or those of links.
void serve_opening(int socket);

}  // namespace tailcap::capture::scan
