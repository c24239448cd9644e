// The functions of a Go program that serve requests: ServeHTTP of every type that has one, and gRPC's method handlers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/elf_file.h"
#include "capture/symbols/go_binary.h"

namespace tailcap::capture::go {

// Who the handler is that begins there.
enum class HandlerIs : std::uint8_t {
  function,  // that function
  value,     // http.HandlerFunc: the function value that it is called on
  method,    // of gRPC: a method of the first argument, whatever its type is
};
struct Handler {
  symbols::GoFunction function;
  HandlerIs is = HandlerIs::function;
};

// By address. Without the standard library's own dispatchers, and without those that the compiler made only to call
// another one of these. Given up beyond some thousand: generated code.
std::vector<Handler> find_handlers(const symbols::ElfFile& file, const symbols::GoFunctions& functions);

// "example.org/pb._Cart_Get_Handler", as grpc-go's generator writes it.
bool is_grpc_handler(std::string_view name);

}  // namespace tailcap::capture::go
