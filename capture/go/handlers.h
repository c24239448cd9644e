// The functions of a Go program that serve requests: ServeHTTP of every type that has one, and gRPC's method handlers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/go/go_binary.h"

namespace tailcap::capture::go {

// Identifies the handler that begins there.
enum class HandlerIs : std::uint8_t {
  function,  // that function
  value,     // http.HandlerFunc: the function value that it is called on
  method,    // of gRPC: a method of the first argument, whatever its type is
};
struct Handler {
  symbols::GoFunction function;
  HandlerIs is = HandlerIs::function;
};

// By address. The standard library's own dispatchers and compiler-generated wrappers of other handlers are left out.
// Gives up beyond some thousand: generated code.
std::vector<Handler> find_handlers(const symbols::ElfFile& file, const symbols::GoFunctions& functions);

// "example.org/pb._Cart_Get_Handler", as grpc-go's generator writes it.
bool is_grpc_handler(std::string_view name);

}  // namespace tailcap::capture::go
