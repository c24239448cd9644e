// The sockets that tasks hold. Most kernels let one program list them and make those of targets its own. Where the
// verifier trusts no pointer to a socket that comes from a task's file, an iterator over tasks notes them by address,
// and iterators over the sockets of their network namespaces make their state or remove it (bpf/net/adopt.bpf.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

struct bpf_map;
struct bpf_program;
struct tailcap_bpf;

namespace tailcap::capture::iterators {

class Sockets {
 public:
  // The loaded programs, which must outlive this. chooses: connections are sampled, so that they may have to be chosen
  // again.
  void use(const tailcap_bpf& loaded, bool chooses);

  // A struct record_socket for each socket and process; makes a state for those of targets that have none.
  // Throws std::system_error.
  std::vector<std::byte> list();
  // Sockets that only targets hold which are taken away end to be recorded. Throws std::system_error.
  void untarget();
  // That is possible: by address only where all that targets hold are in this process's network namespace.
  // Throws std::system_error.
  bool may_untarget();

  // From now on other network namespaces than this process's cannot be entered: sockets there that are met later, and
  // were open before, have no state before their first read or write. lists: before that, where list() was not called.
  // not_recorded: gets a sentence where some could not be entered.
  void stay(bool lists, std::vector<std::string>& not_recorded);

 private:
  bool by_address() const;
  void adopt();
  void adopt_here() const;
  bool adopt_in(unsigned space, unsigned process) const;
  bool noted_any() const;
  void forget() const;

  const bpf_program *list_ = nullptr, *keep_ = nullptr, *untarget_ = nullptr;
  std::uint8_t* round_ = nullptr;  // of untarget_
  // Loaded only where those are not.
  const bpf_program *list_by_address_ = nullptr, *untarget_by_address_ = nullptr;
  const bpf_program *adopt_tcp_ = nullptr, *adopt_unix_ = nullptr;
  const bpf_map *noted_sockets_ = nullptr, *noted_namespaces_ = nullptr;
  bool chooses_ = false, listed_ = false, may_enter_ = true, missed_ = false;
};

}  // namespace tailcap::capture::iterators
