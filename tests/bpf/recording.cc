#include "tests/bpf/recording.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "capture/probes/probes.h"

namespace tailcap::test {

using namespace formats;

std::string reason_to_skip() {
  if (geteuid() != 0) return "needs root";
  if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
    return "needs a kernel with type information (/sys/kernel/btf/vmlinux)";
  return "";
}

std::string reason_to_skip(const std::string& tier) {
  const auto reason = reason_to_skip();
  if (!reason.empty()) return reason;
  const auto choice = capture::choose_tier(tier == "a" ? HookTier::a : HookTier::c, capture::KernelTypes());
  return choice.tier == HookTier::unknown ? choice.reason : "";
}

Scratch::Scratch() {
  char name[] = "/tmp/tailcap-bpf-XXXXXX";
  if (!mkdtemp(name)) throw std::runtime_error("no scratch folder");
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Process::Process(const std::vector<std::string>& command, const std::string& log, bool with_input) : log_(log) {
  int pipe_ends[2] = {-1, -1};
  if (with_input && pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    const int output = open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    const int in = with_input ? pipe_ends[0] : open("/dev/null", O_RDONLY);
    dup2(in, 0);
    dup2(output, 1);
    dup2(output, 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  if (with_input) close(pipe_ends[0]);
  input_ = pipe_ends[1];
}

Process::~Process() {
  if (input_ >= 0) close(input_);
  if (!ended_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void Process::signal(int number) { kill(pid_, number); }

int Process::wait() {
  if (ended_) return code_;
  int status = 0;
  waitpid(pid_, &status, 0);
  ended_ = true;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code_;
}

std::string Process::said() const {
  std::stringstream text;
  text << std::ifstream(log_).rdbuf();
  return text.str();
}

Books read_books(const std::string& path) {
  Books books;
  std::ifstream file(path);
  std::uint64_t id = 0;
  workload::Account a;
  while (file >> id >> a.inode >> a.sends >> a.sent >> a.receives >> a.received >> a.ends >> a.errors) {
    auto& sum = books[id];  // several processes may have used one socket
    sum.inode = a.inode;
    sum.sends += a.sends;
    sum.sent += a.sent;
    sum.receives += a.receives;
    sum.received += a.received;
    sum.ends += a.ends;
    sum.errors += a.errors;
  }
  return books;
}

Seen read_capture(const std::string& path) {
  Reader reader(path);
  Seen seen;
  seen.preamble = reader.preamble();
  Time latest = kNoTime;
  for (;;) {
    const auto events = reader.next();
    if (events.empty()) return seen;
    for (const auto& event : events) {
      seen.kinds[static_cast<int>(kind_of(event))]++;
      // The machine's account is the recorder's own; it observes no thread of it. Non-targets that it met are named.
      const auto* task = std::get_if<TaskInfo>(&event.body);
      const bool named = task && !known(task->started) && task->executable.empty();
      if (event.thread.pid && !named && !std::holds_alternative<MachineCpu>(event.body))
        seen.pids.insert(event.thread.pid);
      if (std::holds_alternative<Io>(event.body) || std::holds_alternative<Arrival>(event.body)) {
        seen.turned_back += event.time < latest;
        latest = std::max(latest, event.time);
      }
      if (const auto* io = std::get_if<Io>(&event.body)) {
        auto& list = (io->direction == Direction::out ? seen.out : seen.in)[io->socket];
        list.push_back({*io, event.thread, event.time, std::string(io->head), std::string(io->tail)});
        seen.missed += io->missed;
      } else if (const auto* info = std::get_if<SocketInfo>(&event.body)) {
        seen.sockets[info->socket].push_back(*info);
        seen.sockets[info->socket].back().path = {};
      } else if (const auto* change = std::get_if<StateChange>(&event.body)) {
        seen.states[change->socket].push_back(*change);
      } else if (const auto* arrival = std::get_if<Arrival>(&event.body)) {
        seen.arrivals[arrival->socket].push_back(*arrival);
        seen.missed += arrival->missed;
      } else if (const auto* reset = std::get_if<Reset>(&event.body)) {
        seen.resets[reset->socket]++;
      } else if (const auto* loss = std::get_if<Loss>(&event.body)) {
        seen.lost[loss->kind] += loss->count;
      } else if (std::holds_alternative<OffCpu>(event.body)) {
        seen.waits.push_back(event);
      } else if (const auto* accept = std::get_if<Accept>(&event.body)) {
        seen.accepts.push_back(static_cast<std::uint32_t>(accept->descriptor));
      } else if (std::holds_alternative<Stall>(event.body)) {
        seen.stalls.push_back(event);
      } else if (const auto* call = std::get_if<FileCall>(&event.body)) {
        seen.file_calls.emplace_back(event, call->path);
      } else if (const auto* note = std::get_if<Note>(&event.body)) {
        seen.notes[std::string(note->key)] = note->value;
      } else if (const auto* end = std::get_if<CaptureEnd>(&event.body)) {
        seen.state = end->state;
      }
    }
  }
}

Recorded record_workload(const std::string& scenario, const std::vector<std::string>& arguments,
                         const std::vector<std::string>& maps) {
  const Scratch scratch;
  std::vector<std::string> command = {maps.empty() ? RECORDER : SMALL_RECORDER};
  command.insert(command.end(), maps.begin(), maps.end());
  command.insert(command.end(), {"-o", scratch / "c.tcap", "--payload-raw"});
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--", WORKLOAD, scenario, scratch / "books"});
  Process recorder(command, scratch / "log");
  Recorded recorded;
  recorded.code = recorder.wait();
  recorded.said = recorder.said();
  EXPECT_NE(recorded.said.find("exited with code 0"), std::string::npos) << recorded.said;
  recorded.books = read_books(scratch / "books");
  recorded.seen = read_capture(scratch / "c.tcap");
  return recorded;
}

namespace {

struct Sum {
  std::uint64_t calls = 0, bytes = 0, ends = 0, errors = 0;
};

// Joins the I/Os of one direction by position and checks their captured bytes. script: the bytes sent instead of the
// pattern.
Sum join(std::uint64_t socket, std::vector<SeenIo> list, bool tcp, const std::string* script) {
  const auto sent = [&](std::uint64_t place) { return script ? script->at(place) : workload::pattern(place); };
  Sum sum;
  std::vector<SeenIo> moved;
  for (const auto& seen : list) {
    if (seen.io.error) {
      sum.errors++;
    } else if (seen.io.length == 0) {
      sum.ends++;
    } else {
      sum.calls += !seen.io.continued;
      sum.bytes += seen.io.length;
      moved.push_back(seen);
    }
  }
  if (moved.empty()) return sum;
  const std::uint64_t first = moved.front().io.position;
  std::uint64_t next = 0;  // position in the stream
  for (const auto& seen : moved) {
    const std::uint64_t place = tcp ? static_cast<std::uint32_t>(seen.io.position - first) : seen.io.position - first;
    EXPECT_EQ(place, next) << "socket " << socket << ": a gap or overlap";
    if (seen.io.continued) {
      const SeenIo& before = *(&seen - 1);
      EXPECT_EQ(seen.time, before.time);
      EXPECT_EQ(seen.thread, before.thread);
      EXPECT_EQ(seen.io.syscall, before.io.syscall);
      EXPECT_EQ(seen.io.missed, 0);
    }
    for (std::size_t i = 0; i < seen.head.size(); i++) {
      if (seen.head[i] != sent(place + i)) {
        ADD_FAILURE() << "socket " << socket << " place " << place << " + " << i << ": not the byte that was sent";
        break;
      }
    }
    const std::uint64_t tail_place = place + seen.io.length - seen.tail.size();
    for (std::size_t i = 0; i < seen.tail.size(); i++) {
      if (seen.tail[i] != sent(tail_place + i)) {
        ADD_FAILURE() << "socket " << socket << " place " << tail_place << " + " << i
                      << " (tail): not the byte that was sent";
        break;
      }
    }
    next = place + seen.io.length;
  }
  // The end of the stream is at the last byte, without the FIN's own number.
  for (const auto& seen : list) {
    if (seen.io.length == 0 && !seen.io.error) {
      const std::uint64_t place = tcp ? static_cast<std::uint32_t>(seen.io.position - first) : seen.io.position - first;
      EXPECT_EQ(place, next) << "socket " << socket << ": the end is elsewhere";
    }
  }
  return sum;
}

// Tier C gives its own numbers to UNIX sockets that had no cookie at their first use.
std::uint64_t recorded_as(std::uint64_t cookie, const workload::Account& account, const Seen& seen) {
  if (seen.sockets.contains(cookie)) return cookie;
  for (const auto& [socket, infos] : seen.sockets) {
    if (socket >> 63 && infos.front().inode == account.inode) return socket;
  }
  return cookie;
}

}  // namespace

void expect_exact(const Recorded& recorded, bool calls, const std::vector<const std::string*>& scripts) {
  const auto script_of = [&](std::uint64_t size) -> const std::string* {
    for (const auto* script : scripts) {
      if (script->size() == size) return script;
    }
    return nullptr;
  };
  EXPECT_EQ(recorded.code, 0) << recorded.said;
  EXPECT_FALSE(recorded.books.empty());
  for (const auto& [cookie, account] : recorded.books) {
    const std::uint64_t socket = recorded_as(cookie, account, recorded.seen);
    const auto info = recorded.seen.sockets.find(socket);
    ASSERT_NE(info, recorded.seen.sockets.end()) << "socket " << socket << " was never described";
    const bool tcp = info->second.front().family != Family::unix_domain;
    const auto out = recorded.seen.out.find(socket), in = recorded.seen.in.find(socket);
    const Sum sent = out == recorded.seen.out.end() ? Sum{} : join(socket, out->second, tcp, script_of(account.sent));
    const Sum received =
        in == recorded.seen.in.end() ? Sum{} : join(socket, in->second, tcp, script_of(account.received));
    EXPECT_EQ(sent.bytes, account.sent) << "socket " << socket;
    EXPECT_EQ(received.bytes, account.received) << "socket " << socket;
    EXPECT_EQ(received.ends, account.ends) << "socket " << socket;
    EXPECT_EQ(sent.errors + received.errors, account.errors) << "socket " << socket;
    if (!calls) continue;
    EXPECT_EQ(sent.calls, account.sends) << "socket " << socket;
    EXPECT_EQ(received.calls, account.receives) << "socket " << socket;
  }
}

}  // namespace tailcap::test
