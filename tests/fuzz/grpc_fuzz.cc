// Hostile gRPC: messages in a body cut anywhere and captured in part, both forms of gRPC-Web, header fields.
//
// Input: [mode][cut][cut] and the bytes, which serve as body and header values in turn.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "analyze/model/wire/trace_context.h"
#include "analyze/protocols/grpc/call.h"
#include "analyze/protocols/grpc/web.h"

namespace {

using namespace tailcap;

void check(bool holds) {
  if (!holds) std::abort();
}

model::Message read(std::string_view body, bool text, bool response, std::size_t first, std::size_t second, bool hide) {
  protocols::grpc::WebBody web(text);
  model::ByteRun run;
  run.length = body.size();
  const std::size_t cuts[] = {0, std::min(first, body.size()), std::min(std::max(first, second), body.size()),
                              body.size()};
  for (int i = 0; i < 3; ++i) {
    const auto part = body.substr(cuts[i], cuts[i + 1] - cuts[i]);
    if (!part.empty()) web.push(run, cuts[i], part.size(), hide && i == 1 ? std::string_view{} : part);
  }
  model::Message m;
  m.kind = response ? model::MessageKind::response : model::MessageKind::request;
  m.headers_complete = true;
  web.finish(m);
  check(m.grpc.has_value());
  check(m.grpc->messages >= m.grpc->listed.size() && m.grpc->compressed <= m.grpc->messages);
  check(m.grpc->bytes >= 5 * m.grpc->messages);
  return m;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const bool text = data[0] & 1, response = data[0] & 2;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 3), size - 3);
  const auto whole = read(bytes, text, response, bytes.size(), bytes.size(), false);
  // The result is the same however it is cut.
  const auto cut = read(bytes, text, response, data[1], data[2], false);
  const auto &a = *whole.grpc, &b = *cut.grpc;
  check(a.messages == b.messages && a.bytes == b.bytes && a.compressed == b.compressed && a.exact == b.exact &&
        a.broken_off == b.broken_off);
  check(a.status == b.status && a.message == b.message && whole.trailers == cut.trailers);
  // If a part was not captured, less is known, but nothing differs.
  const auto hidden = read(bytes, text, response, data[1], data[2], true);
  if (hidden.grpc->exact)
    check(hidden.grpc->messages == a.messages && hidden.grpc->bytes == a.bytes &&
          hidden.grpc->broken_off == a.broken_off);
  check(hidden.grpc->messages <= a.messages);
  if (hidden.grpc->status) check(hidden.grpc->status == a.status);

  model::Headers headers;
  headers.add("grpc-trace-bin", bytes);
  headers.add("trace-id", bytes.substr(0, std::min<std::size_t>(32, bytes.size())));
  headers.add("span-id", bytes.substr(std::min<std::size_t>(32, bytes.size())));
  const auto context = model::trace_context(headers);
  check(context.traceparent.empty() || model::valid_traceparent(context.traceparent));
  check(context.present);
  check(protocols::grpc::percent_decode(bytes).size() <= bytes.size());
  if (const auto timeout = protocols::grpc::parse_timeout(bytes)) check(timeout->count() >= 0 && bytes.size() <= 9);
  if (const auto name = model::rpc_name(bytes)) check(name->service.size() + name->method.size() + 2 == bytes.size());
  model::unimplemented_cause(bytes);
  return 0;
}
