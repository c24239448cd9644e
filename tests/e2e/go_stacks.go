// A Go server whose handlers compute, and allocate, a known amount: go_stacks PORT
package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"sync/atomic"
)

var sink, rival uint64
var held []byte

// As much work as takes a few hundred milliseconds, however busy the machine is.
const rounds = 500

//go:noinline
func spinHere() {
	for n := 0; n < rounds; n++ {
		for i := uint64(0); i < 2500000; i++ {
			sink += i * 7
		}
		callHere(0) // so that it has a frame
	}
}

//go:noinline
func callHere(i uint64) { sink += i }

//go:noinline
func spinInCalls() {
	for n := 0; n < rounds; n++ {
		for i := uint64(0); i < 200000; i++ {
			callDeeper(i)
		}
	}
}

//go:noinline
func callDeeper(i uint64) {
	var room [64]uint64
	room[i%64] = i
	callHere(room[(i+1)%64] + i)
}

// Runs it while another goroutine wants to run, too.
//
//go:noinline
func beside(work func()) {
	done := uint32(0)
	go func() {
		for atomic.LoadUint32(&done) == 0 {
			rival++
		}
	}()
	work()
	atomic.StoreUint32(&done, 1)
}

//go:noinline
func allocateHere() { held = make([]byte, 77777) }

//go:noinline
func allocateSmall() { held = make([]byte, 1024) }

func main() {
	http.HandleFunc("/spin", func(w http.ResponseWriter, r *http.Request) {
		beside(spinHere)
		fmt.Fprint(w, "ok")
	})
	http.HandleFunc("/calls", func(w http.ResponseWriter, r *http.Request) {
		beside(spinInCalls)
		fmt.Fprint(w, "ok")
	})
	http.HandleFunc("/allocate", func(w http.ResponseWriter, r *http.Request) {
		allocateHere()
		fmt.Fprint(w, "ok")
	})
	http.HandleFunc("/small", func(w http.ResponseWriter, r *http.Request) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := 0; i < 200000; i++ {
			allocateSmall()
		}
		runtime.ReadMemStats(&after)
		fmt.Fprint(w, after.Mallocs-before.Mallocs, " ", after.TotalAlloc-before.TotalAlloc)
	})
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
