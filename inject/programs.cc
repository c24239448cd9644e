#include "inject/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "bpf/inject.skel.h"
#include "bpf/inject/shared.h"

namespace tailcap::inject {
namespace {

std::string last_words;  // of libbpf, for the message of the exception that follows

int keep_words(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char line[1024];
  std::vsnprintf(line, sizeof line, format, arguments);
  if (last_words.size() < 4096) last_words += line;
  return 0;
}

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::system_error(error, std::generic_category(), what);
}

class Descriptor {
 public:
  explicit Descriptor(const std::string& directory)
      : fd_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ < 0) fail("cannot open the cgroup '" + directory + "'", errno);
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Where the unified hierarchy is mounted.
std::string unified_root() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, where, type;
    if (words >> device >> where >> type && type == "cgroup2") return where;
  }
  throw std::runtime_error(
      "no unified cgroup hierarchy (cgroup2) is mounted; programs for sockets are attached to one");
}

}  // namespace

struct Programs::Impl {
  const Options& options;
  inject_bpf* skeleton = nullptr;
  std::vector<bpf_link*> links;
  ring_buffer* left = nullptr;
  Counts before{};

  explicit Impl(const Options& o) : options(o) {}
  ~Impl() {
    unlink();
    ring_buffer__free(left);
    inject_bpf__destroy(skeleton);
  }

  void unlink() {
    for (bpf_link* link : links) bpf_link__destroy(link);
    links.clear();
  }

  void attach(const bpf_program* program, const std::string& cgroup) {
    const Descriptor directory(cgroup);
    bpf_link* link = bpf_program__attach_cgroup(program, directory.get());
    if (link == nullptr) fail("the kernel attaches no program to the cgroup '" + cgroup + "'", errno);
    links.push_back(link);
  }

  template <class Key>
  void put(const bpf_map* map, const Key& key) {
    const std::uint8_t one = 1;
    if (bpf_map__update_elem(map, &key, sizeof key, &one, sizeof one, BPF_ANY) != 0) fail("a target", errno);
  }

  Counts all() const {
    Counts out{};
    const int cpus = libbpf_num_possible_cpus();
    std::vector<std::uint64_t> values(static_cast<std::size_t>(cpus));
    for (std::uint32_t kind = 0; kind < COUNT_KINDS; ++kind) {
      if (bpf_map__lookup_elem(skeleton->maps.counts, &kind, sizeof kind, values.data(),
                               values.size() * sizeof values[0], 0) != 0)
        fail("counts cannot be read", errno);
      for (const std::uint64_t n : values) out[kind] += n;
    }
    return out;
  }

  static int release(void* self, void* data, std::size_t size) {
    std::uint64_t cookie = 0;
    if (size < sizeof cookie) return 0;
    std::memcpy(&cookie, data, sizeof cookie);
    // It may have ended since.
    bpf_map__delete_elem(static_cast<Impl*>(self)->skeleton->maps.sockets, &cookie, sizeof cookie, 0);
    return 0;
  }
};

Programs::Programs(const Options& options, std::uint64_t machine_salt) : impl_(std::make_unique<Impl>(options)) {
  libbpf_set_print(keep_words);
  Impl& i = *impl_;
  i.skeleton = inject_bpf__open();
  if (i.skeleton == nullptr) fail("the kernel programs cannot be opened", errno);
  i.skeleton->rodata->machine_salt = machine_salt;
  i.skeleton->rodata->trace_flags = options.sampled ? 1 : 0;
  bpf_map__set_max_entries(i.skeleton->maps.sockets, options.max_connections);
  if (const int error = inject_bpf__load(i.skeleton); error != 0)
    throw std::runtime_error("the kernel does not load the programs (" + std::string(std::strerror(-error)) +
                             "); they need Linux 6.13 or later with BTF, and root. " + last_words);
  if (bpf_prog_attach(bpf_program__fd(i.skeleton->progs.insert_ids), bpf_map__fd(i.skeleton->maps.sockets),
                      BPF_SK_MSG_VERDICT, 0) != 0)
    fail("the kernel attaches no program to sockets", errno);
  i.left = ring_buffer__new(bpf_map__fd(i.skeleton->maps.alone), Impl::release, &i, nullptr);
  if (i.left == nullptr) fail("no memory for connections that are left alone", errno);
}

Programs::~Programs() = default;

void Programs::follow_only(std::uint32_t pid) {
  Impl& i = *impl_;
  i.put(i.skeleton->maps.processes, pid);
  i.attach(i.skeleton->progs.follow_targets, unified_root());
  i.before = i.all();
}

void Programs::follow_targets() {
  Impl& i = *impl_;
  for (const std::uint32_t port : i.options.ports) i.put(i.skeleton->maps.ports, port);
  i.skeleton->bss->some_ports = i.options.ports.empty() ? 0 : 1;
  for (const std::uint32_t pid : i.options.pids) i.put(i.skeleton->maps.processes, pid);
  for (const std::string& comm : i.options.comms) {
    char key[INJECT_COMM] = {};
    comm.copy(key, sizeof key - 1);
    i.put(i.skeleton->maps.names, key);
  }
  i.before = i.all();
  for (const std::string& cgroup : i.options.cgroups) i.attach(i.skeleton->progs.follow_all, cgroup);
  if (!i.options.pids.empty() || !i.options.comms.empty()) i.attach(i.skeleton->progs.follow_targets, unified_root());
}

void Programs::stop() {
  Impl& i = *impl_;
  i.unlink();
  const std::uint32_t self = static_cast<std::uint32_t>(getpid());
  bpf_map__delete_elem(i.skeleton->maps.processes, &self, sizeof self, 0);
}

Counts Programs::counts() const { return impl_->all() - impl_->before; }

void Programs::release_left_alone(int timeout) { ring_buffer__poll(impl_->left, timeout); }

}  // namespace tailcap::inject
