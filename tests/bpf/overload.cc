#include "tests/bpf/overload.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "tests/bpf/connections.h"
#include "tests/bpf/counted.h"

namespace tailcap::workload {
namespace {

constexpr int kSettle = 300'000;  // µs in which the recorder reads everything that is in the rings

std::map<std::string, std::uint64_t> produced;

void print_produced() {
  for (const auto& [kind, count] : produced) std::printf("produced %s %lu\n", kind.c_str(), count);
}

// Before, during and after a stop of the recorder.
void in_three_phases(const std::function<void()>& work) {
  usleep(kSettle);
  work();
  kill(getppid(), SIGSTOP);
  work();
  kill(getppid(), SIGCONT);
  usleep(kSettle);
  work();
  usleep(kSettle);
}

void wait_for(pid_t child) {
  if (waitpid(child, nullptr, 0) != child) die("waitpid");
}

// Goes through every state of a connection; every third connection is reset.
void use_connections() {
  constexpr int kConnections = 53, kExchanges = 5;
  const Listener l = listen_on(AF_INET, SOCK_STREAM);
  for (int i = 0; i < kConnections; i++) {
    const Pair pair = connect_to(l);
    for (int k = 0; k < kExchanges; k++) {
      counted_send(pair.client, 19, 0);
      receive_all(pair.server, 19);
    }
    produced["send"] += kExchanges;
    produced["receive"] += kExchanges + 1;  // and the end of the stream or an error
    produced["arrival"] += kExchanges;
    produced["accept"]++;
    produced["socket"] += 3;  // the client is described when it begins to connect, and again when it is connected
    if (i % 3 == 0) {
      const linger now{1, 0};
      setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
      close(pair.client);
      counted_recv(pair.server, 1, 0);
      close(pair.server);
      produced["state_change"] += 3 + 2;
      produced["reset"] += 2;
    } else {
      close_both(pair);
      produced["state_change"] += 5 + 4;
    }
  }
  close(l.descriptor);
  produced["state_change"] += 2;  // the listener
  produced["socket"]++;
}

void use_tasks() {
  for (int i = 0; i < 47; i++) std::thread([] {}).join();
  for (int i = 0; i < 31; i++) {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    wait_for(child);
  }
  for (int i = 0; i < 17; i++) {
    const pid_t child = fork();
    if (child == 0) {
      execl("/proc/self/exe", "workload", "nothing", "/dev/null", nullptr);
      _exit(9);
    }
    wait_for(child);
  }
  produced["task_start"] += 47 + 31 + 17;
  produced["task_exec"] += 17;
  produced["task_exit"] += 47 + 31 + 17;
}

void connections_and_tasks() {
  produced["task_exec"]++;  // this program
  produced["task_exit"]++;
  in_three_phases([] {
    use_connections();
    use_tasks();
  });
  print_produced();
}

void opens() {
  in_three_phases([] {
    for (int i = 0; i < 211; i++) {
      if (open("/proc/tailcap-overload", O_RDONLY) >= 0) die("it exists");
    }
    produced["file_call"] += 211;
  });
  print_produced();
}

// Before, during and after a stop of the recorder, in which the records of these are larger than a ring, and smaller
// than its spill.
void bursts() {
  const Listener l = listen_on(AF_INET, SOCK_STREAM);
  const Pair pair = connect_to(l);
  in_three_phases([&] {
    constexpr int kExchanges = 20'000;
    for (int i = 0; i < kExchanges; i++) {
      counted_send(pair.client, 19, 0);
      receive_all(pair.server, 19);
    }
    produced["send"] += kExchanges;
    produced["receive"] += kExchanges;
  });
  print_produced();
}

std::uint64_t switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::uint64_t>(usage.ru_nvcsw + usage.ru_nivcsw);
}

std::uint64_t monotonic() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// Threads that sleep, and print how often the kernel had switched them out by a given time: "switches TID TIME COUNT".
void waits() {
  constexpr int kThreads = 3, kSleeps = 401;
  std::barrier phase(kThreads + 1);
  const auto sleep = [&] {
    for (int i = 0; i < kSleeps; i++) usleep(50);
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3; i++) {
        phase.arrive_and_wait();
        sleep();
        phase.arrive_and_wait();
      }
      usleep(kSettle);
      usleep(50);  // its record carries the number of missed ones
      std::uint64_t count = 0, time = 0;
      do {
        count = switches();
        time = monotonic();
      } while (count != switches());
      std::printf("switches %d %lu %lu\n", gettid(), time, count);
    });
  }
  in_three_phases([&] {
    phase.arrive_and_wait();
    phase.arrive_and_wait();
  });
  for (auto& thread : threads) thread.join();
}

