#include "analyze/report/words/call_words.h"

#include "analyze/model/wire/http2_errors.h"

namespace tailcap::report {

std::string status_text(int status) {
  const auto name = model::grpc_status_name(status);
  if (name.empty()) return "status " + std::to_string(status);
  return std::string(name) + (status == 0 ? "" : " (" + std::to_string(status) + ")");
}

std::string_view text_of(model::GrpcCause cause) {
  using enum model::GrpcCause;
  switch (cause) {
    case unknown_service:
      return "the server has no such service, no handler ran";
    case unknown_method:
      return "the service has no such method, no handler ran";
    case unregistered:
      return "it is not registered at the server, no handler ran";
    case handler:
      return "the method is there, but its body is a generated stub";
    case other:
      return "in words of its own: most likely its handler ran";
    case unknown:
      break;
  }
  return {};
}

std::string reset_code_text(const model::StreamReset& reset) {
  return reset.code ? model::http2_error(*reset.code) : "(code not captured)";
}

}  // namespace tailcap::report
