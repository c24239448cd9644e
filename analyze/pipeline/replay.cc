#include "analyze/pipeline/replay.h"

namespace tailcap::pipeline {

Replay::Replay(std::string path, unsigned threads)
    : path_(std::move(path)),
      threads_(threads),
      reader_(std::make_unique<formats::Reader>(path_, formats::ReaderOptions{threads})) {}

void Replay::begin() {
  if (begun_) reader_ = std::make_unique<formats::Reader>(path_, formats::ReaderOptions{threads_});
  begun_ = true;
}

}  // namespace tailcap::pipeline
