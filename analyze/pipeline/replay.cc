#include "analyze/pipeline/replay.h"

namespace tailcap::pipeline {

Replay::Replay(std::string path, unsigned threads)
    : path_(std::move(path)),
      threads_(threads),
      reader_(std::make_unique<formats::Reader>(path_, formats::ReaderOptions{threads})) {}

void Replay::begin() {
  if (readings_++ > 0) reader_ = std::make_unique<formats::Reader>(path_, formats::ReaderOptions{threads_});
}

}  // namespace tailcap::pipeline
