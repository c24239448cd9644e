// A workload recorded by the real recorder and read back, with the workload's own books.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/event.h"
#include "formats/file/reader.h"
#include "formats/preamble.h"
#include "tests/bpf/counted.h"

namespace tailcap::test {

// The reason that these tests cannot run here; empty: they can, and so they must.
std::string reason_to_skip();
// The same for recordings with this tier.
std::string reason_to_skip(const std::string& tier);

// A folder that its destructor removes.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A child process with its standard output and error in a file; the destructor kills it if it still runs.
class Process {
 public:
  Process(const std::vector<std::string>& command, const std::string& log, bool with_input = false);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  pid_t pid() const { return pid_; }
  int input() const { return input_; }  // -1 unless with_input
  void signal(int number);
  int wait();  // exit code, or 128 + signal
  std::string said() const;

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  std::string log_;
  bool ended_ = false;
  int code_ = -1;
};

using Books = std::map<std::uint64_t, workload::Account>;
Books read_books(const std::string& path);

// Io without views.
struct SeenIo {
  formats::Io io;
  formats::Thread thread;
  formats::Time time;
  std::string head, tail;
};

struct Seen {
  formats::Preamble preamble;
  std::map<std::uint64_t, std::vector<SeenIo>> out, in;  // by socket, in file order
  std::map<std::uint64_t, std::vector<formats::SocketInfo>> sockets;
  std::map<std::uint64_t, std::vector<formats::StateChange>> states;
  std::map<std::uint64_t, std::vector<formats::Arrival>> arrivals;
  std::map<std::uint64_t, int> resets;
  std::map<int, std::uint64_t> lost;   // by kind
  std::map<int, std::uint64_t> kinds;  // stored, by kind
  std::uint64_t missed = 0;            // reported by Io and Arrival
  std::set<std::uint32_t> pids;        // of every event but the machine's account
  std::vector<formats::Event> waits;   // OffCpu
  std::vector<std::uint32_t> accepts;  // descriptors
  std::vector<formats::Event> stalls;
  std::vector<std::pair<formats::Event, std::string>> file_calls;  // and their paths
  std::map<std::string, std::string> notes;
  std::uint64_t turned_back = 0;  // sends, receives and arrivals that are stored after a later one
  formats::CaptureState state{};
};
Seen read_capture(const std::string& path);

struct Recorded {
  int code = -1;
  std::string said;
  Books books;
  Seen seen;
};
// tailcap-record ARGUMENTS -- workload SCENARIO. maps: kernel maps with another size, as NAME=ENTRIES.
Recorded record_workload(const std::string& scenario, const std::vector<std::string>& arguments,
                         const std::vector<std::string>& maps = {});

// The recording contains exactly the bytes, calls, ends and errors of the books; positions join without gap or overlap;
// every captured byte is the one that was sent there. calls: also compare the number of calls. scripts: the bytes sent
// by sockets that did not send the pattern; distinguished by size.
void expect_exact(const Recorded& recorded, bool calls = true, const std::vector<const std::string*>& scripts = {});

}  // namespace tailcap::test
