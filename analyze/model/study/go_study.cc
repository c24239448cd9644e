#include "analyze/model/study/go_study.h"

namespace tailcap::model {

std::string_view name_of(GoModel model) {
  switch (model) {
    case GoModel::unknown:
      break;
    case GoModel::per_connection:
      return "per_connection";
    case GoModel::per_request:
      return "per_request";
    case GoModel::workers:
      return "workers";
  }
  return "unknown";
}

std::string_view text_of(GoModel model, Protocol protocol) {
  const bool streams = protocol == Protocol::http2 || protocol == Protocol::grpc;
  switch (model) {
    case GoModel::unknown:
      break;
    case GoModel::per_connection:
      return "one goroutine per connection";
    case GoModel::per_request:
      return streams ? "one goroutine per stream" : "one goroutine per request";
    case GoModel::workers:
      return streams ? "stream workers: goroutines that take streams as they come"
                     : "workers: goroutines that take requests as they come";
  }
  return "cannot be derived from what was recorded";
}

}  // namespace tailcap::model
