#include "tests/lab/service/faults.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>

#include "tests/lab/service/downstream.h"

namespace tailcap::lab {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::size_t kPage = 4096;

std::int64_t cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

void sleep_ms(std::int64_t ms) {
  const timespec t{ms / 1000, ms % 1000 * kMs};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr);
}

std::int64_t spin_ms(std::int64_t ms) {
  const std::int64_t begin = cpu_ns();
  while (cpu_ns() - begin < ms * kMs) {
  }
  return cpu_ns() - begin;
}

std::int64_t wall(const std::function<void()>& act) {
  const std::int64_t begin = monotonic_ns();
  act();
  return monotonic_ns() - begin;
}

// Returns the off-CPU time of `act`.
std::int64_t off_cpu(const std::function<void()>& act) {
  const std::int64_t used = cpu_ns();
  const std::int64_t took = wall(act);
  return took - (cpu_ns() - used);
}

// This thread's total run-queue latency, as the kernel counts it.
std::int64_t queued_ns() {
  std::ifstream file("/proc/thread-self/schedstat");
  std::int64_t ran = 0, queued = 0;
  if (!(file >> ran >> queued)) throw std::runtime_error("cannot read /proc/thread-self/schedstat");
  return queued;
}

// Returns the off-CPU time of `act` without run-queue latency.
std::int64_t asleep(const std::function<void()>& act) {
  const std::int64_t queued = queued_ns();
  const std::int64_t off = off_cpu(act);
  return off - (queued_ns() - queued);
}

int open_file(const std::string& name, int flags) {
  const int file = open(name.c_str(), flags | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error("cannot open " + name);
  return file;
}

// Touches pages that are not in memory.
std::int64_t fault_pages(const std::string& name, std::int64_t pages) {
  const int file = open_file(name, O_RDONLY);
  struct stat status {};
  fstat(file, &status);
  const auto size = static_cast<std::size_t>(status.st_size);
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  void* memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  madvise(memory, size, MADV_RANDOM);
  volatile unsigned sum = 0;
  const std::int64_t took = asleep([&] {
    const std::size_t all = size / kPage;
    for (std::int64_t i = 0; i < pages; ++i)
      sum = sum + static_cast<unsigned char*>(memory)[static_cast<std::size_t>(i) * 7919 % all * kPage];
  });
  munmap(memory, size);
  close(file);
  return took;
}

std::int64_t write_file(const std::string& name, std::int64_t kib, bool direct) {
  const int file = open_file(name, O_WRONLY | O_CREAT | (direct ? O_DIRECT : 0));
  const auto bytes = static_cast<std::size_t>(kib) * 1024;
  void* memory = std::aligned_alloc(kPage, bytes);
  std::fill_n(static_cast<char*>(memory), bytes, 'x');
  const std::int64_t took = wall([&] {
    if (pwrite(file, memory, bytes, 0) != static_cast<ssize_t>(bytes)) throw std::runtime_error("cannot write " + name);
    if (!direct) fsync(file);
  });
  std::free(memory);
  close(file);
  return took;
}

std::int64_t read_file(const std::string& name, std::int64_t kib) {
  const int file = open_file(name, O_RDONLY);
  std::string bytes(static_cast<std::size_t>(kib) * 1024, '\0');
  const std::int64_t took = wall([&] {
    if (pread(file, bytes.data(), bytes.size(), 0) < 0) throw std::runtime_error("cannot read " + name);
  });
  close(file);
  return took;
}

std::int64_t write_pipe(const std::string& name, std::int64_t kib) {
  static const int pipe = open_file(name, O_WRONLY);
  const std::string bytes(static_cast<std::size_t>(kib) * 1024, 'l');
  return wall([&] {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t n = write(pipe, bytes.data() + done, bytes.size() - done);
      if (n < 0) throw std::runtime_error("cannot write to the pipe");
      done += static_cast<std::size_t>(n);
    }
  });
}

std::int64_t hold_lock(std::int64_t ms) {
  static std::mutex lock;
  const std::int64_t waited = wall([] { lock.lock(); });
  sleep_ms(ms);
  lock.unlock();
  return waited;
}

std::int64_t hold_file(const std::string& name, std::int64_t ms) {
  const int file = open_file(name, O_RDWR | O_CREAT);
  const std::int64_t waited = wall([&] { flock(file, LOCK_EX); });
  sleep_ms(ms);
  close(file);
  return waited;
}

std::int64_t map_memory(std::int64_t times) {
  constexpr std::size_t size = 1 << 20;
  return asleep([&] {
    for (std::int64_t i = 0; i < times; ++i)
      munmap(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0), size);
  });
}

Done call_down(const Request& r) {
  bool answered = false;
  const std::int64_t took =
      wall([&] { answered = get(loopback(static_cast<std::uint16_t>(r.argument)), r.rest, r.id + "-down", 0); });
  if (answered) return {took};
  return {took, "no answer\n", 502};
}

// Gives up the first attempt after 50 ms.
std::int64_t call_twice(const Request& r) {
  return wall([&] {
    const auto address = loopback(static_cast<std::uint16_t>(r.argument));
    if (!get(address, r.rest, r.id + "-first", 50)) get(address, "/ok", r.id + "-second", 0);
  });
}

// Resolves a name, then calls it: rest is /PORT/PATH.
std::int64_t look_up(const Request& r, const std::string& name) {
  char* path = nullptr;
  const auto port = static_cast<std::uint16_t>(std::strtoul(r.rest.c_str() + 1, &path, 10));
  sockaddr_in address{};
  const std::int64_t took = wall([&] { address = resolve(name + std::to_string(r.argument) + ".lab.test", port); });
  get(address, path, r.id + "-down", 0);
  return took;
}

}  // namespace

Done serve(const Request& r, const Means& means) {
  const std::int64_t n = r.argument;
  if (n == 0 || r.fault == "ok") return {};
  if (r.fault == "sleep") return {wall([&] { sleep_ms(n); })};
  if (r.fault == "spin") return {spin_ms(n)};
  if (r.fault == "contend") return {off_cpu([&] { spin_ms(n); })};
  if (r.fault == "lock") return {hold_lock(n)};
  if (r.fault == "flock") return {hold_file(means.file, n)};
  if (r.fault == "mlock") return {map_memory(n)};
  if (r.fault == "pages") return {fault_pages(means.file, n)};
  if (r.fault == "direct") return {write_file(means.file, n, true)};
  if (r.fault == "sync") return {write_file(means.file, n, false)};
  if (r.fault == "file") return {read_file(means.file, n)};
  if (r.fault == "pipe") return {write_pipe(means.pipe, n)};
  if (r.fault == "down") return call_down(r);
  if (r.fault == "retry") return {call_twice(r)};
  if (r.fault == "name") return {look_up(r, "host")};
  if (r.fault == "gone") return {look_up(r, "gone")};
  if (r.fault == "small") return {0, std::string(static_cast<std::size_t>(n), 's')};
  if (r.fault == "big") return {0, std::string(static_cast<std::size_t>(n) * 1024, 'b')};
  return {0, "no such fault\n"};
}

}  // namespace tailcap::lab
