// Which goroutine works on each request that a Go process serves, and which makes each call.
//
// HTTP/1: a connection's goroutine reads requests, runs their handlers and answers; the first byte of the next request
// may be read by a goroutine that only watches the connection meanwhile. So it is the one that answers, surely if it
// read the request, too, or was seen to enter a handler. HTTP/2: causes/stream_goroutines.h. A call over HTTP/1 is sent
// by its connection's goroutine: whose call it is the program's own hand-over tells, or that one goroutine does both,
// sends and reads. Over HTTP/2 net/http sends each call by a goroutine of its own; grpc-go sends all of a connection by
// one, which is told what to send by those who call.
#pragma once

#include "analyze/causes/goroutines.h"
#include "analyze/causes/note.h"

namespace tailcap::causes {

// Fill Note::goroutine and goroutine_sure; of exchanges over HTTP/1, when they are done. A call's `made`, too.
void find_carrier(Note& server, std::uint32_t pid, const Goroutines& goroutines);
void find_caller(Note& client, std::uint32_t pid, Goroutines& goroutines);
// Of those over HTTP/2, when all of the process are known.
// Where events were lost, one may be taken for another: then nothing is filled in.
void find_carriers(std::uint32_t pid, Process& process, const Goroutines& goroutines);

}  // namespace tailcap::causes
