#include "analyze/views/export/exported.h"

namespace tailcap::views {

pipeline::Options of_all(const pipeline::Options& chosen) {
  pipeline::Options options;
  options.threads = chosen.threads;
  options.progress = chosen.progress;
  options.routes = chosen.routes;
  options.max_routes = chosen.max_routes;
  options.study = false;
  return options;
}

}  // namespace tailcap::views