// More UNIX sockets at a time than a small table holds, each used repeatedly.
void many_sockets() {
  constexpr int kPairs = 41;
  std::vector<Pair> pairs;
  for (int i = 0; i < kPairs; i++) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) die("socketpair");
    pairs.push_back({ends[0], ends[1]});
  }
  for (int round = 0; round < 7; round++) {
    for (const Pair& pair : pairs) {
      counted_send(pair.client, 19, 0);
      receive_all(pair.server, 19);
      produced["send"]++;
      produced["receive"]++;
    }
  }
  print_produced();
}

// Two processes that use UDP, one after the other.
void udp() {
  const auto use = [] {
    const int receiver = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
    socklen_t size = sizeof address;
    if (bind(receiver, reinterpret_cast<sockaddr*>(&address), size) != 0) die("bind");
    getsockname(receiver, reinterpret_cast<sockaddr*>(&address), &size);
    const int sender = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(sender, reinterpret_cast<sockaddr*>(&address), size) != 0) die("connect");
    char bytes[19] = {};
    for (int i = 0; i < 101; i++) {
      if (send(sender, bytes, sizeof bytes, 0) != sizeof bytes) die("send");
      if (recv(receiver, bytes, sizeof bytes, 0) != sizeof bytes) die("recv");
    }
  };
  use();
  const pid_t child = fork();
  if (child == 0) {
    use();
    _exit(0);
  }
  wait_for(child);
  std::printf("calls %d %d\n", getpid(), 2 * 101);
  std::printf("calls %d %d\n", child, 2 * 101);
}

// Processes that block a stop signal until each has been sent one: "stop PID SIGNAL SENDER".
void stops() {
  constexpr int kProcesses = 23;
  std::array<pid_t, kProcesses> children{};
  int ready[2], go[2];
  if (pipe(ready) != 0 || pipe(go) != 0) die("pipe");
  for (auto& child : children) {
    child = fork();
    if (child != 0) continue;
    setpgid(0, 0);  // terminal stop signals only work in a process group with a parent outside it
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    sigaddset(&set, SIGTTIN);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    close(go[1]);
    char byte = 0;
    (void)!write(ready[1], &byte, 1);
    (void)!read(go[0], &byte, 1);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    _exit(0);
  }
  char byte = 0;
  for (int i = 0; i < kProcesses; i++) (void)!read(ready[0], &byte, 1);
  for (int i = 0; i < kProcesses; i++) {
    const int signal = i % 2 ? SIGTSTP : SIGTTIN;
    kill(children[static_cast<std::size_t>(i)], signal);
    std::printf("stop %d %d %d\n", children[static_cast<std::size_t>(i)], signal, gettid());
  }
  close(go[1]);
  for (const pid_t child : children) {
    int status = 0;
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) die("it was not stopped");
    kill(child, SIGCONT);
    wait_for(child);
  }
}

// Threads that read past the page cache, each its own number of bytes per call: "reads TID BYTES"; and threads that
// wait only for each other's lock in the kernel: "maps TID".
void reads() {
  constexpr std::size_t kThreads = 13, kPage = 4096;
  const std::string name = "/var/tmp/tailcap-overload-" + std::to_string(getpid());
  const int file = open(name.c_str(), O_CREAT | O_RDWR | O_DIRECT, 0600);
  unlink(name.c_str());
  void* zeros = mmap(nullptr, kThreads * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (file < 0 || pwrite(file, zeros, kThreads * kPage, 0) < 0 || fsync(file) != 0) {
    std::puts("no direct I/O here");
    return;
  }
  std::vector<std::thread> threads;
  for (std::size_t t = 1; t <= kThreads; t++) {
    threads.emplace_back([=] {
      void* bytes = mmap(nullptr, t * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      std::printf("reads %d %zu\n", gettid(), t * kPage);
      for (int i = 0; i < 199; i++) {
        if (pread(file, bytes, t * kPage, 0) != static_cast<ssize_t>(t * kPage)) die("pread");
      }
    });
  }
  std::atomic<bool> done{false};
  std::vector<std::thread> mappers;
  for (int t = 0; t < 3; t++) {
    mappers.emplace_back([&done] {
      std::printf("maps %d\n", gettid());
      while (!done) munmap(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), kPage);
    });
  }
  for (auto& thread : threads) thread.join();
  done = true;
  for (auto& thread : mappers) thread.join();
}

}  // namespace

bool run_overload(const std::string& name) {
  static const std::map<std::string, void (*)()> scenarios = {{"connections_and_tasks", connections_and_tasks},
                                                              {"opens", opens},
                                                              {"bursts", bursts},
                                                              {"overload_waits", waits},
                                                              {"many_sockets", many_sockets},
                                                              {"udp", udp},
                                                              {"stops", stops},
                                                              {"reads", reads}};
  const auto found = scenarios.find(name);
  if (found == scenarios.end()) return name == "nothing";
  found->second();
  return true;
}

}  // namespace tailcap::workload
