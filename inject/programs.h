// The kernel programs: loaded, attached, and gone with this object. Links and maps have no name in a file system, so
// they end with the process, however it ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "inject/counts.h"
#include "inject/options.h"

namespace tailcap::inject {

class Programs {
 public:
  // Loads them. Nothing is touched yet. Throws std::runtime_error, std::system_error.
  Programs(const Options& options, std::uint64_t machine_salt);
  ~Programs();
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  // Only connections of this process are followed, whatever their port.
  void follow_only(std::uint32_t pid);
  void follow_targets();
  void stop();
  // Since the last follow_*().
  Counts counts() const;
  // Makes plain sockets of connections that are left alone, for at most this time, ms.
  void release_left_alone(int timeout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::inject
