// How the goroutines of each Go server stand to its requests: one for each connection, one for each request, or
// workers.
//
// Derived from which goroutine served what, never from the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "analyze/model/study/go_study.h"
#include "analyze/model/wire/served.h"
#include "formats/event_names.h"
#include "formats/time.h"

namespace tailcap::tail::go {

class Use {
 public:
  static constexpr std::size_t kMaxGoroutines = 1u << 20;  // that enter gRPC methods; later ones are not known

  void push(const formats::Event& event);
  // served: of one process.
  std::vector<model::GoUse> of(std::uint32_t pid, std::span<const model::Served> served) const;

 private:
  // Workers get their calls from others: of gRPC only the entries into its methods say who served how many.
  std::map<std::uint32_t, std::unordered_map<std::uint64_t, std::uint64_t>> methods_;  // by process and goroutine
  std::size_t kept_ = 0;
};

// "example.org/pb._Cart_Get_Handler", as grpc-go's generator writes it: entered once for each call.
bool is_grpc_method(std::string_view handler);

}  // namespace tailcap::tail::go
