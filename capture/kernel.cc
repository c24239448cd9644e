#include "capture/kernel.h"

#include <bpf/btf.h>
#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tailcap::capture {

struct KernelTypes::Impl {
  btf* types = nullptr;
  ~Impl() { btf__free(types); }
};

KernelTypes::KernelTypes() : impl_(std::make_unique<Impl>()) {
  impl_->types = btf__load_vmlinux_btf();
  if (!impl_->types)
    throw std::runtime_error(
        "this kernel does not describe its types (/sys/kernel/btf/vmlinux: " + std::string(std::strerror(errno)) +
        "), without which nothing can be recorded. It needs CONFIG_DEBUG_INFO_BTF=y; the kernels of Debian 11 "
        "and later have it.");
}

KernelTypes::~KernelTypes() = default;

int KernelTypes::tracepoint_arguments(const std::string& name) const {
  const btf* types = impl_->types;
  const int id = btf__find_by_name_kind(types, ("btf_trace_" + name).c_str(), BTF_KIND_TYPEDEF);
  if (id < 0) return -1;
  // typedef -> pointer -> function; its first parameter is the context
  const btf_type* type = btf__type_by_id(types, btf__type_by_id(types, static_cast<unsigned>(id))->type);
  if (!type || !btf_is_ptr(type)) return -1;
  type = btf__type_by_id(types, type->type);
  return type && btf_is_func_proto(type) ? btf_vlen(type) - 1 : -1;
}

bool KernelTypes::has_links_of_many_places() const {
  return btf__find_by_name_kind(impl_->types, "bpf_uprobe_multi_link", BTF_KIND_STRUCT) > 0;
}

std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "";
}

std::string machine() {
  utsname names{};
  return uname(&names) == 0 ? names.machine : "";
}

std::string host_name() {
  utsname names{};
  return uname(&names) == 0 ? names.nodename : "";
}

std::string boot_id() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  return id;
}

bool has_trace_event(const std::string& name) {
  const std::string event = "tracing/events/" + name;
  return access(("/sys/kernel/" + event).c_str(), F_OK) == 0 || access(("/sys/kernel/debug/" + event).c_str(), F_OK) == 0;
}

bool in_unified_hierarchy(const std::string& path) {
  struct statfs status {};
  return statfs(path.c_str(), &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

std::string unified_mount() {
  std::ifstream mounts("/proc/self/mounts");
  std::string device, where, type, rest;
  while (mounts >> device >> where >> type && std::getline(mounts, rest)) {
    if (type == "cgroup2") return where;
  }
  return "";
}

bool capable(int capability) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (!line.starts_with("CapEff:")) continue;
    return std::stoull(line.substr(7), nullptr, 16) >> capability & 1;
  }
  return false;
}

}  // namespace tailcap::capture
