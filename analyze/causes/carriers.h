// Which goroutine works on each request that a Go process serves, and which makes each call.
//
// HTTP/1: a connection's goroutine reads requests, runs their handlers and answers; the first byte of the next request
// may be read by a goroutine that only watches the connection meanwhile. So the carrier is the goroutine that answers;
// it is certain if that one also read the request or entered a handler. HTTP/2: causes/stream_goroutines.h. A call over
// HTTP/1 is sent by its connection's goroutine; the caller is known from the program's channel transfer, or because one
// goroutine both sends and reads. Over HTTP/2, net/http sends each call from its own goroutine; grpc-go sends all calls
// of a connection from one goroutine, which the callers hand their calls to.
#pragma once

#include "analyze/causes/goroutines.h"
#include "analyze/causes/note.h"

namespace tailcap::causes {

// Fill Note::goroutine and goroutine_sure; of exchanges over HTTP/1, when they are done. A call's `made`, too.
void find_carrier(Note& server, std::uint32_t pid, const Goroutines& goroutines);
void find_caller(Note& client, std::uint32_t pid, Goroutines& goroutines);
// Fills in, for a set-up that failed, the goroutine of the handler that dialled, or that made the one which did.
void find_dialler(Note& client, std::uint32_t pid, const Goroutines& goroutines);
// Fills in the carriers of requests over HTTP/2, when all of the process are known. Fills in nothing where events were
// lost, as one goroutine could be taken for another.
void find_carriers(std::uint32_t pid, Process& process, const Goroutines& goroutines);

}  // namespace tailcap::causes
