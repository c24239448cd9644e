// What a process runs, where the name of its executable does not say it: the script, module or class of an interpreter.
//
// Arguments may hold secrets. A name has only the last part of a script's path, a module's or class's name, or
// the application that a known server runs ("gunicorn app:app"), bounded in length; what looks like a token is
// asterisks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tailcap::capture::targets {

inline constexpr std::size_t kMaxServiceName = 80;  // bytes

struct ServiceProgram {
  std::string_view executable;  // its path
  std::string_view arguments;   // a NUL is between two, as in /proc/PID/cmdline
  std::string_view comm;
};

struct ServiceName {
  std::string text;        // empty: comm is its name
  bool as_parent = false;  // it is a part of what its parent runs, and bears its name
};
ServiceName service_name(const ServiceProgram& program);

// Whether programs of many kinds have this executable: python3.11, node, java, sh, …
bool is_interpreter(std::string_view executable);

// "server.js" of "/srv/server.js", "bin" of "/usr/bin/".
std::string_view last_part(std::string_view path);

// "shop" where a control group's path is of the systemd unit shop.service; empty: of none, or of a user's manager.
std::string unit_of(std::string_view cgroup);

// A name that a user or a program gave, as it may be stored: one line, bounded, printable.
std::string bounded_name(std::string_view name);

}  // namespace tailcap::capture::targets
