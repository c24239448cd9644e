// Host problems during the recording, as `tailcap diag` reports them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/machine/drop_table.h"
#include "formats/preamble.h"
#include "formats/time.h"

namespace tailcap::model {

// Processes of one command and parent that began and ended in the recording, and lived for less than kShort.
struct ShortLived {
  std::string command;  // as executed; the process name where nothing was executed
  bool executed = false;
  std::uint32_t parent = 0;
  std::string parent_name;              // empty: not known
  std::uint64_t count = 0, failed = 0;  // failed: did not exit with 0
  formats::Duration least{}, most{}, sum{};
};

// Delayed threads, by process.
struct MemoryWaits {
  struct Process {
    std::uint32_t pid = 0;
    std::string name;  // empty: not known
    std::uint64_t count = 0;
    formats::Duration sum{};
  };
  std::uint64_t count = 0;
  formats::Duration sum{}, most{};
  std::vector<Process> processes;  // most time first
};

struct OomVictim {
  formats::Time time = formats::kNoTime;
  std::uint32_t pid = 0;
  std::string name;  // empty: not known
};

// TCP problems with one peer.
struct PeerTrouble {
  std::string address;  // "10.0.0.1:80"; "unknown"
  std::string cause;    // of failed connections: "refused", …
  std::string name;     // of the process with the failed connections
  std::uint32_t pid = 0;
  std::uint64_t count = 0, bytes = 0;
};

// An interface, as far as it is known. Without an index: the segments' route was not known.
struct LinkName {
  std::uint32_t net_namespace = 0, index = 0;
  std::string name;    // empty: not known
  std::string master;  // the bond or bridge that it is in; empty: none, or not known
  std::uint32_t mtu = 0;
};

struct LinkRetransmits {
  LinkName link;
  std::uint64_t count = 0, bytes = 0;
};

// Segments sent again in a part of the recording.
struct RetransmitWindow {
  formats::Time from = formats::kNoTime;
  std::uint64_t count = 0;
  LinkName most;  // the interface with most of them
  std::uint64_t of_most = 0;
};

// Packets that were sent again because, it seems, they are larger than the path takes.
struct MtuMismatch {
  LinkName link;
  std::uint32_t other_mtu = 0;         // of the other end, or of the path
  std::string other_end;               // interface with that MTU; empty: ICMP reported the MTU of the path
  std::uint64_t large = 0, count = 0;  // sent again: too large for the other MTU, all
};

// Round-trip times to an address.
struct PeerRtt {
  std::string address;
  std::uint64_t handshakes = 0, readings = 0;
  formats::Duration handshake_least{}, handshake_sum{}, handshake_most{};
  formats::Duration smoothed_sum{}, smoothed_most{};  // of readings
  // The greatest rise of the mean from one window to the next with readings. 0: there are no two such windows.
  formats::Duration before{}, after{};
  formats::Time rise = formats::kNoTime;  // where the later window begins
};

struct SlowDisk {
  std::uint32_t device = 0;  // minor number in the low 20 bits
  std::uint64_t count = 0, bytes = 0;
  formats::Duration sum{}, most{};
  std::string name;  // the process with most of the requests; empty: not known
};

struct NodeStudy {
  static constexpr formats::Duration kShort{1'000'000'000};
  static constexpr formats::Duration kRttWindow{10'000'000'000};
  static constexpr std::size_t kMaxListed = 100;  // of each list; the first are the worst

  formats::Preamble preamble;
  formats::Time begin = formats::kNoTime, end = formats::kNoTime;
  std::int64_t realtime_offset = 0;
  bool clock_known = false;
  bool everybody = false;  // all processes; otherwise recorded ones only
  std::uint64_t lost = 0;  // events
  bool damaged = false;
  // What was recorded.
  bool has_processes = false, has_oom = false, has_reclaim = false, has_compaction = false, has_fragments = false,
       has_disks = false;
  bool has_connects = false, has_resets = false, has_retransmits = false, has_drops = false;

  std::uint64_t started = 0, ended = 0, short_count = 0;
  std::vector<ShortLived> short_lived;  // most first
  std::uint64_t short_left_out = 0;     // processes of those that are not listed
  MemoryWaits reclaim, compaction;
  std::uint64_t fragments = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> fragment_orders;  // what was wanted, how often; ascending
  std::vector<OomVictim> oom;
  std::uint64_t oom_count = 0, connect_count = 0, resets_sent_count = 0, resets_received_count = 0,
                retransmit_count = 0, slow_io_count = 0;
  std::vector<PeerTrouble> connect_failures, resets_sent, resets_received, retransmits;  // most first
  std::vector<LinkRetransmits> retransmit_links;                                         // most first
  formats::Duration window{};                                                            // length of each of:
  std::vector<RetransmitWindow> windows;    // one after the other; empty where nothing was sent again
  std::vector<MtuMismatch> mtu_mismatches;  // most first
  std::vector<PeerRtt> rtts;                // most readings first
  std::vector<SlowDisk> disks;              // most time first
  std::uint64_t drop_count = 0;             // packets
  std::vector<DroppedPackets> drops;        // most first

  formats::Duration duration() const {
    return formats::known(begin) && end > begin ? end - begin : formats::Duration{};
  }
};

}  // namespace tailcap::model
