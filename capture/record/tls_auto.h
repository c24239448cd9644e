// TLS by keys, and by probes where keys cannot read it: tells the finder which processes need probes.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "capture/decrypt/decryptor.h"
#include "capture/log/statements.h"
#include "capture/log/status.h"
#include "capture/probes/finder.h"
#include "capture/probes/probes.h"
#include "capture/tls/older.h"

namespace tailcap::capture {

class TlsAuto {
 public:
  // probes and finder must outlive this object.
  TlsAuto(Probes& probes, Finder& finder) : probes_(probes), finder_(finder) {}

  decrypt::Decryptor::Other other();
  void take(const formats::Event& event);
  // A list of all sockets, each once for each process that holds it.
  void begin_list() { older_.begin_list(); }
  void listed(std::uint32_t pid, const formats::SocketInfo& socket) { older_.listed(pid, socket); }
  void end_list();
  void tick(formats::Time now, Statements& statements, Tally& tally);
  // Processes of which something is known since some moment only, since the last time. A list is needed then.
  std::vector<TlsFiles::Late> take_late();
  bool wants_list() const { return older_.wants_list(); }

 private:
  Probes& probes_;
  Finder& finder_;
  tls::OlderConnections older_;
  std::vector<TlsFiles::Statement> processes_;   // that are read by probes alone
  std::optional<std::set<std::uint32_t>> told_;  // as the finder knows them; none: there was no list yet
};

}  // namespace tailcap::capture
