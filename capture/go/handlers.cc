#include "capture/go/handlers.h"

#include <algorithm>
#include <array>
#include <map>

#include "capture/go/known_functions.h"
#include "capture/symbols/function_graph.h"

namespace tailcap::capture::go {

using symbols::ElfFile;
using symbols::GoFunction;
using symbols::GoFunctions;

namespace {

constexpr std::size_t kMaxHandlers = 2000;  // the largest programs have hundreds
constexpr std::string_view kMethod = ".ServeHTTP";
constexpr std::string_view kFunctionValue = "net/http.HandlerFunc.ServeHTTP";

// They only hand requests on to the program's own.
constexpr std::array<std::string_view, 10> kDispatchers = {"net/http.(*ServeMux).ServeHTTP",
                                                           "net/http.serverHandler.ServeHTTP",
                                                           "net/http.(*serverHandler).ServeHTTP",
                                                           "net/http.initALPNRequest.ServeHTTP",
                                                           "net/http.(*initALPNRequest).ServeHTTP",
                                                           "net/http.globalOptionsHandler.ServeHTTP",
                                                           "net/http.(*globalOptionsHandler).ServeHTTP",
                                                           "net/http.(*HandlerFunc).ServeHTTP",
                                                           "net/http.unencryptedHTTP2Request.ServeHTTP",
                                                           "net/http.(*unencryptedHTTP2Request).ServeHTTP"};

bool dispatches(std::string_view name) {
  return name.starts_with("net/http.http2") || name.starts_with("golang.org/x/net/http2") ||
         std::find(kDispatchers.begin(), kDispatchers.end(), name) != kDispatchers.end();
}

// "main.Cart.ServeHTTP" of "main.(*Cart).ServeHTTP"; empty: that is no method of a pointer.
std::string of_value(const std::string& name) {
  const auto open = name.rfind(".(*");
  const auto close = open == name.npos ? name.npos : name.find(')', open);
  if (close == name.npos) return {};
  return name.substr(0, open + 1) + name.substr(open + 3, close - open - 3) + name.substr(close + 1);
}

// Whether the one goes over to the other: the compiler's wrapper, unless it has the other's code in itself.
bool leads_to(const ElfFile& file, const GoFunction& wrapper, std::uint64_t target) {
  symbols::FunctionCode code;
  code.parts.push_back({wrapper.address, file.read_address(wrapper.address, wrapper.size, kMaxCode)});
  const symbols::FunctionGraph graph(std::move(code));
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const auto& node) {
    const auto flow = node.instruction.flow;
    return (flow == symbols::Flow::call || flow == symbols::Flow::jump) && node.instruction.target == target;
  });
}

}  // namespace

bool is_grpc_handler(std::string_view name) {
  const auto slash = name.rfind('/');
  const auto dot = name.find('.', slash == name.npos ? 0 : slash);
  if (dot == name.npos) return false;
  const std::string_view function = name.substr(dot + 1);
  // _Service_Method_Handler, and neither a closure in it nor a method
  return function.starts_with("_") && function.ends_with("_Handler") && function.size() > 11 &&
         function.find('.') == function.npos && function.find('_', 1) < function.size() - 8;
}

std::vector<Handler> find_handlers(const ElfFile& file, const GoFunctions& functions) {
  std::vector<Handler> found;
  std::map<std::string, std::uint64_t> methods;
  for (std::size_t i = 0; i < functions.size(); i++) {
    auto function = functions.at(i);
    if (!function) continue;
    const bool method = function->name.ends_with(kMethod);
    if (!method && !is_grpc_handler(function->name)) continue;
    if (method) methods.emplace(function->name, function->address);
    if (dispatches(function->name) || found.size() >= kMaxHandlers) continue;
    const auto is = function->name == kFunctionValue ? HandlerIs::value
                    : method                         ? HandlerIs::function
                                                     : HandlerIs::method;
    found.push_back({*std::move(function), is});
  }
  std::erase_if(found, [&](const Handler& handler) {
    const auto value = methods.find(of_value(handler.function.name));
    return value != methods.end() && leads_to(file, handler.function, value->second);
  });
  return found;
}

}  // namespace tailcap::capture::go
